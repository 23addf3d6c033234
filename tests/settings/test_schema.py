"""The JSON schema of stack files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from settings.files import read_config
from settings.keys import SECRETS
from settings.schema import stack_file_schema
from tests.settings.fixtures import BASE, base_config, patched, patches, read_patch

ROOT = Path(__file__).parent.parent.parent
STACKS = [*sorted(ROOT.glob("Pulumi.*.yaml")), BASE]


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = stack_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def messages(validator: Any, config: dict[str, Any], **more: object) -> list[str]:
    return [error.message for error in validator.iter_errors({"config": config, **more})]


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_shipped_stacks_satisfy_it(validator: Any, path: Path) -> None:
    assert messages(validator, read_config(path.read_text("utf-8"), path.name)) == []


@pytest.mark.parametrize(
    "path",
    [path for path in patches("accept") if path.stem != "a-key-by-its-old-name"],
    ids=lambda path: path.stem,
)
def test_accepted_stacks_satisfy_it(validator: Any, path: Path) -> None:
    assert messages(validator, patched(read_patch(path))) == []


@pytest.mark.parametrize(
    "name",
    [
        "unknown-key",
        "unknown-section",
        "section-missing",
        "secret-in-clear",
        "number-as-text",
        "yes-is-not-true",
        "value-too-large",
        "choice-unknown",
        "three-routers",
        "name-not-a-label",
        "address-malformed",
        "address-is-a-number",
        "address-ipv6",
        "subnet-ipv6",
        "subnet-without-length",
        "node-port-out-of-range",
        "version-incomplete",
        "image-checksum-short",
    ],
)
def test_an_editor_sees_what_is_wrong_with_one_key(validator: Any, name: str) -> None:
    patch = next(path for path in patches("reject") if path.stem == name)
    assert messages(validator, patched(read_patch(patch)))


def test_secrets_are_ciphertext_or_absent(validator: Any) -> None:
    config = base_config()
    for name in SECRETS:
        config[f"layered-cloud:{name}"] = {"secure": "v1:abc"}
    assert messages(validator, config) == []
    config["layered-cloud:tlsKey"] = {"secure": "v1:abc", "plain": "x"}
    assert len(messages(validator, config)) == 1


def test_the_engines_own_keys_are_allowed_and_others_are_not(validator: Any) -> None:
    config = {**base_config(), "kubernetes:context": "x"}
    assert messages(validator, config, encryptionsalt="v1:x", secretsprovider="passphrase") == []
    assert messages(validator, config, sercetsprovider="passphrase")


def test_keys_carry_their_docstrings() -> None:
    schema = stack_file_schema()
    vrrp = schema["$defs"]["Vrrp"]["properties"]["advert_interval"]
    assert vrrp["description"].startswith("Seconds, in steps of 0.01.")
    assert (vrrp["minimum"], vrrp["maximum"], vrrp["default"]) == (0.1, 3, 0.3)
    assert schema["$defs"]["Routers"]["description"].startswith("The redundant routers")
