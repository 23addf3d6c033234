"""One of three balancers that announce the service is in maintenance, by each daemon."""

from __future__ import annotations

import pytest

from components.loadbalancers import announce
from tests.components.announced_world import ROUTERS, build, load, requests, stack_of, ways_of
from tests.components.balancer_world import daemons
from tests.components.certificates import self_signed
from tests.components.router_world import inside, owner
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
COMM = {"frr": "bgpd", "bird": "bird"}


@pytest.mark.parametrize("daemon", COMM)
def test_it_is_led_nothing_until_nobody_else_serves(daemon: str) -> None:
    with World() as world:
        build(world, stack_of(daemon, away=("lb-b",)), self_signed("echo.lab.test"))
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 90)
        led(world, ["lb-a", "lb-c"], 90)
        before = requests(world)
        outcome = load(world, 3, kept=2).end()
        after = requests(world)
        assert outcome.lost == []
        assert after["lb-b"] == before["lb-b"]
        assert daemons(world, "lb-b", "haproxy"), "it keeps running"
        for name in ("lb-a", "lb-c"):
            assert inside(world, name, COMM[daemon], (announce.SCRIPT, "away")).returncode == 0
        led(world, ["lb-b"], 15)
        assert load(world, 2, kept=0).end().lost == []


def led(world: World, wanted: list[str], seconds: float) -> None:
    """Both routers lead requests to these."""
    for name in ROUTERS:
        until(lambda name=name: ways_of(world, name) == wanted, f"{name}: {wanted}", seconds)
