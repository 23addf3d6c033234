"""Networks and the platform: the load balancers' pool on the LAN."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import claims, ranges
from settings.checks.registry import reads
from settings.models.addresses import edge_of
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "platform")
def pool_is_on_the_lan(stack: Stack) -> Iterator[Problem]:
    """MetalLB announces by ARP (L2), so the balancers must see the pool on their own segment."""
    lan = stack.networks.lan
    if stack.platform.metallb.mode != "l2":
        return
    for index, pool in enumerate(stack.platform.metallb.pool):
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
    """MetalLB would hand out, and answer ARP for, a machine's or a VIP's address."""
    for claim in claims(stack):
        for index, pool in enumerate(stack.platform.metallb.pool):
            if pool.holds(claim.address):
                yield problem(
                    claim.path,
                    claim.address,
                    f"is inside platform.metallb.pool[{index}] ({pool.written})",
                    f"move {claim.owner} or shrink the pool",
                )
