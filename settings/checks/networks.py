"""The networks by themselves: ranges kept apart, segments on wires of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.claims import ranges, segments
from settings.checks.registry import doubts, reads
from settings.models.addresses import (
    BENCHMARKS,
    DOCUMENTATION,
    PRIVATE,
    SPECIAL,
    AnyNetwork,
    overlap,
    within,
)
from settings.models.stack import Stack
from settings.problems import Problem, problem

_INTERNET_MTU = 1500
_WIDEST_SERVICES = 12
_NARROWEST_SERVICES = 28


def overlapping(
    named: Sequence[tuple[str, AnyNetwork]],
) -> Iterator[tuple[tuple[str, AnyNetwork], tuple[str, AnyNetwork]]]:
    """Every pair of ranges that share an address, the earlier of the pair first."""
    for index, earlier in enumerate(named):
        for later in named[index + 1 :]:
            if overlap(earlier[1], later[1]):
                yield earlier, later


@reads("networks")
def ranges_are_apart(stack: Stack) -> Iterator[Problem]:
    """Segments, pods and services never share an address. One that overlaps several is wrong
    itself: told once."""
    pairs = list(overlapping(ranges(stack.networks)))
    met: dict[str, list[tuple[str, AnyNetwork]]] = {}
    written = dict(ranges(stack.networks))
    for earlier, later in pairs:
        met.setdefault(earlier[0], []).append(later)
        met.setdefault(later[0], []).append(earlier)
    widest = max(met, key=lambda path: len(met[path]), default=None)
    if widest is not None and len(met[widest]) > 1:
        others = ", ".join(f"{path} ({network})" for path, network in met[widest])
        yield problem(
            widest,
            written[widest],
            f"overlaps {len(met[widest])} others: {others}",
            "write a range of its own, which is narrower or elsewhere",
        )
        pairs = [pair for pair in pairs if widest not in (pair[0][0], pair[1][0])]
    for (first, one), (second, other) in pairs:
        yield problem(second, other, f"overlaps {first} ({one})", "give each a range of its own")


@reads("networks")
def ranges_are_ordinary(stack: Stack) -> Iterator[Problem]:
    """No range of the stack is loopback, link-local, multicast or reserved."""
    for path, network in ranges(stack.networks):
        for special, meaning in SPECIAL.items():
            if overlap(network, special):
                yield problem(
                    path, network, f"is {meaning}", "use private or public unicast addresses"
                )


@reads("networks")
def segments_are_separate_wires(stack: Stack) -> Iterator[Problem]:
    """Two segments on one bridge need different VLANs: VRRP and ARP would mix."""
    seen: dict[tuple[str, int | None], str] = {}
    for name, segment in segments(stack.networks):
        wire = (segment.bridge, segment.vlan)
        earlier = seen.setdefault(wire, name)
        if earlier != name:
            vlan = f"VLAN {segment.vlan}" if segment.vlan is not None else "without a VLAN"
            yield problem(
                f"networks.{name}.bridge",
                segment.bridge,
                f"({vlan}) carries networks.{earlier} already",
                "give each segment a bridge or a VLAN of its own",
            )


@reads("networks")
def packets_fit(stack: Stack) -> Iterator[Problem]:
    """What comes in over the WAN fits the LAN, and what leaves fits the internet.

    The pods use the LAN's MTU as it is: native routing, no overlay.
    """
    wan, lan = stack.networks.wan.mtu, stack.networks.lan.mtu
    if wan > _INTERNET_MTU:
        yield problem(
            "networks.wan.mtu", wan, "is more than the internet carries", "write 1500 or less"
        )
    if lan < wan:
        yield problem(
            "networks.lan.mtu",
            lan,
            f"is less than networks.wan.mtu ({wan}): full inbound packets would not fit",
            f"write at least {wan}",
        )


@reads("networks")
def service_range_is_allowed(stack: Stack) -> Iterator[Problem]:
    """kube-apiserver takes at most 20 bits of services; kubeadm puts DNS at the tenth address."""
    services = stack.networks.services
    if services.prefixlen < _WIDEST_SERVICES:
        yield problem(
            "networks.services",
            services,
            "is wider than kube-apiserver allows",
            f"write a /{_WIDEST_SERVICES} or smaller, such as a /20",
        )
    if services.prefixlen > _NARROWEST_SERVICES:
        yield problem(
            "networks.services",
            services,
            "has no tenth address for the cluster's DNS",
            f"write a /{_NARROWEST_SERVICES} or larger, such as a /20",
        )


@reads("networks")
def domain_is_free(stack: Stack) -> Iterator[Problem]:
    """`cluster.local` is Kubernetes' own, `.local` is multicast DNS (RFC 6762)."""
    domain = stack.networks.domain
    if domain.endswith(".local"):
        yield problem(
            "networks.domain",
            domain,
            "belongs to Kubernetes' own DNS or to multicast DNS",
            "write another, such as cluster.internal",
        )


@reads("networks")
def bridges_are_tagged_once(stack: Stack) -> Iterator[Problem]:
    """A bridge named NAME.VLAN is on that VLAN by itself."""
    for name, segment in segments(stack.networks):
        if segment.vlan is not None and "." in segment.bridge:
            yield problem(
                f"networks.{name}.bridge",
                segment.bridge,
                f"is of a VLAN by its name, and networks.{name}.vlan tags it again",
                f"write {segment.bridge.partition('.')[0]}, or remove the vlan",
            )


@doubts("networks")
def ranges_are_not_somebody_elses(stack: Stack) -> Iterator[Problem]:
    """Behind the routers, public addresses hide their owner from everything inside."""
    free = (*PRIVATE, *DOCUMENTATION, BENCHMARKS)
    for path, network in ranges(stack.networks):
        if path.startswith("networks.wan.") or any(within(network, each) for each in free):
            continue
        if not any(overlap(network, each) for each in SPECIAL):
            yield problem(
                path,
                network,
                "is public address space, somebody's on the internet",
                "write a private range (RFC 1918), unless it is yours",
            )
