"""Networks and the platform: the load balancers' pool on the LAN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from settings.checks.claims import claims, ranges
from settings.checks.misplaced import astray
from settings.checks.registry import reads
from settings.models.addresses import AnyAddress, edge_of
from settings.models.platform import AddressRange
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "platform")
def pool_is_on_the_lan(stack: Stack) -> Iterator[Problem]:
    """MetalLB announces by ARP (L2), so the balancers must see the pool on their own segment."""
    lan = stack.networks.lan
    if stack.platform.metallb.mode != "l2" or "lan" in astray(stack):
        return
    for index, pool in enumerate(stack.platform.metallb.pool):
        if not any(lan.subnet_of(each) for each in (pool.first, pool.last)):
            yield problem(
                f"platform.metallb.pool[{index}]",
                pool.written,
                f"is outside networks.lan ({lan.written})",
                f"keep the pool on host addresses of {lan.written}",
            )
            continue
        for end, address in (("first", pool.first), ("last", pool.last)):
            subnet = lan.subnet_of(address)
            edge = None if subnet is None else edge_of(address, subnet)
            if subnet is None:
                wrong = f"is outside networks.lan ({lan.written})"
            elif edge is not None:
                wrong = f"is {edge} of networks.lan ({lan.written})"
            else:
                continue
            yield problem(
                f"platform.metallb.pool[{index}].{end}",
                address,
                wrong,
                f"keep the pool on host addresses of {lan.written}",
            )


@reads("networks", "platform")
def announced_pool_is_on_no_segment(stack: Stack) -> Iterator[Problem]:
    """Who has the address on its own segment asks for it by ARP, and never takes the route."""
    if stack.platform.metallb.mode != "bgp":
        return
    for index, pool in enumerate(stack.platform.metallb.pool):
        for name, network in ranges(stack.networks):
            if pool.meets(network):
                yield problem(
                    f"platform.metallb.pool[{index}]",
                    pool.written,
                    f"overlaps {name} ({network}), where it would be asked for by ARP, and nobody "
                    "answers that in mode bgp",
                    "write addresses that no network of the stack has",
                )


@reads("networks", "platform")
def pool_is_free(stack: Stack) -> Iterator[Problem]:
    """MetalLB would hand out, and answer ARP for, a machine's or a VIP's address. A range of
    several is wrong itself: told once."""
    held = claims(stack)
    for index, pool in enumerate(stack.platform.metallb.pool):
        here = f"platform.metallb.pool[{index}]"
        inside = [claim for claim in held if pool.holds(claim.address)]
        if len(inside) > 1:
            first = inside[0]
            yield problem(
                here,
                pool.written,
                f"holds {len(inside)} addresses of machines and VIPs, such as {first.path} "
                f"({first.address})",
                _apart(pool, [each.address for each in inside]),
            )
            continue
        for claim in inside:
            yield problem(
                claim.path,
                claim.address,
                f"is inside {here} ({pool.written})",
                f"move {claim.owner} or shrink the pool",
            )


def _apart(pool: AddressRange, taken: Iterable[AnyAddress]) -> str:
    """The longest part of a pool that holds none of these."""
    ends = sorted({int(each) for each in taken} | {int(pool.first) - 1, int(pool.last) + 1})
    before, behind = max(pairwise(ends), key=lambda pair: pair[1] - pair[0])
    if behind - before < 2:
        return "write a range without them"
    first, last = type(pool.first)(before + 1), type(pool.first)(behind - 1)
    return f"write a range without them, such as {{ first: {first}, last: {last} }}"
