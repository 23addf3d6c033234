"""keepalived of the routers: two instances a group that move together, alike on both routers."""

from __future__ import annotations

import re

import pytest

from components.host.pair.keepalived import CHECK, CONFIG
from components.routers.linux import keepalived
from settings.models import Stack
from tests.components import checked, rendered, stacks


def config(stack: Stack, router: str = "router-a") -> str:
    return rendered.router_files(stack, router)[CONFIG]


def test_the_owner_has_the_higher_priority_and_nobody_has_weights() -> None:
    owner, backup = config(stacks.lab(), "router-a"), config(stacks.lab(), "router-b")

    assert re.findall(r"    priority (\d+)", owner) == ["250", "250"]
    assert re.findall(r"    priority (\d+)", backup) == ["200", "200"]
    assert set(re.findall(r"weight (\S+)", owner + backup)) == {"0"}
    assert re.findall(r"state (\w+)", owner + backup) == ["BACKUP"] * 4


def test_both_routers_say_alike_what_they_must_and_name_each_other() -> None:
    texts = [config(stacks.lab(), name) for name in ("router-a", "router-b")]
    shared = [
        re.findall(r"(?:virtual_router_id|advert_int) \S+|\S+/32", text, re.MULTILINE)
        for text in texts
    ]
    ends = [
        list(zip(re.findall(r"unicast_src_ip (\S+)", text), peers(text), strict=True))
        for text in texts
    ]

    assert shared[0] == shared[1]
    assert ends[0] == [("203.0.113.2", "203.0.113.3"), ("198.18.10.2", "198.18.10.3")]
    assert ends[1] == [(peer, own) for own, peer in ends[0]]


def peers(text: str) -> list[str]:
    return re.findall(r"unicast_peer \{\s+(\S+)\s+\}", text)


def test_preemption_follows_the_settings() -> None:
    given = stacks.lab_config()
    given["routers"]["vrrp"] = {"preempt": False}
    never = config(Stack.model_validate(given))
    given["routers"]["vrrp"] = {"preempt_delay": 0, "advert_interval": 1}
    at_once = config(Stack.model_validate(given))

    assert never.count("nopreempt") == 2
    assert "preempt_delay" not in never
    assert "preempt" not in at_once
    assert at_once.count("advert_int 1  # disruptive") == 2


def test_a_changed_failover_script_is_seen_by_its_daemon() -> None:
    model = rendered.routers_model(stacks.lab())
    part = keepalived.part(model, model.member("router-a"))

    assert keepalived.FAILOVER in part.checks[0].watches
    assert keepalived.FAILOVER in part.services[0].watches
    assert [port.network for port in part.ports] == ["wan", "lan"]


@checked.real
@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (
            "virtual_router_id 61",
            "virtual_router_id 461",
            "VRID '461' not valid - must be between 1 & 255",
        ),
        ("interface eth2", "interface eth7", "eth7"),
    ],
)
def test_keepalived_refuses_a_broken_file(right: str, wrong: str, words: str) -> None:
    whole = rendered.router_whole(stacks.lab(), "router-a")
    files = rendered.router_files(stacks.lab(), "router-a")
    files[CONFIG] = files[CONFIG].replace(right, wrong)

    said = checked.judge(CHECK, files, whole)

    assert said.returncode != 0
    assert words in said.stderr
