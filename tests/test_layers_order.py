"""What waits for which layer in the whole program, and what need not."""

from __future__ import annotations

from tests import whole
from tests.components.mocks import Registered


def awaited(plan: Registered, name: str) -> set[str]:
    """The names of everything that has ended when a command begins; what is inside a component
    begins after what the component waits for."""
    by_urn = {each.urn: each for each in plan.resources}
    (first,) = (each for each in plan.resources if each.custom and each.name == name)
    found: set[str] = set()
    new = {first.urn}
    while new:
        found |= new
        told = [by_urn[urn] for urn in new if urn in by_urn]
        new = {urn for each in told for urn in (*each.dependencies, each.parent) if urn} - found
    return {by_urn[urn].name for urn in found if urn in by_urn} - {name}


def test_packages_come_to_nodes_beside_the_balancers_and_a_cluster_only_after_them() -> None:
    plan = whole.planned("lab")
    bases, baselines = {"lb-a-base", "lb-b-base"}, {"cp-1-baseline", "router-a-routers"}

    for node in ("cp-1", "worker-1", "worker-2"):
        assert baselines <= awaited(plan, f"{node}-node")
        assert not bases & awaited(plan, f"{node}-node")
    for later in ("cp-1-control-plane", "worker-1-join", "cp-1-upgrade", "worker-2-upgrade"):
        assert bases <= awaited(plan, later)
