"""Networks and whoever holds an address on them: each in its segment, none held twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from settings.checks.claims import Claim, claims, segments
from settings.checks.registry import reads
from settings.models.addresses import SPECIAL, AnyAddress, address, is_address
from settings.models.networks import Networks, Segment
from settings.models.proxmox import ProxmoxHost
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem

OTHERS = ("networks", "proxmox")
"""Sections whose addresses are held by others than the stack's own machines."""


def collisions(held: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Pairs (first holder, later holder) of one address; each later holder once."""
    first: dict[object, Claim] = {}
    for claim in held:
        earlier = first.setdefault(claim.address, claim)
        if earlier is not claim:
            yield earlier, claim


@reads("networks")
def no_address_is_held_twice(stack: Stack) -> Iterator[Problem]:
    """Two holders of one address: both are named. Who is beside its segment is told that alone."""
    known = dict(segments(stack.networks))
    for earlier, later in collisions(claims(stack)):
        if any(_beside(known, each) for each in (earlier, later)):
            continue
        yield problem(
            later.path,
            later.address,
            f"belongs to {earlier.owner} already ({earlier.path})",
            f"give {later.owner} an address of its own",
        )


def _beside(known: Mapping[str, Segment], claim: Claim) -> bool:
    segment = known.get(claim.segment or "")
    return segment is not None and segment.subnet_of(claim.address) is None


_SERVES = {"resolvers": ("DNS", "a DNS server"), "ntp": ("time", "an NTP server")}


@reads("networks")
def servers_are_elsewhere(stack: Stack) -> Iterator[Problem]:
    """No machine of the stack serves DNS or time to the machines; pods and services cannot, and
    some addresses are nobody's."""
    networks = stack.networks
    # A Proxmox host or the provider's gateway may well serve; what the stack makes does not.
    ours = [each for each in claims(stack) if each.path.split(".")[0] not in OTHERS]
    holders = {str(claim.address): claim for claim in ours}
    for key, (what, server) in _SERVES.items():
        given = [str(each) for each in getattr(networks, key)]
        right = f"name {server} outside the stack, reached through the routers"
        for index, text in enumerate(given):
            path = f"networks.{key}[{index}]"
            if text in given[:index]:
                yield problem(path, text, "stands twice", f"name each of {key} once")
            elif text in holders:
                holder = holders[text]
                wrong = f"belongs to {holder.owner} ({holder.path}), which serves no {what}"
                yield problem(path, text, wrong, right)
            elif is_address(text) and (why := nobodys(networks, address(text))) is not None:
                yield problem(path, text, why, right)


@reads("networks", "proxmox")
def hypervisors_are_reached(stack: Stack) -> Iterator[Problem]:
    """A Proxmox host's address is one that a host can have, outside pods and services."""
    for path, host in walk(stack, ProxmoxHost):
        wrong = nobodys(stack.networks, host.ssh_address)
        if wrong is not None:
            yield problem(
                f"{path}.ssh_address", host.ssh_address, wrong, f"write the address of {host.name}"
            )


def nobodys(networks: Networks, given: AnyAddress) -> str | None:
    """Why no server can have this address (of pods or services, special, the edge of a segment),
    or None."""
    for inside, network in (("pods", networks.pods), ("services", networks.services)):
        if given in network:
            return f"is inside networks.{inside} ({network})"
    for name, segment in segments(networks):
        edge = segment.edge_of(given)
        if edge is not None:
            return f"is {edge} of networks.{name} ({segment.written})"
    return next((f"is {words}" for special, words in SPECIAL.items() if given in special), None)
