"""keepalived of the balancers: one instance a group, and HAProxy watched from two sides."""

from __future__ import annotations

import itertools
import re

import pytest

from components.host.pair.keepalived import CHECK, CONFIG
from components.loadbalancers import announce, haproxy, keepalived
from settings.models import Stack
from tests.components import checked, rendered, stacks

CASES = [("lab", "lb-a"), ("lab", "lb-b"), ("single", "lb-a"), ("two-groups", "lb-b")]
CASES += [("both-families", "lb-a")]
CASES += [("load-balancer-ip", "lb-a"), ("routes", "lb-a"), ("maintained", "lb-a")]


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


SERVES, OWN = "haproxy-serves", "haproxy-own"
HAVE_OWN = ["routes", "services", "maintained"]
"""Stacks with a route, a service and TCP routes that lead to servers of their own."""


def worth(stack: str, balancer: str) -> dict[frozenset[str], int]:
    """The priority by what is lacking, of every set that its own file knows."""
    text = rendered.balancer_files(stacks.NAMED[stack](), balancer)[CONFIG]
    (priority,) = re.findall(r"    priority (\d+)", text)
    weights = {
        name: int(weight)
        for name, weight in re.findall(r"vrrp_script (\S+)-\w+ \{[^}]*weight (-\d+)\n", text)
    }
    return {
        frozenset(lacking): int(priority) + sum(weights[each] for each in lacking)
        for count in range(len(weights) + 1)
        for lacking in itertools.combinations(weights, count)
    }


def loss(lacking: frozenset[str]) -> tuple[bool, bool]:
    """The more is lost, the greater: the ingress and the API before all else."""
    return SERVES in lacking, OWN in lacking


@pytest.mark.parametrize(("stack", "states"), [("lab", 2), ("routes", 4), ("services", 4)])
def test_the_balancer_that_serves_more_holds_the_addresses_and_the_owner_where_both_do_alike(
    stack: str, states: int
) -> None:
    owner, backup = worth(stack, "lb-a"), worth(stack, "lb-b")

    assert len(owner) == len(backup) == states
    for (ours, first), (theirs, second) in itertools.product(owner.items(), backup.items()):
        assert (first > second) == (loss(ours) <= loss(theirs)), (ours, theirs)
        assert 1 <= second <= 254
        assert 1 <= first <= 254
        assert first != second


def test_one_in_maintenance_is_preferred_to_nobody_whatever_the_other_one_lacks() -> None:
    away, *_ = worth("maintained", "lb-a").values()

    assert away >= 1
    assert all(each > away for each in worth("maintained", "lb-b").values())


@pytest.mark.parametrize("stack", HAVE_OWN)
def test_what_has_servers_of_its_own_is_asked_for_like_the_ingress_but_apart(stack: str) -> None:
    stack_ = stacks.NAMED[stack]()
    for name, role, rise, fall in (("lb-a", "owner", 4, 4), ("lb-b", "backup", 10, 1)):
        files = rendered.balancer_files(stack_, name)
        asked = re.findall(
            r"vrrp_script (\S+) \{[^}]*script \"(\S+)\"[^}]*rise (\d+)\n    fall (\d+)\n(.*)",
            files[CONFIG],
        )[1:]  # but for the first, whether HAProxy answers
        tracked = files[CONFIG].partition("track_script {")[2].partition("}")[0].split()[1:]

        assert asked == [
            (f"{SERVES}-{role}", keepalived.SERVES, str(rise), str(fall), "    init_fail"),
            (f"{OWN}-{role}", keepalived.OWN, str(rise), str(fall), "}"),
        ]
        assert tracked == [each[0] for each in asked]
        assert "GET /own " in files[keepalived.OWN]


def test_where_all_is_the_ingress_nothing_else_is_asked_for() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")

    assert keepalived.OWN not in files
    assert OWN not in files[CONFIG]
    assert "/own" not in files[haproxy.ROUTES]


def test_an_address_that_all_announce_stays_where_one_application_is_lost() -> None:
    config = stacks.announced().model_dump(mode="json")
    config["balancers"]["tcp_routes"] = [{"name": "mail", "port": 25, "node_port": 30025}]
    stack = Stack.model_validate(config)
    for name in ("lb-a", "lb-c"):
        files = rendered.balancer_files(stack, name)

        assert "GET /serves " in files[announce.SCRIPT]
        assert "/own" not in files[announce.SCRIPT]
        assert keepalived.OWN not in files
        assert OWN not in files.get(CONFIG, "")


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
