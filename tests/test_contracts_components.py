"""What every component class owes, whoever writes it: found by walking the packages."""

from __future__ import annotations

import inspect
import re

import pulumi
import pytest

from tests import whole

TOKENS = {
    "BalancersBase": "layered-cloud:loadbalancers:Base",
    "BalancersRoutes": "layered-cloud:loadbalancers:Routes",
    "CdnRanges": "layered-cloud:cdn:Ranges",
    "CdnRecords": "layered-cloud:cdn:Records",
    "Certificate": "layered-cloud:cdn:Certificate",
    "OriginPulls": "layered-cloud:cdn:OriginPulls",
    "Cluster": "layered-cloud:cluster:Cluster",
    "Founding": "layered-cloud:cluster:Founding",
    "Release": "layered-cloud:cluster:Release",
    "Maintenance": "layered-cloud:cluster:Maintenance",
    "Machines": "layered-cloud:machines:Machines",
    "Platform": "layered-cloud:platform:Platform",
    "Restart": "layered-cloud:machines:Restart",
    "Restarts": "layered-cloud:machines:Restarts",
    "Routers": "layered-cloud:routers:Routers",
}
"""Type tokens are part of every URN in every state: a changed one needs an alias in the class, and
its row here. A class may move and be renamed freely as long as its token stays."""

UNREGISTERED: dict[str, str] = {
    "Platform.there": "a resource to wait for, and no value",
}
"""`Class.attribute` of an Output that is not registered, and why."""


def classes() -> list[type[pulumi.ComponentResource]]:
    found = {
        member
        for module in whole.modules()
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, pulumi.ComponentResource) and member.__module__ == module.__name__
    }
    return sorted(found, key=lambda each: each.__name__)


def outputs(of: type) -> set[str]:
    """Public attributes annotated as an Output of some kind."""
    return {
        name
        for base in of.__mro__
        if base.__module__.startswith("components.")
        for name, annotation in vars(base).get("__annotations__", {}).items()
        if not name.startswith("_") and re.search(r"\bOutput\[", str(annotation))
    }


def instances(of: type) -> list[tuple[whole.Plan, whole.Made]]:
    """Every object of a class that the shipped stacks and their variants make."""
    return [
        (plan, made)
        for plan in map(whole.plan, (*whole.STACKS, *whole.VARIANTS))
        for made in plan.made
        if type(made.resource) is of
    ]


each_class = pytest.mark.parametrize("of", classes(), ids=lambda of: of.__name__)


def test_no_two_components_have_one_name_and_none_is_gone() -> None:
    assert [each.__name__ for each in classes()] == sorted(TOKENS)


@each_class
def test_a_token_is_frozen(of: type[pulumi.ComponentResource]) -> None:
    assert {made.type for _, made in instances(of)} == {TOKENS[of.__name__]}


@each_class
def test_every_output_is_registered(of: type[pulumi.ComponentResource]) -> None:
    wrong = set()
    for plan, made in instances(of):
        urn = plan.registration(made.type, made.name).urn
        assert urn in plan.registered.outputs, f"{made.name}: register_outputs is not called"
        wrong |= outputs(of) - set(plan.registered.outputs[urn])
    assert {name for name in wrong if f"{of.__name__}.{name}" not in UNREGISTERED} == set()


@each_class
def test_children_are_its_own(of: type[pulumi.ComponentResource]) -> None:
    """Whatever a constructor makes hangs below its component, not beside it."""
    wrong = []
    for plan, made in instances(of):
        urn = plan.registration(made.type, made.name).urn
        parents = {each.urn: each.parent for each in plan.registered.resources}
        registered = {(each.type, each.name) for each in plan.registered.resources}
        for child in plan.made:
            if child.within != (made.type, made.name):
                continue
            # What is read (`get`) is not registered and has no parent to be seen here.
            if (child.type, child.name) in registered:
                above = plan.registration(child.type, child.name).parent
                while above and above != urn:
                    above = parents.get(above, "")
                if not above:
                    wrong.append(f"{child.name} ({child.type})")
    assert wrong == []


@each_class
def test_a_docstring_says_what_is_promised_left_out_and_raised(
    of: type[pulumi.ComponentResource],
) -> None:
    """A class that raises nothing of its own says that."""
    said = (inspect.getdoc(of) or "") if "__doc__" in vars(of) else ""
    missing = [word for word in ("Promises", "Leaves out", "Raises") if word not in said]
    assert missing == []
