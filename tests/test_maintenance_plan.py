"""What a preview shows of machines in maintenance: the machines' own pushes, and who holds what."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

from components.host.pair.keepalived import CONFIG
from components.host.pair.watch import CONFIG as LEGS
from components.loadbalancers import component
from tests import whole
from tests.components.mocks import Registered


def test_only_the_balancer_that_is_named_is_told_of_it() -> None:
    plain, plan = whole.planned("lab"), whole.planned("maintained")

    before, after = files(plain, "lb-a-base"), files(plan, "lb-a-base")
    assert "    priority 250\n" in before[CONFIG]["content"]
    assert "    priority 10\n" in after[CONFIG]["content"]
    assert '"drains": true' in after[LEGS]["content"]
    assert files(plain, "lb-b-base") == files(plan, "lb-b-base")


def test_who_holds_the_addresses_is_an_output() -> None:
    owners = whole.planned("maintained").value["owners"]

    assert {role: list(held.values()) for role, held in owners.items()} == {
        "routers": ["router-b"],
        "balancers": ["lb-b"],
    }


def test_the_balancers_are_told_for_their_base_and_for_their_routes() -> None:
    with mock.patch.object(component, "_pair", side_effect=component._pair) as pair:
        whole.registered(whole.config_of(*whole.VARIANTS["maintained"]))

    assert [list(call.args[2]) for call in pair.call_args_list] == [
        ["router-a", "lb-a", "worker-1"]
    ] * 2


def files(plan: Registered, name: str) -> Any:
    (pushed,) = (each for each in plan.resources if each.name == name and each.custom)
    return json.loads(pushed.inputs["stdin"])["request"]["files"]
