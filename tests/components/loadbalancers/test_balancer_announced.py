"""Three balancers announce the service to two routers, by each daemon: who is led what, and what it
costs when one of them goes.

One world a daemon for all tests, in the order written. What is printed stands in
docs/loadbalancers.md.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from components.loadbalancers import announce
from tests.components.announced_world import (
    BALANCERS,
    ROUTERS,
    VIP,
    build,
    load,
    requests,
    stack_of,
    ways_of,
)
from tests.components.balancer_world import daemons
from tests.components.certificates import self_signed
from tests.components.router_world import inside, owner
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
ALL = list(BALANCERS)
COMM = {"frr": "bgpd", "bird": "bird"}


@dataclass(frozen=True)
class Net:
    world: World
    daemon: str

    def everywhere(self, wanted: list[str], seconds: float = 15) -> None:
        """Both routers lead requests to these balancers and no other."""
        for name in ROUTERS:
            until(
                lambda name=name: ways_of(self.world, name) == wanted, f"{name}: {wanted}", seconds
            )


@pytest.fixture(scope="module", params=["frr", "bird"])
def net(request: pytest.FixtureRequest) -> Iterator[Net]:
    with World() as world:
        build(world, stack_of(request.param), self_signed("echo.lab.test"))
        made = Net(world, request.param)
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 90)
        made.everywhere(ALL, 90)
        yield made


def test_requests_are_shared_among_all_of_them(net: Net) -> None:
    before = requests(net.world)
    outcome = load(net.world, 4, kept=0).end()
    after = requests(net.world)
    had = {name: after[name] - before[name] for name in ALL}
    print(f"{net.daemon}: shared out: {had}; {outcome}")

    assert outcome.lost == []
    assert sum(had.values()) == len(outcome.told)
    assert min(had.values()) > len(outcome.told) // 10


def test_nothing_but_the_service_is_believed(net: Net) -> None:
    net.world.ip("lb-c", "addr", "add", "198.18.30.9/32", "dev", "lo")
    time.sleep(1)

    for name in ROUTERS:
        assert "198.18.30.9" not in net.world.ip(name, "route", "show")
    net.everywhere(ALL)
    net.world.ip("lb-c", "addr", "del", "198.18.30.9/32", "dev", "lo")


def test_one_that_leaves_loses_no_request_and_no_connection_of_the_others(net: Net) -> None:
    under_way = load(net.world, 6, kept=12)
    time.sleep(1)
    began = time.monotonic()
    assert ran(net, "lb-b", announce.SCRIPT, "away") == 0
    net.everywhere(["lb-a", "lb-c"], 5)
    print(f"{net.daemon}: left: its way went after {time.monotonic() - began:.2f} s")

    outcome = under_way.end()
    print(f"{net.daemon}: left: {outcome}")
    assert outcome.lost == []
    assert outcome.closed == 0


def test_the_other_router_leads_a_connection_to_the_same_balancer(net: Net) -> None:
    """While lb-b has left, so that its connections go there by their marks alone."""
    back(net)
    under_way = load(net.world, 9, kept=12)
    time.sleep(1)
    assert ran(net, "lb-b", announce.SCRIPT, "away") == 0
    net.everywhere(["lb-a", "lb-c"], 5)
    net.world.cut("router-a", "eth2")
    until(lambda: owner(net.world) == "router-b", "router-b has the addresses", 10)

    outcome = under_way.end()
    print(f"{net.daemon}: the other router: {outcome}")
    assert outcome.closed == 0
    net.world.mend("router-a", "eth2")
    until(lambda: owner(net.world) == "router-a", "router-a has them back", 60)


def test_what_it_has_begun_it_finishes_before_it_ends(net: Net) -> None:
    """Each request takes two seconds; HAProxy is told to stop, as its unit tells it."""
    back(net)
    under_way = load(net.world, 4, path="/hold", kept=0)
    time.sleep(1.5)
    assert ran(net, "lb-b", announce.SCRIPT, "away") == 0
    os.kill(daemons(net.world, "lb-b", "haproxy")[0], signal.SIGUSR1)

    outcome = under_way.end()
    print(f"{net.daemon}: stopped: {outcome}")
    assert outcome.lost == []
    net.everywhere(ALL, 30)


def test_one_whose_haproxy_is_killed_is_left_at_once(net: Net) -> None:
    under_way = load(net.world, 5)
    time.sleep(1)
    began = time.monotonic()
    for pid in daemons(net.world, "lb-b", "haproxy"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: ways_of(net.world, "router-a") == ["lb-a", "lb-c"], "router-a has left lb-b", 5)
    print(f"{net.daemon}: killed: its way went after {time.monotonic() - began:.2f} s")

    outcome = under_way.end()
    print(f"{net.daemon}: killed: {outcome}")
    assert not [each for each in outcome.lost if each[0] > 3]
    net.everywhere(ALL, 30)


def test_one_that_does_not_answer_is_left_and_taken_back(net: Net) -> None:
    pids = daemons(net.world, "lb-a", "haproxy")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    net.everywhere(["lb-b", "lb-c"], 8)
    print(f"{net.daemon}: frozen: its way went after {time.monotonic() - began:.2f} s")
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    net.everywhere(ALL, 30)


def test_one_that_is_cut_off_costs_what_bfd_takes(net: Net) -> None:
    under_way = load(net.world, 8)
    time.sleep(1)
    net.world.cut("lb-c", "eth1")
    began = time.monotonic()
    net.everywhere(["lb-a", "lb-b"], 8)
    print(f"{net.daemon}: cut off: its way went after {time.monotonic() - began:.2f} s")

    outcome = under_way.end()
    print(f"{net.daemon}: cut off: {outcome}")
    # What began before the way had gone waits for the end of the client's patience.
    assert not [each for each in outcome.lost if each[0] > 6]
    net.world.mend("lb-c", "eth1")
    net.everywhere(ALL, 30)


def test_without_any_callers_are_told_at_once(net: Net) -> None:
    for name in ALL:
        assert ran(net, name, announce.SCRIPT, "away") == 0
    net.everywhere([], 8)

    for name in ROUTERS:
        assert f"unreachable {VIP}" in net.world.ip(name, "route", "show")


def ran(net: Net, balancer: str, *argv: str) -> int:
    """The status of a program beside a balancer's daemons."""
    return inside(net.world, balancer, COMM[net.daemon], argv).returncode


def back(net: Net) -> None:
    """As when HAProxy's unit starts it again."""
    for name in ALL:
        ran(net, name, "rm", "-f", announce.AWAY)
    net.everywhere(ALL, 30)
