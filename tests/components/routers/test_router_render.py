"""Whole rendered files of the routers, and what must hold in all of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from components.routers import render
from settings.models import Stack
from tests.components import rendered, stacks
from tests.golden_files import assert_golden

STACKS = {"lab": stacks.lab, "single": stacks.single, "two-groups": stacks.two_groups}
CASES = [("lab", "router-a"), ("lab", "router-b"), ("single", "router-a")]
CASES += [("two-groups", "router-a"), ("two-groups", "router-b")]


@pytest.mark.parametrize(("stack", "router"), CASES)
def test_every_file_of_a_router_is_what_was_read_and_agreed(stack: str, router: str) -> None:
    for path, text in rendered.router_files(STACKS[stack](), router).items():
        assert_golden(f"routers/{stack}/{router}{path}", text)


def test_a_single_router_has_no_conntrackd_and_no_peer() -> None:
    files = rendered.router_files(stacks.single(), "router-a")

    assert render.CONNTRACKD not in files
    assert render.HEALTH_SOCKET not in files
    assert "unicast_peer" not in files[render.KEEPALIVED]
    assert "notify_master" not in files[render.KEEPALIVED]
    assert "ip protocol 112 accept" not in files[render.FIREWALL]
    assert "conntrackd" not in files[render.KEEPALIVED_DROP_IN]


def test_conntrackd_of_a_single_router_is_refused() -> None:
    model = rendered.routers_model(stacks.single())

    with pytest.raises(ValueError, match="router-a has nobody to replicate its connections to"):
        render.conntrackd(model, model.router("router-a"))


def test_an_empty_cdn_set_is_never_rendered() -> None:
    model = rendered.routers_model(stacks.lab())

    with pytest.raises(ValueError, match="the CDN's ranges must not be empty"):
        render.firewall(model, model.router("router-a"), ())


def test_the_firewall_is_one_transaction_over_its_own_table_alone() -> None:
    text = rendered.router_files(stacks.lab(), "router-a")[render.FIREWALL]

    assert text.count("\ntable inet layered {") == 1
    assert text.index("table inet layered\ndelete table inet layered\n") < text.index(
        "table inet layered {"
    )
    assert "flush ruleset" not in text
    assert re.findall(r"hook (input|forward) priority filter; policy (\w+);", text) == [
        ("input", "drop"),
        ("forward", "drop"),
    ]


def test_only_the_cdn_is_forwarded_and_nothing_that_comes_in_loses_its_source() -> None:
    text = rendered.router_files(stacks.lab(), "router-a")[render.FIREWALL]
    dnat = [line for line in text.splitlines() if " dnat ip to " in line]
    snat = [line for line in text.splitlines() if " snat ip to " in line]

    assert len(dnat) == 2
    assert 'iifname "eth2" ip saddr @cdn4 ip daddr @public4 tcp dport @public_ports' in dnat[0]
    assert 'iifname "eth1" ip saddr 198.18.10.0/24 ip daddr @public4' in dnat[1]
    assert all("ip saddr 198.18.10.0/24" in line for line in snat)
    assert snat[0].endswith("ct status dnat snat ip to 198.18.10.1")
    assert snat[1].endswith("snat ip to 203.0.113.10")


def test_the_segments_size_follows_the_smaller_of_wan_and_lan() -> None:
    config = stacks.lab_config()
    config["networks"]["wan"]["mtu"] = 1492
    text = rendered.router_files(Stack.model_validate(config), "router-a")[render.FIREWALL]

    assert text.count("tcp option maxseg size set 1452") == 2


def test_the_owner_has_the_higher_priority_and_nobody_has_weights() -> None:
    stack = stacks.lab()
    owner, backup = (
        rendered.router_files(stack, name)[render.KEEPALIVED] for name in ("router-a", "router-b")
    )

    assert re.findall(r"    priority (\d+)", owner) == ["150", "150"]
    assert re.findall(r"    priority (\d+)", backup) == ["100", "100"]
    assert not re.search(r"^\s*weight", owner + backup, re.MULTILINE)
    assert re.findall(r"state (\w+)", owner + backup) == ["BACKUP"] * 4


def test_both_routers_say_alike_what_they_must_and_name_each_other() -> None:
    stack = stacks.lab()
    texts = [
        rendered.router_files(stack, name)[render.KEEPALIVED] for name in ("router-a", "router-b")
    ]
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
    config = stacks.lab_config()
    config["routers"]["vrrp"] = {"preempt": False}
    never = rendered.router_files(Stack.model_validate(config), "router-a")[render.KEEPALIVED]
    config["routers"]["vrrp"] = {"preempt_delay": 0, "advert_interval": 1}
    at_once = rendered.router_files(Stack.model_validate(config), "router-a")[render.KEEPALIVED]

    assert never.count("nopreempt") == 2
    assert "preempt_delay" not in never
    assert "preempt" not in at_once
    assert at_once.count("advert_int 1  # disruptive") == 2


def test_with_two_groups_each_router_translates_to_its_own() -> None:
    stack = stacks.two_groups()
    first, second = (
        rendered.router_files(stack, name)[render.FIREWALL] for name in ("router-a", "router-b")
    )

    assert "snat ip to 203.0.113.10" in first
    assert "snat ip to 203.0.113.11" in second
    assert "snat ip to 198.18.10.1\n" in first
    assert "snat ip to 198.18.10.4\n" in second
    assert "{ 203.0.113.10 : 198.18.10.10, 203.0.113.11 : 198.18.10.13 }" in first


def test_what_another_group_let_in_does_not_leave_by_the_first_ones_gateway() -> None:
    both = rendered.routers_model(stacks.two_groups())

    assert both.ways_back == {IPv4Address("198.18.10.13"): IPv4Address("198.18.10.4")}
    assert rendered.routers_model(stacks.lab()).ways_back == {}


def test_conntrackd_ignores_the_routers_own_and_never_the_balancers() -> None:
    text = rendered.router_files(stacks.lab(), "router-a")[render.CONNTRACKD]
    ignored = text[text.index("Address Ignore") :]

    for address in ("203.0.113.2", "203.0.113.3", "203.0.113.10", "198.18.10.1", "198.18.20.3"):
        assert f"IPv4_address {address}\n" in ignored
    assert "198.18.10.10\n" not in ignored


def test_every_range_of_the_cdn_stands_in_the_set() -> None:
    model = rendered.routers_model(stacks.lab())
    ranges = (IPv4Network("192.0.2.0/25"), IPv4Network("198.51.100.0/24"))
    text = render.firewall(model, model.router("router-a"), ranges)

    assert re.search(r"elements = \{\s+192\.0\.2\.0/25,\s+198\.51\.100\.0/24\s+\}", text)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("path", sorted(render.EXECUTABLE))
def test_the_scripts_pass_shellcheck(path: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(rendered.router_files(stacks.lab(), "router-a")[path])

    said = subprocess.run(
        ["shellcheck", "--severity=style", str(script)], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout) == (0, "")
