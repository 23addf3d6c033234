"""Restarts of machines in maintenance, as a preview of a whole stack shows them."""

from __future__ import annotations

from itertools import pairwise

from tests import whole
from tests.components.mocks import Registered
from tests.test_node_maintenance_plan import COMMAND, before

RESTART = "layered-cloud:machines:Restart"
NAMES = ("router-a", "lb-a", "worker-1")


def test_each_that_is_named_is_asked_about_before_it_is_noted() -> None:
    seen = whole.planned("maintained")
    assert seen.names(RESTART) == [f"{name}-restart" for name in NAMES]
    for name in NAMES:
        made = seen.one(RESTART, f"{name}-restart")
        assert made.before_create == made.before_update == ("restarts-restarting",)
        assert made.inputs["machine"] == name
        # It comes after what it has the URN of.
        spared = seen.one(COMMAND, f"{name}-spared")
        assert made.inputs["after"] == spared.urn
        assert spared.before_create == spared.before_update == ("restarts-noting",)


def test_nothing_is_restarted_before_it_is_out_of_use() -> None:
    seen = whole.planned("maintained")
    needed = {"lb-a-routes", "lb-b-routes", "worker-1-maintenance-drain", "router-a"}
    for name in NAMES:
        assert needed <= before(seen, f"{name}-spared")


def test_one_is_well_before_the_next_is_touched() -> None:
    seen = whole.planned("maintained")
    for former, latter in pairwise(NAMES):
        assert f"{former}-well" in before(seen, f"{latter}-spared")
        well = seen.one(COMMAND, f"{former}-well")
        assert well.parent == seen.one(RESTART, f"{former}-restart").urn


def test_another_size_asks_again() -> None:
    workers = whole.shipped("lab")["layered-cloud:cluster"]["workers"]
    named = {"maintenance": {"machines": ["worker-1"]}}

    def asked(seen: Registered) -> object:
        return seen.one(RESTART, "worker-1-restart").inputs["memory"]

    plain = whole.registered(whole.config_of("lab", named))
    workers[0]["memory"] = 4096
    more = whole.registered(whole.config_of("lab", {**named, "cluster": {"workers": workers}}))
    assert asked(plain) != asked(more) == 4096


def test_an_appliance_is_restarted_by_hand() -> None:
    stack, over = whole.VARIANTS["vyos"]
    routers = {**over["routers"], "vrrp": {"preempt": True}}
    named = {"maintenance": {"machines": ["router-a", "lb-a"]}}
    seen = whole.registered(whole.config_of(stack, {**over, "routers": routers, **named}))
    assert seen.names(RESTART) == ["lb-a-restart"]
