"""Addresses: each in its segment, none held twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from settings.checks.claims import Claim, claims, segments
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_PRIVATE = [
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
]

_OTHERS = ("networks", "proxmox")


def edge_of(address: object, network: IPv4Network) -> str | None:
    """What an address that no machine may hold is called; RFC 3021: a /31 has neither."""
    if network.prefixlen >= 31:
        return None
    if address == network.network_address:
        return "the network address"
    if address == network.broadcast_address:
        return "the broadcast address"
    return None


@reads("networks")
def addresses_stand_on_their_segments(stack: Stack) -> Iterator[Problem]:
    """Every leg, VIP and gateway is a host address of its segment."""
    known = dict(segments(stack.networks))
    for claim in claims(stack):
        segment = known.get(claim.segment or "")
        if segment is None:
            continue
        edge = edge_of(claim.address, segment.cidr)
        if claim.address not in segment.cidr:
            wrong = f"is outside networks.{claim.segment} ({segment.cidr})"
        elif edge is not None:
            wrong = f"is {edge} of networks.{claim.segment} ({segment.cidr})"
        else:
            continue
        yield problem(
            claim.path,
            claim.address,
            wrong,
            f"give {claim.owner} a host address inside {segment.cidr}",
        )


def collisions(held: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Pairs (first holder, later holder) of one address; each later holder once."""
    first: dict[object, Claim] = {}
    for claim in held:
        earlier = first.setdefault(claim.address, claim)
        if earlier is not claim:
            yield earlier, claim


@reads("networks")
def no_address_is_held_twice(stack: Stack) -> Iterator[Problem]:
    """Two holders of one address: both are named."""
    for earlier, later in collisions(claims(stack)):
        yield problem(
            later.path,
            later.address,
            f"belongs to {earlier.owner} already ({earlier.path})",
            f"give {later.owner} an address of its own",
        )


@reads("networks", "routers", "cdn")
def public_vips_are_public(stack: Stack) -> Iterator[Problem]:
    """A proxied record must lead to an address the CDN can reach (RFC 1918, RFC 6598)."""
    if stack.cdn.zone is None:
        return
    for index, vip in enumerate(stack.routers.vips):
        for position, address in enumerate(vip.wan):
            if any(address in private for private in _PRIVATE):
                yield problem(
                    f"routers.vips[{index}].wan[{position}]",
                    address,
                    "is a private address, which the CDN cannot reach",
                    f"use a public address, or manage no zone (cdn.zone is {stack.cdn.zone})",
                )


@reads("networks")
def resolvers_are_elsewhere(stack: Stack) -> Iterator[Problem]:
    """No machine of the stack serves DNS to the machines; pods and services cannot."""
    networks = stack.networks
    # A Proxmox host or the provider's gateway may well serve DNS; what the stack makes does not.
    ours = [each for each in claims(stack) if each.path.split(".")[0] not in _OTHERS]
    holders = {claim.address: claim for claim in ours}
    for index, resolver in enumerate(networks.resolvers):
        path = f"networks.resolvers[{index}]"
        right = "name a DNS server outside the stack, reached through the routers"
        holder = holders.get(resolver)
        if resolver in networks.pods or resolver in networks.services:
            inside = "pods" if resolver in networks.pods else "services"
            network = networks.pods if inside == "pods" else networks.services
            wrong = f"is inside networks.{inside} ({network})"
            yield problem(path, resolver, wrong, right)
        elif holder is not None:
            wrong = f"belongs to {holder.owner} ({holder.path}), which serves no DNS"
            yield problem(path, resolver, wrong, right)
        if resolver in networks.resolvers[:index]:
            yield problem(path, resolver, "stands twice", "name each resolver once")
