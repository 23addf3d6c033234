"""A balancer's leg that is lost while its link stays up: two balancers, real daemons.

One world for all tests, in the order written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from components.host.pair import watch
from tests.components import certificates
from tests.components.balancer_world import (
    MANAGEMENT,
    VIP,
    api,
    balancer_files,
    build,
    get,
    owner,
    stack_of,
    start_balancer,
    within,
)
from tests.components.felt import ended, stream
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
BALANCERS = ("lb-a", "lb-b")
GAP = 1.5
"""Seconds: the longest that a cut-off leg may be felt (docs/failures.md)."""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    with World() as world:
        world.nodes = build(world, site)  # type: ignore[attr-defined]
        for name in BALANCERS:
            start_balancer(world, name, balancer_files(stack_of(), name, site))
        until(lambda: owner(world) == "lb-a", "lb-a owns both VIPs", 40)
        until(lambda: get(world, "cdn")[0].get("status") == 200, "a request is answered", 40)
        yield world


@pytest.mark.parametrize("interface", ["eth1", "eth0"])
def test_a_balancer_cut_off_from_a_network_holds_no_vip_anywhere(
    net: World, interface: str
) -> None:
    asking = stream(net)
    net.cut("lb-a", interface)
    cut = time.monotonic()
    until(lambda: owner(net) == "lb-b", "lb-b alone owns both VIPs", 5)
    moved = time.monotonic() - cut
    time.sleep(1)
    seen = ended(asking, cut)
    print(f"{interface} of the owner cut: both VIPs moved in {moved:.2f} s; {seen}")

    assert max(moved, seen.longest) - seen.lag < GAP
    assert "state UP" in net.ip("lb-a", "link", "show", interface)
    assert get(net, "cdn")[0]["status"] == 200
    assert api(net, MANAGEMENT)["status"] == 200

    net.mend("lb-a", interface)
    until(lambda: owner(net) == "lb-a", "lb-a has both back", 30)


def test_two_balancers_that_do_not_hear_each_other_have_one_owner_in_the_end(net: World) -> None:
    net.cut("lb-b", "eth1")
    until(lambda: yields(net, "lb-b"), "lb-b, which sees nobody, yields", 8)
    until(lambda: "lb-b" not in holders(net), "lb-b holds nothing", 8)
    time_left = time.monotonic() + 3
    while time.monotonic() < time_left:
        assert owner(net) == "lb-a"
    net.mend("lb-b", "eth1")


def yields(world: World, name: str) -> bool:
    """Whether it has seen that it must. Until then it may hold what it hears nobody hold."""
    return within(world, name, "cat", watch.VERDICT).stdout.strip() not in ("", "0")


def holders(world: World) -> list[str]:
    """Who has any of the VIPs."""
    shown = {name: world.ip(name, "-4", "addr", "show") for name in BALANCERS}
    return [
        name for name, text in shown.items() if any(f"inet {v}/" in text for v in (VIP, MANAGEMENT))
    ]
