"""How requests reach the balancers: what each way asks of the machines and of the addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@dataclass(frozen=True, kw_only=True)
class Asks:
    """How many balancers a way needs and takes, and whether the service has addresses that all of
    them announce."""

    fewest: int
    most: int
    announced: bool


REACHES: Final[Mapping[str, Asks]] = {
    "vrrp": Asks(fewest=1, most=2, announced=False),
    "bgp": Asks(fewest=2, most=8, announced=True),
}
"""By the word of `balancers.reach.kind`."""
HOLDING: Final = 2
"""The first so many hold the addresses of `balancers.vips`."""


@reads("balancers")
def as_many_balancers_as_a_way_takes(stack: Stack) -> Iterator[Problem]:
    """Two share an address; one that announces alone gains nothing and loses the pair's rules."""
    balancers = stack.balancers
    kind, count = balancers.reach.kind, len(balancers.machines)
    asks = REACHES[kind]
    if not asks.fewest <= count <= asks.most:
        able = next(word for word, each in REACHES.items() if each.fewest <= count <= each.most)
        wanted = f"{asks.most} at most" if count > asks.most else f"{asks.fewest} or more"
        yield problem(
            "balancers.machines",
            [each.name for each in balancers.machines],
            f"are {count}, and balancers.reach.kind is {kind}, which takes {wanted}",
            f"write {wanted}, or balancers.reach.kind: {able}",
        )


@reads("balancers")
def addresses_of_the_service_are_announced(stack: Stack) -> Iterator[Problem]:
    """By who announces; with VRRP the service is at the addresses that move."""
    reach = stack.balancers.reach
    if REACHES[reach.kind].announced and not reach.vips:
        yield problem(
            "balancers.reach.vips",
            [],
            f"leaves the balancers nothing to announce (balancers.reach.kind is {reach.kind})",
            "write an address outside every segment, such as 198.18.30.1",
        )
    if not REACHES[reach.kind].announced and reach.vips:
        yield problem(
            "balancers.reach.vips",
            list(map(str, reach.vips)),
            f"are announced by nobody: balancers.reach.kind is {reach.kind}",
            "remove them, or write kind: bgp",
        )


@reads("balancers")
def addresses_move_between_the_first_two(stack: Stack) -> Iterator[Problem]:
    """The others hold none, so that none of them can be their owner."""
    balancers = stack.balancers
    if REACHES[balancers.reach.kind].most <= HOLDING:
        return
    first, beside = balancers.machines[:HOLDING], balancers.machines[HOLDING:]
    for index, vip in enumerate(balancers.vips):
        if vip.owner in [each.name for each in beside]:
            yield problem(
                f"balancers.vips[{index}].owner",
                vip.owner,
                "is not among the first two of balancers.machines, which hold the addresses of the "
                "API",
                f"write {' or '.join(each.name for each in first)}",
            )
