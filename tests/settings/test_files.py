"""Stack files are read as the engine reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings.files import inspect, load_stack, read_config
from settings.problems import SettingsError
from tests.settings.fixtures import BASE

ROOT = Path(__file__).parent.parent.parent


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_config(text, "Pulumi.x.yaml")
    return str(caught.value)


def test_a_key_that_stands_twice_is_refused_with_its_place() -> None:
    text = "config:\n  layered-cloud:environment: a\n  layered-cloud:environment: b\n"
    assert refusal(text) == (
        "Pulumi.x.yaml: line 3, column 3 (layered-cloud:environment): not YAML: the key "
        "layered-cloud:environment stands twice; leave one of the two"
    )


def test_broken_yaml_is_refused_with_its_place() -> None:
    assert refusal("config:\n  a: [1, 2\n  b: 3\n") == (
        "Pulumi.x.yaml: line 3, column 4: not YAML: expected ',' or ']', but got ':'; "
        "correct the file"
    )


@pytest.mark.parametrize("text", ["", "config:\n", "- a\n", "config: [a]\n"])
def test_a_file_without_a_configuration_is_refused(text: str) -> None:
    assert refusal(text) == (
        "Pulumi.x.yaml: config: is missing; write `config:` with keys such as "
        "layered-cloud:networks"
    )


def test_words_that_yaml_1_1_takes_for_something_else_stay_text() -> None:
    config = read_config(
        "config: {a: off, b: yes, c: 12:30, d: 2026-01-02, e: true, f: 0.3, g: 7, h: null, i: ~}",
        "x",
    )
    assert config == {
        "a": "off",
        "b": "yes",
        "c": "12:30",
        "d": "2026-01-02",
        "e": True,
        "f": 0.3,
        "g": 7,
        "h": None,
        "i": None,
    }


def test_off_is_a_word_a_setting_may_have() -> None:
    text = BASE.read_text(encoding="utf-8").replace(
        "  layered-cloud:access:\n", "  layered-cloud:access:\n    unattended_upgrades: off\n"
    )
    assert load_stack(text).access.unattended_upgrades == "off"


def test_a_stack_loads_from_its_path_and_from_its_text() -> None:
    assert load_stack(BASE) == load_stack(str(BASE)) == load_stack(BASE.read_text("utf-8"))


def test_an_error_of_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.mine.yaml"
    path.write_text(BASE.read_text("utf-8").replace("vrid: 71", "vrid: 62"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_stack(path)
    assert str(caught.value).startswith(f"{path}: layered-cloud:balancers.vips[0].vrid: 62 is ")


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_every_shipped_stack_is_sound_and_holds_no_ciphertext(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\bsecure:|encryptionsalt|encryptedkey", text)
    _, problems = inspect(read_config(text, path.name))
    assert problems == []


def test_production_survives_the_loss_of_any_one_host() -> None:
    stack = load_stack(ROOT / "Pulumi.prod.yaml")
    assert len(stack.proxmox.hosts) == 3
    for host in stack.proxmox.hosts:
        for machines in (stack.routers.machines, stack.balancers.machines, stack.cluster.workers):
            assert [spec for spec in machines if spec.host != host.name]
    assert (stack.cdn.kind, stack.cdn.ssl) == ("cloudflare", "strict")
    assert stack.balancers.certificate.source == "origin-ca"
