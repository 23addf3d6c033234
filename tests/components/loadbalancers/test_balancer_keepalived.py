"""keepalived of the balancers: one instance a group, and HAProxy watched from two sides."""

from __future__ import annotations

import re

import pytest

from components.host.pair import BACKUP_PRIORITY, OWNER_PRIORITY
from components.host.pair.keepalived import CHECK, CONFIG
from components.loadbalancers import haproxy, keepalived
from settings.models import Stack
from tests.components import checked, rendered, stacks

CASES = [("lab", "lb-a"), ("lab", "lb-b"), ("single", "lb-a"), ("two-groups", "lb-b")]
CASES += [("both-families", "lb-a")]
CASES += [("load-balancer-ip", "lb-a")]


def test_lan_and_management_vips_move_in_one_instance() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[CONFIG]

    assert text.count("vrrp_instance") == 1
    assert re.findall(r"(\S+)/32 dev (\S+)", text) == [
        ("198.18.10.10", "eth1"),
        ("198.18.0.10", "eth0"),
    ]
    assert re.findall(r"weight (\S+)", text) == ["0", "0", "0", "-60"]


def test_the_owner_of_each_group_has_the_higher_priority_there() -> None:
    stack = stacks.two_groups()
    first, second = (
        re.findall(r"    priority (\d+)", rendered.balancer_files(stack, name)[CONFIG])
        for name in ("lb-a", "lb-b")
    )

    assert (first, second) == (["250", "200"], ["200", "250"])


def test_a_vip_of_another_group_answers_through_its_own_gateway() -> None:
    text = rendered.balancer_files(stacks.two_groups(), "lb-b")[CONFIG]
    front, side = text.split("vrrp_instance ")[1:]

    assert "virtual_routes" not in front
    assert "virtual_rules" not in front
    assert "default via 198.18.10.4 dev eth1 table 1001\n" in side
    assert "198.18.10.0/24 dev eth1 scope link table 1001\n" in side
    assert "from 198.18.10.13/32 table 1001 preference 1001\n" in side


def test_preemption_follows_the_settings() -> None:
    config = stacks.lab_config()
    config["balancers"]["vrrp"] = {"preempt": False, "advert_interval": 0.25}
    text = rendered.balancer_files(Stack.model_validate(config), "lb-b")[CONFIG]

    assert "    nopreempt\n" in text
    assert "preempt_delay" not in text
    assert "advert_int 0.25  # disruptive" in text


def test_the_check_of_haproxy_asks_nothing_but_the_local_one() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")

    assert "/dev/tcp/127.0.0.1/8405" in files[keepalived.ALIVE]
    assert re.search(r"bind 127\.0\.0\.1:8405\n    monitor-uri /alive\n", files[haproxy.BASE])
    assert "monitor fail" not in files[haproxy.BASE]


def test_the_end_of_haproxy_is_told_by_its_own_unit() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    unit = files[haproxy.DROP_IN]

    assert f'    file "{keepalived.ENDS}"\n    weight 0\n' in files[CONFIG]
    assert f"ExecStopPost=-+{haproxy.ENDED}\n" in unit
    assert f"ExecStartPost=-/bin/sh -c 'echo 0 >{keepalived.ENDS}'\n" in unit
    assert f">{keepalived.ENDS}\n" in files[haproxy.ENDED]


def test_who_serves_less_is_worth_less_than_the_other_and_who_serves_nothing_more_than_nobody() -> (
    None
):
    weight = -keepalived.SERVES_WEIGHT

    assert OWNER_PRIORITY - weight < BACKUP_PRIORITY
    assert BACKUP_PRIORITY - weight < OWNER_PRIORITY - weight
    assert BACKUP_PRIORITY - weight >= 1


def test_a_balancer_alone_keeps_its_addresses_whatever_happens_to_haproxy() -> None:
    text = rendered.balancer_files(stacks.single(), "lb-a")[CONFIG]

    assert "track_script" not in text
    assert "track_file" not in text


@checked.real
@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_keepalived_takes_the_file_and_says_nothing(stack: str, balancer: str) -> None:
    whole = rendered.balancer_whole(stacks.NAMED[stack](), balancer)

    said = checked.judge(CHECK, rendered.balancer_files(stacks.NAMED[stack](), balancer), whole)

    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@checked.real
def test_keepalived_refuses_a_check_script_that_is_not_there() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    del files[keepalived.ALIVE]

    said = checked.judge(CHECK, files, rendered.balancer_whole(stacks.lab(), "lb-a"))

    assert said.returncode != 0
    assert "track script haproxy-alive since not found" in said.stderr
