"""Each rule: what it lets pass, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policy import rules
from policy.rules import COMMAND, IMAGE, RECORD, RELEASE, SERVICE, SETTING, VM, Resource
from policy.table import CHANGE_RULES, STACK_RULES, faults

SOUND: dict[str, dict[str, Any]] = {
    VM: {
        "vmId": 101,
        "nodeName": "pve1",
        "tags": ["router"],
        "rebootAfterUpdate": False,
        "agent": {"enabled": False},
    },
    IMAGE: {"checksum": "ab" * 32, "checksumAlgorithm": "sha256"},
    COMMAND: {
        "connection": {"host": "198.18.0.11", "hostKey": "ssh-ed25519 AAAA", "perDialTimeout": 10},
        "logging": "none",
        "addPreviousOutputInEnv": False,
    },
    RECORD: {"type": "A", "content": "203.0.113.10", "proxied": True, "ttl": 1},
    SETTING: {"settingId": "ssl", "value": "strict"},
    RELEASE: {"version": "1.20.2"},
    SERVICE: {"spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}},
}


def one(type_: str, **changes: Any) -> Resource:
    return Resource(type=type_, name="it", properties={**SOUND[type_], **changes}, protect=True)


def violations(resources: list[Resource]) -> list[str]:
    return [str(each) for each in faults(resources)]


@pytest.mark.parametrize("type_", SOUND)
def test_a_sound_resource_passes(type_: str) -> None:
    assert violations([one(type_)]) == []


CONNECTION = SOUND[COMMAND]["connection"]
FAULTS: list[tuple[Resource, str]] = [
    (
        one(VM, rebootAfterUpdate=True),
        "vm-is-not-rebooted-by-an-update: it may be rebooted by an update: set rebootAfterUpdate "
        "to false",
    ),
    (
        one(VM, agent={"enabled": True}),
        "vm-waits-for-no-agent: it waits up to 15 minutes for a guest agent that the image lacks: "
        "disable the agent",
    ),
    (
        one(VM, vmId=None),
        "vm-has-its-own-id: it takes whatever id is free, which races with others: set vmId",
    ),
    (
        one(IMAGE, checksum=None),
        "image-is-checked: it is used as it comes: set checksum to the image's SHA-256",
    ),
    (
        one(IMAGE, checksumAlgorithm="md5"),
        "image-is-checked: it has a weak checksum: set checksumAlgorithm to sha256",
    ),
    (
        one(COMMAND, connection={**CONNECTION, "hostKey": ""}),
        "command-knows-its-host: it sends secrets to whoever answers: set connection.hostKey",
    ),
    (
        one(COMMAND, connection={"host": "198.18.0.11", "perDialTimeout": 10}),
        "command-knows-its-host: it sends secrets to whoever answers: set connection.hostKey",
    ),
    (
        one(COMMAND, connection={**CONNECTION, "perDialTimeout": None}),
        "command-knows-its-host: it may hang on a dead address: set connection.perDialTimeout",
    ),
    (
        one(COMMAND, triggers=["x"]),
        "command-updates-in-place: it is replaced by its triggers, and the old one's delete undoes "
        "the new: use update",
    ),
    (
        one(COMMAND, logging="stdout"),
        "command-is-quiet: it writes its output to the log: set logging to none",
    ),
    (
        one(COMMAND, environment={"TOKEN": "x"}),
        "command-is-quiet: it puts values into the environment, which others can read: pass them "
        "on stdin",
    ),
    (
        one(COMMAND, addPreviousOutputInEnv=True),
        "command-is-quiet: it puts its last output into the environment: set "
        "addPreviousOutputInEnv to false",
    ),
    (
        one(RECORD, proxied=False),
        "record-hides-the-origin: it shows the origin's address to everybody: set proxied to true",
    ),
    (
        one(RECORD, ttl=300),
        "record-hides-the-origin: it has a TTL that a proxied record cannot have: set ttl to 1",
    ),
    (
        one(RECORD, content="100.64.0.10"),
        "record-hides-the-origin: it leads to 100.64.0.10, which the CDN cannot reach: use a "
        "public address",
    ),
    (
        one(SETTING, value="flexible"),
        "origin-is-encrypted: it lets the CDN speak plain HTTP to the origin (flexible): use full "
        "or strict",
    ),
    (
        one(SETTING, settingId="min_tls_version", value="1.0"),
        "origin-is-encrypted: it accepts TLS 1.0, which RFC 8996 forbids: use 1.2 or 1.3",
    ),
    (
        one(RELEASE, version="1.20"),
        "chart-is-pinned: it may install another chart tomorrow: set version to an exact one",
    ),
    (
        one(SERVICE, spec={"type": "NodePort"}),
        "service-keeps-the-client-address: it hides the client's address behind a node's: set "
        "externalTrafficPolicy to Local",
    ),
]


@pytest.mark.parametrize(("resource", "told"), FAULTS, ids=lambda each: str(each)[:60])
def test_a_fault_is_told_with_what_to_do(resource: Resource, told: str) -> None:
    assert violations([resource]) == [told]


def test_every_rule_speaks_in_some_fault() -> None:
    told = {line.partition(":")[0] for _, line in FAULTS}
    assert {rule.name for rule in rules.RULES} == told


def test_every_rule_is_in_the_documents() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    names = [rule.name for rule in (*rules.RULES, *STACK_RULES, *CHANGE_RULES)]
    assert len(set(names)) == len(names)
    assert [name for name in names if f"`{name}`" not in page] == []


def test_what_is_not_known_yet_is_no_fault() -> None:
    command = one(COMMAND)
    unknown = {key: value for key, value in command.properties.items() if key != "connection"}
    assert violations([Resource(type=COMMAND, name="it", properties=unknown)]) == []
    assert violations([one(SERVICE, spec=None), one(SETTING, value=None)]) == []


def test_a_rule_asks_only_what_it_concerns() -> None:
    routers = rules.Rule(
        name="it",
        description="Routers are told.",
        type=VM,
        check=lambda _: ["is told"],
        concerns=lambda vm: rules.has_role(vm, "router"),
    )
    assert list(routers.faults(one(VM, tags=["base", "router"]))) == ["is told"]
    assert list(routers.faults(one(VM, tags=["base", "worker"]))) == []
    assert list(routers.faults(one(VM, tags=None))) == []
    assert list(routers.faults(one(RELEASE))) == []


def vm(name: str, number: int, host: str, role: str) -> Resource:
    return Resource(
        type=VM,
        protect=True,
        name=name,
        properties={**SOUND[VM], "vmId": number, "nodeName": host, "tags": ["base", role]},
    )


def test_a_record_that_a_stack_asks_for_past_the_cdn_is_meant_to_be_seen() -> None:
    properties = {**SOUND[RECORD], "content": "10.0.0.25", "proxied": False, "ttl": 300}
    asked, other = (
        Resource(type=RECORD, name=name, properties=properties)
        for name in ("unproxied-mail.example.org-A-0a1b2c3d", "mail.example.org")
    )
    assert violations([asked]) == []
    assert len(violations([other])) == 3


LB_A, LB_B = (vm(f"lb-{letter}", ord(letter), "pve1", "balancer") for letter in "ab")
ELSEWHERE = vm("w-1", 3, "pve2", "worker")
TOGETHER: dict[str, tuple[list[Resource], list[str]]] = {
    "pairs-stand-apart": (
        [LB_A, LB_B, ELSEWHERE],
        ["lb-b stands on pve1 like lb-a: one host's loss takes both balancers"],
    ),
    "vm-ids-differ": (
        [vm("a", 7, "pve1", "worker"), vm("b", 7, "pve1", "worker")],
        ["b has the id 7, which is a's: give each its own"],
    ),
}
"""What breaks a rule over all resources, of `policy.rules`, and what it says."""


@pytest.mark.parametrize("rule", TOGETHER)
def test_a_fault_of_several_is_told_with_what_to_do(rule: str) -> None:
    resources, told = TOGETHER[rule]
    assert violations(resources) == [f"{rule}: {line}" for line in told]


def test_every_rule_over_all_resources_speaks_in_one() -> None:
    """Those of other modules: `BROKEN` in test_changes.py."""
    assert {rule.name for rule in STACK_RULES if rule in rules.STACK_RULES} == set(TOGETHER)


def test_a_pair_may_share_the_only_host() -> None:
    assert violations([LB_A, LB_B]) == []
    assert violations([LB_A, vm("r-a", 2, "pve1", "router"), vm("w", 3, "pve2", "x")]) == []
