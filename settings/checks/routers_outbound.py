"""What the inside may reach through the routers, each rule by itself."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_KEY = "routers.outbound"


@reads("routers")
def outbound_rules_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Each has a counter of its own."""
    names: dict[str, int] = {}
    for index, each in enumerate(stack.routers.outbound or ()):
        earlier = names.setdefault(each.name, index)
        if earlier != index:
            yield problem(
                f"{_KEY}[{index}].name",
                each.name,
                f"is what {_KEY}[{earlier}] is called, and counters are named by it",
                "give each a name of its own",
            )


@reads("routers")
def outbound_ports_are_of_who_has_ports(stack: Stack) -> Iterator[Problem]:
    """TCP and UDP; a range has one first port."""
    for index, each in enumerate(stack.routers.outbound or ()):
        path = f"{_KEY}[{index}]"
        if each.ports and each.protocol not in ("tcp", "udp"):
            yield problem(
                f"{path}.ports",
                each.ports,
                f"are of TCP or UDP, and protocol is {each.protocol}",
                "remove them, or write protocol: tcp, or udp",
            )
        if each.last is None:
            continue
        if len(each.ports) != 1:
            yield problem(
                f"{path}.last",
                each.last,
                f"ends a range, which needs one first port in ports, not {len(each.ports)}",
                "write the first port alone, and others in a rule of their own",
            )
        elif each.last <= each.ports[0]:
            yield problem(
                f"{path}.last",
                each.last,
                f"is not behind the first port ({each.ports[0]})",
                "write the last port of the range, or remove it",
            )


@reads("routers")
def outbound_names_something(stack: Stack) -> Iterator[Problem]:
    """Nobody could ask a name server any more."""
    if stack.routers.outbound == []:
        yield problem(
            _KEY,
            ABSENT,
            "is empty: nothing inside would reach anything",
            "name what is to be reached, or remove it to let everything out",
        )
