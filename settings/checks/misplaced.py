"""Addresses beside their segments: one that is astray, two that are swapped, or a segment that is
not the one they stand on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.claims import Claim, claims, segments
from settings.checks.registry import reads
from settings.models.addresses import around
from settings.models.networks import Segment
from settings.models.platform import MetalLb
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem

_MANY = 3
"""So many addresses are seldom wrong alike; what they stand on is."""
_SHOWN = 2
_WIDER = 8
"""Bits by which a segment may be meant wider than it is written."""


@reads("networks")
def segments_hold_their_addresses(stack: Stack) -> Iterator[Problem]:
    """A segment that several of its addresses are outside of is wrong itself: told once."""
    for name, outside in astray(stack).items():
        segment: Segment = getattr(stack.networks, name)
        held = _standing(stack, name)
        shown = ", ".join(f"{each.path} ({each.address})" for each in outside[:_SHOWN])
        more = f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else ""
        longest = segment.cidr.prefixlen
        meant = around([each.address for each in held], longest, max(longest - _WIDER, 0))
        yield problem(
            f"networks.{name}.cidr",
            segment.cidr,
            f"has no room for {len(outside)} of the {len(held)} addresses that stand on it: "
            f"{shown}{more}",
            f"write {meant}, or move them" if meant else "write the network that they are of",
        )


@reads("networks")
def addresses_stand_on_their_segments(stack: Stack) -> Iterator[Problem]:
    """Every leg, VIP and gateway is a host address of its segment."""
    known = dict(segments(stack.networks))
    wrong_itself = astray(stack)
    held = claims(stack)
    told: set[str] = set()
    for claim in held:
        segment = known.get(claim.segment or "")
        if segment is None or (claim.address.version == 6 and segment.cidr6 is None):
            continue
        subnet = segment.subnet_of(claim.address)
        edge = segment.edge_of(claim.address)
        if claim.segment in wrong_itself or claim.path in told:
            continue
        if subnet is None and (other := _swapped(claim, held, known)) is not None:
            told.add(other.path)
            one, two = _key(claim), _key(other)
            listed = "[{}]" if claim.path.endswith("]") else "{}"
            yield problem(
                claim.path,
                claim.address,
                f"is of networks.{other.segment}, and {two} ({other.address}) of networks."
                f"{claim.segment}: they are swapped",
                f"write {one}: {listed.format(other.address)} and {two}: "
                f"{listed.format(claim.address)}",
            )
            continue
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


def astray(stack: Stack) -> dict[str, list[Claim]]:
    """The segments that several of their addresses are outside of, with these; none whose addresses
    are of two subnets."""
    found: dict[str, list[Claim]] = {}
    for name, segment in segments(stack.networks):
        if len([each for each in segment.subnets.values() if each.version == 4]) > 1:
            continue
        outside = [
            each
            for each in _standing(stack, name)
            if each.address not in segment.cidr or segment.edge_of(each.address) is not None
        ]
        if len(outside) >= _MANY:
            found[name] = outside
    return found


def _standing(stack: Stack, name: str) -> list[Claim]:
    """Who has an IPv4 address on a segment, the pool too where it is of the LAN."""
    found = [each for each in claims(stack) if each.segment == name and each.address.version == 4]
    for path, metallb in walk(stack, MetalLb) if name == "lan" else ():
        for index, pool in enumerate(metallb.pool if metallb.mode == "l2" else ()):
            for key, end in (("first", pool.first), ("last", pool.last)):
                here = f"{path}.pool[{index}].{key}"
                found.append(Claim(path=here, address=end, segment=name, owner="the pool"))
    return found


def _swapped(claim: Claim, held: Sequence[Claim], known: dict[str, Segment]) -> Claim | None:
    """The other address of the same machine or group, where each is of the other's segment."""
    owner = claim.path.rpartition(".")[0]
    for other in held:
        there, here = known.get(other.segment or ""), known.get(claim.segment or "")
        if other.path.rpartition(".")[0] != owner or there is None or here is None:
            continue
        if other.segment != claim.segment and (
            there.subnet_of(claim.address) is not None and here.subnet_of(other.address) is not None
        ):
            return other
    return None


def _key(claim: Claim) -> str:
    return claim.path.rpartition(".")[2].partition("[")[0]
