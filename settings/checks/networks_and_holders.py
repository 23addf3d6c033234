"""Networks and whoever holds an address on them: each in its segment, none held twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from settings.checks.claims import Claim, claims, segments
from settings.checks.registry import reads
from settings.models.addresses import edge_of
from settings.models.stack import Stack
from settings.problems import Problem, problem

_OTHERS = ("networks", "proxmox")


@reads("networks")
def addresses_stand_on_their_segments(stack: Stack) -> Iterator[Problem]:
    """Every leg, VIP and gateway is a host address of its segment."""
    known = dict(segments(stack.networks))
    for claim in claims(stack):
        segment = known.get(claim.segment or "")
        if segment is None:
            continue
        subnet = segment.subnet_of(claim.address)
        edge = None if subnet is None else edge_of(claim.address, subnet)
        if subnet is None:
            wrong = f"is outside networks.{claim.segment} ({segment.written})"
        elif edge is not None:
            wrong = f"is {edge} of networks.{claim.segment} ({segment.written})"
        else:
            continue
        right = f"give {claim.owner} a host address inside {segment.written}"
        if subnet is None and claim.path.startswith("routers.vips["):
            group, dot, leg = claim.path.rpartition(".")
            if leg.startswith("wan["):
                right += f", or, if the provider routes it to the routers, set {group}{dot}routed"
        yield problem(claim.path, claim.address, wrong, right)


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
