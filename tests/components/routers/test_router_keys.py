"""No key of the routers is dropped in silence: each kind keeps it, or refuses it.

That a kind keeps a key shows in what it makes: with another value of it, something that goes to a
machine differs. The stacks are those that the kind's golden files are rendered for.
"""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.routers.kinds import KINDS
from settings.checks import routers_kind
from settings.checks.routers_kind import Asks, kinds_can_do_what_is_asked
from settings.models import ConnectionLimits, Routers, Stack
from settings.reference import every_key
from tests.components import rendered, stacks
from tests.components.mocks import run_program
from tests.components.other_values import others, places

OTHERS = {
    "kind": "chooses who is asked here",
    "image": "the machines' layer: what disks start from; `Asks.image` says who may have it",
    "host_keys": "the machines' layer: whom a connection believes; `Asks.host_keys`",
    "machines": "the machines' layer: what Proxmox makes; refused by `Asks.physical`",
    "physical": "the machines' layer: what is in the rack; refused unless `Asks.physical`",
    "vips[].routed": "the settings' checks: whose an address is",
}
"""Keys below `routers` that no kind's text has to keep, and who reads them."""
BY_IPV6 = ("vips[].wan6", "vips[].lan6")
"""Refused with `networks.wan.cidr6` where `Asks.ipv6` is not said (settings/checks/ipv6.py)."""

LEAVES = [
    path.removeprefix("routers.")
    for path, key in every_key().items()
    if path.startswith("routers.") and key.model is None
]


def covered(leaf: str, keys: Any) -> bool:
    """Whether a key, or a section that it stands in, is among the keys."""
    return any(f"{leaf}.".startswith((f"{key}.", f"{key}[].")) for key in keys)


@cache
def configs(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """The stacks of the golden files that choose the kind, as a file would have them."""
    made = ((name, make()) for name, make in stacks.NAMED.items())
    return [(name, s.model_dump(mode="json")) for name, s in made if s.routers.kind == kind]


def sent(config: dict[str, Any]) -> Any:
    """Everything that the kind registers for a stack; None if the settings' types refuse it, or
    the layer itself does."""
    try:
        stack = Stack.model_validate(config)
        args = rendered.routers_args(stack)
    except (ValidationError, KeyError, StopIteration):
        return None

    def program() -> None:
        names = () if stack.routers.bgp is None else stack.routers.bgp.passwords()
        args_ = {**vars(args), "bgp_passwords": "\n".join(f"{name}=hush" for name in names)}
        KINDS[stack.routers.kind].make(type(args)(**args_), pulumi.ResourceOptions())

    return [(one.type, one.name, one.inputs) for one in run_program(program).resources]


@cache
def before(kind: str, name: str) -> Any:
    found = sent(dict(configs(kind))[name])
    assert found is not None, name
    return found


def kept_by(kind: str, leaf: str) -> str | None:
    """The stack in which another value of the key makes another text; None if there is none."""
    for name, config in configs(kind):
        for index, (holder, last) in enumerate(places(config["routers"], leaf)):
            for other in others(holder[last], f"routers.{leaf}"):
                changed = copy.deepcopy(config)
                at = list(places(changed["routers"], leaf))[index][0]
                at[last] = other
                after = sent(changed)
                if after is not None and after != before(kind, name):
                    return name
    return None


@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_keeps_a_key_or_refuses_it(kind: str, leaf: str) -> None:
    asks = routers_kind.KINDS[kind]
    if covered(leaf, OTHERS) or covered(leaf, asks.lacking):
        return
    if leaf in BY_IPV6 and not asks.ipv6:
        return
    assert configs(kind), f"no stack of {kind}: add one to NAMED in tests/components/stacks.py"
    assert kept_by(kind, leaf), (
        f"routers.{leaf} changes nothing that {kind} routers get, in any of the stacks "
        f"{[name for name, _ in configs(kind)]}: render it, with a stack in NAMED "
        "(tests/components/stacks.py) that has it, or say in `lacking` "
        "(settings/checks/routers_kind.py) what they do instead"
    )


LACKING = [(kind, key) for kind in sorted(KINDS) for key in routers_kind.KINDS[kind].lacking]


@pytest.mark.parametrize(("kind", "key"), LACKING)
def test_what_a_kind_lacks_is_refused_where_it_is_written(kind: str, key: str) -> None:
    assert f"routers.{key}" in every_key(), "a key below `routers`, without the word itself"
    having = [each for _, each in configs(kind) if list(places(each["routers"], key))]
    assert having, "no stack of the kind has what it stands in"
    config = having[0]
    held = list(places(config["routers"], key))
    for index, (holder, last) in enumerate(held):
        changed = copy.deepcopy(config)
        list(places(changed["routers"], key))[index][0][last] = next(
            others(holder[last], f"routers.{key}")
        )
        (told,) = kinds_can_do_what_is_asked(Stack.model_validate(changed))
        assert re.sub(r"\[\d+]", "[]", told.key) == f"layered-cloud:routers.{key}"


def test_a_key_of_a_list_is_refused_at_each_of_its_items(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {"forwards[].per_source": "it counts nobody"}
    asks = {
        "mikrotik": Asks(image=False, host_keys=True, lacking=lacking),
        "linux": Asks(image=False, host_keys=False),
        "third": Asks(image=False, host_keys=False),
    }
    monkeypatch.setattr(routers_kind, "KINDS", asks)
    assert [str(each) for each in kinds_can_do_what_is_asked(stacks.mikrotik_busy())] == [
        "layered-cloud:routers.forwards[0].per_source: 5 cannot be kept: routers.kind is mikrotik, "
        "and it counts nobody; remove it, or write kind: linux or third"
    ]
    assert list(kinds_can_do_what_is_asked(stacks.mikrotik())) == []


def test_a_key_that_nobody_reads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge itself: with the timeout out of the way of the templates, nothing differs."""
    every = ConnectionLimits.model_fields["established_timeout"].default
    read = rendered.routers_args

    def deaf(stack: Stack) -> Any:
        limits = stack.routers.limits.model_copy(update={"established_timeout": every})
        routers: Routers = stack.routers.model_copy(update={"limits": limits})
        return read(stack.model_copy(update={"routers": routers}))

    assert kept_by("mikrotik", "limits.established_timeout") == "mikrotik"
    monkeypatch.setattr(rendered, "routers_args", deaf)
    assert kept_by("mikrotik", "limits.established_timeout") is None
