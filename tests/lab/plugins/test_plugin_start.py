"""A plugin that starts imports little: every preview and update waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lab.paths import CHECKOUT
from lab.plugins import schema

HEAVY = {"pulumi", "pulumi_cloudflare", "pulumi_command", "pulumi_tls", "asyncssh"}


def loaded(program: str) -> set[str]:
    """The top-level modules that a program of its own has loaded in the end."""
    whole = (
        f"import sys\n{program}\nprint(*sorted(name for name in sys.modules if '.' not in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "reference", "inputs"),
    [
        ("cloudflare", "pulumi_cloudflare:DnsRecord", {"name": "a", "ttl": 1, "typ": "A"}),
        ("command", "pulumi_command.remote:Command", {"connection": {"hst": "h"}}),
        ("tls", "pulumi_tls:PrivateKey", {"algorithm": 1}),
    ],
)
def test_a_stand_in_starts_and_checks_inputs_without_its_sdk(name, reference, inputs):
    assert schema.problems(reference, inputs), "the SDK was not read"
    checked = (
        f"import lab.plugins.{name}\n"
        "from lab.plugins import schema\n"
        f"assert schema.problems({reference!r}, {inputs!r})"
    )
    assert loaded(checked) & HEAVY == set()


def test_the_sdk_can_be_imported_whole_after_the_protocol():
    loaded(
        "from lab.plugins.protocol import provider_pb2\n"
        "import pulumi, pulumi_command\n"
        "from pulumi.runtime.proto import provider_pb2 as theirs\n"
        "assert theirs is provider_pb2 and pulumi.Output and pulumi_command.Provider"
    )


def test_an_sdk_without_the_class_is_named():
    with pytest.raises(LookupError, match=r"^pulumi_tls:Nothing: AttributeError: .*Nothing"):
        schema.problems("pulumi_tls:Nothing", {})


def test_another_sdk_is_read_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    before = schema._kept("pulumi_tls:PrivateKey", False)
    assert before.is_relative_to(tmp_path)
    monkeypatch.setattr(schema, "version", lambda package: "99.0.0")
    after = schema._kept("pulumi_tls:PrivateKey", False)
    assert (before.name, before.parent) != (after.name, after.parent)
    assert "99.0.0" in after.parent.name
