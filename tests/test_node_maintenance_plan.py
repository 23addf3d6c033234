"""Nodes in maintenance, as a preview of a whole stack shows them: what comes before what."""

from __future__ import annotations

from tests import whole
from tests.components.mocks import Registered

COMMAND = "command:remote:Command"
NAMES = ["worker-1-maintenance", "worker-1-maintenance-drain"]
RESTARTED = ("router-a", "lb-a", "worker-1")
"""Asked about in the end (`test_restarts_plan.py`)."""


def before(seen: Registered, later: str) -> set[str]:
    """Every resource that has ended when `later` begins."""
    by_urn = {each.urn: each for each in seen.resources}
    found: set[str] = set()
    new = [seen.one(COMMAND, later)]
    while new:
        told = new.pop().dependencies
        fresh = [by_urn[urn] for urn in told if urn in by_urn and by_urn[urn].name not in found]
        found |= {each.name for each in fresh}
        new += fresh
    return found


def test_a_stack_with_nobody_in_maintenance_has_no_resource_more() -> None:
    plain, told = whole.planned("lab"), whole.planned("maintained")
    both = [{(each.type, each.name, each.urn) for each in plan.resources} for plan in (plain, told)]
    assert not both[0] - both[1]
    asked = {f"{each}-{what}" for each in RESTARTED for what in ("spared", "restart", "well")}
    more = {"maintenance", *NAMES, "restarts", *asked}
    assert {name for _, name, _ in both[1] - both[0]} == more


def test_urns_are_frozen() -> None:
    """Another one would uncordon the node and cordon it again."""
    seen = whole.planned("maintained")
    kind = "layered-cloud:cluster:Maintenance$command:remote:Command"
    for name in NAMES:
        assert seen.one(COMMAND, name).urn.endswith(f"::{kind}::{name}")


def test_no_pod_leaves_before_the_balancers_lead_nothing_to_its_node() -> None:
    seen = whole.planned("maintained")
    assert {"lb-a-routes", "lb-b-routes"} <= before(seen, NAMES[0])
    assert NAMES[0] in before(seen, NAMES[1])
    after = {each.name for each in seen.of_type(COMMAND) if NAMES[1] in before(seen, each.name)}
    restarts = {f"{each}-{what}" for each in RESTARTED for what in ("spared", "well")}
    assert after <= restarts, "somebody waits for a drain"


def test_all_are_cordoned_before_the_first_is_drained_and_drains_follow_each_other() -> None:
    """No pod moves to a node that is drained next, and no drain waits for another one's lock."""
    seen = whole.registered(
        whole.config_of("lab", {"maintenance": {"machines": ["worker-2", "worker-1"]}})
    )
    names = [f"worker-{number}-maintenance" for number in (1, 2)]
    for each in names:
        assert set(names) <= before(seen, f"{each}-drain")
        assert not {*names, *(f"{other}-drain" for other in names)} & before(seen, each)
    assert f"{names[0]}-drain" in before(seen, f"{names[1]}-drain")
