"""`python -m settings explain`: every key has its whole answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from settings.__main__ import main
from settings.effects import EFFECTS, effect_of
from settings.examples import line, value_of
from settings.explain import explain
from settings.keys import SECRETS
from settings.models.stack import Stack
from settings.reference import Key, every_key, find

KEYS = list(every_key().values())
ABRIDGED = (
    *("authorities", "client_ca", "recipient", "signed_by", "authorized_keys", "host_keys"),
)
"""Keys in armor, whose examples show the form alone."""


def test_every_key_and_every_secret_has_an_answer() -> None:
    """Of its own, or by what it stands in; a section without one leaves it to its keys."""
    plain = [path for path, key in every_key().items() if key.model is None]
    lacking = [each for each in [*plain, *SECRETS] if effect_of(each) is None]
    assert lacking == [], "write what a change of these does into settings/effects"


def test_no_answer_is_of_a_key_that_is_gone() -> None:
    known = {*every_key(), *SECRETS}
    assert [each for each in EFFECTS if each.removesuffix("[]") not in known] == []


def test_no_section_is_answered_for_as_a_whole() -> None:
    """Else a new key of it would have the answer of others."""
    sections = {name for name in Stack.model_fields if every_key()[name].model is not None}
    assert sections.isdisjoint(EFFECTS)


def test_the_longest_prefix_answers() -> None:
    assert effect_of("routers.vips[].wan_vrid") == EFFECTS["routers.vips[].wan_vrid"]
    assert effect_of("routers.forwards[].port") == EFFECTS["routers.forwards"]
    assert effect_of("networks.wan.cidr") == EFFECTS["networks.wan.cidr"]
    assert effect_of("routers.bogus") is None


NAMED = {word for text in EFFECTS.values() for word in text.split("`")[1::2]}


@pytest.mark.parametrize(
    "name", sorted(each for each in NAMED if re.fullmatch(r"[a-z]+(\.[a-z_]+)+(: .+)?", each))
)
def test_a_key_that_an_answer_names_is_there(name: str) -> None:
    assert find(name.partition(":")[0]) is not None


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_an_example_is_taken_by_its_own_type_and_read_back_from_its_line(key: Key) -> None:
    value = value_of(key)
    section, *steps = key.path.replace("[].", ".0.").split(".")
    read: Any = yaml.safe_load(line(key))[f"layered-cloud:{section}"]
    for step in steps:
        read = read[int(step) if step == "0" else step]
    assert read == value
    if any(f"'{name}'" in repr(value) or key.path.endswith(name) for name in ABRIDGED):
        return
    try:
        TypeAdapter(key.annotation).validate_python(value)
    except ValidationError as error:
        pytest.fail(str(error))


def test_one_key_in_full() -> None:
    assert explain("routers.vips[].wan_vrid").splitlines() == [
        "layered-cloud:routers.vips[].wan_vrid",
        "  meaning:  Unique on the WAN.",
        "  type:     number",
        "  range:    at least 1, at most 255",
        "  required: yes",
        "  example:  layered-cloud:routers: { vips: [{ wan_vrid: 1 }] }",
        "  change:   in place, with an interruption: keepalived is reloaded on one after the "
        "other, and while",
        "            one has the new value and the other the old one, both hold the addresses",
    ]


def test_a_default_a_unit_and_a_range() -> None:
    told = explain("access.journald_max_mebibytes")
    assert "  range:    at least 16, at most 65,536 MiB\n" in told
    assert "  required: no\n  default:  200\n" in told


def test_a_secret_shows_the_command_that_sets_it() -> None:
    told = explain("proxmoxApiToken")
    assert "pulumi config set --secret layered-cloud:proxmoxApiToken -s STACK" in told
    assert "  change:   nothing on a machine" in told


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("routers.machines[].host", "in place: Proxmox migrates the VM"),
        ("cluster.control_planes[].host", "in place: Proxmox migrates the VM"),
        ("cluster.workers[].disk", "one that grows together with `cores` or `memory`, is refused"),
        ("balancers.machines[].lan", "refused, in a preview too"),
        ("routers.machines[].wan6", "refused, in a preview too"),
        ("networks.lan.cidr", "refused, in a preview too"),
        ("networks.wan.gateway", "refused, in a preview too"),
        ("routers.vips[].lan", "refused, in a preview too"),
        ("routers.machines[].vm_id", "another machine"),
        ("routers.machines[].cores", "Named in `maintenance.machines` the machine is restarted"),
        ("cluster.workers[].memory", "Named in `maintenance.machines` the machine is restarted"),
        ("proxmox.datastores.disks", "refused by the provider while the machine runs"),
    ],
)
def test_what_moves_a_machine_and_what_makes_another_is_told(key: str, words: str) -> None:
    assert words in str(effect_of(key))


def test_a_section_without_an_answer_tells_those_of_its_keys() -> None:
    changes = [each for each in explain("networks.wan").splitlines() if "  change:" in each]
    assert [each.split(":")[1].strip() for each in changes] == [
        "cidr",
        "cidr6",
        "bridge, vlan, mtu",
        "public, gateway, gateway6",
    ]


@pytest.mark.parametrize(
    "written",
    [
        "routers.vips[0].wan_vrid",
        "layered-cloud:routers.vips[12].wan_vrid",
        " routers.vips[].wan_vrid ",
    ],
)
def test_index_numbers_and_the_namespace_are_tolerated(written: str) -> None:
    assert explain(written) == explain("routers.vips[].wan_vrid")


def test_a_name_of_the_stacks_own_is_explained_by_its_mapping() -> None:
    assert explain("cluster.sysctls.vm.swappiness") == explain("cluster.sysctls")
    assert explain("routers.vips[0].wan[1]") == explain("routers.vips[].wan")


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("routers.vips[].wan_vird", "routers.vips[].wan_vrid"),
        ("wan_vrid", "routers.vips[].wan_vrid"),
        ("proxmoxApiTokn", "proxmoxApiToken"),
        ("environment.name", "environment"),
        ("%%%", "see docs/settings.md"),
    ],
)
def test_an_unknown_key_names_the_nearest_and_is_status_two(
    written: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", written]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"{written}: is no key of a stack; nearest: ")
    assert nearest in told.err


@pytest.mark.parametrize("written", [*every_key(), *SECRETS])
def test_every_key_is_explained(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", written]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"layered-cloud:{written}"
    labels = {each[2:12].strip() for each in lines[1:]}
    assert {"meaning:", "type:", "required:", "example:", "change:"} <= labels
