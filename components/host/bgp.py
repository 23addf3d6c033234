"""BGP sessions between machines of ours and their neighbours, both ends of each in one object.

Whoever renders an end takes its addresses, AS numbers, timers and prefixes from here, so that the
two ends of a session cannot say different things. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, summarize_address_range

from components.host.pair.legs import HasLegs
from settings.models import (
    BALANCERS,
    INSIDE,
    AddressRange,
    Bfd,
    Bgp,
    BgpInside,
    Networks,
    Routers,
    RouterVip,
)

PORT = 179
"""TCP (RFC 4271, 4.2)."""
BFD_PORT = 3784
"""UDP, a single hop (RFC 5881, 4)."""
_LONGEST_OUTSIDE = 24
"""Networks longer than a /24 are nobody's on the internet (RFC 7454, 6.1.3)."""


@dataclass(frozen=True, kw_only=True)
class Prefixes:
    """`network`, and what is more specific in it: prefix lengths from `shortest` to `longest`."""

    network: IPv4Network
    shortest: int
    longest: int


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A network of ours, and the address that neighbours reach it by; None: the speaker's own."""

    network: IPv4Network
    next_hop: IPv4Address | None


@dataclass(frozen=True, kw_only=True)
class End:
    """One side of a session."""

    name: str
    address: IPv4Address
    asn: int


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Neighbours that a router treats alike: a provider's router, all nodes, or all balancers.

    `network` is the leg they are on; `takes` what a router believes them, `gives` what it tells
    them. `secret` names the sessions' password in what the stack keeps secret. A neighbour that
    announces more than `most` prefixes is not spoken with any more; None: however many.
    """

    name: str
    network: str
    asn: int
    members: tuple[End, ...]
    takes: tuple[Prefixes, ...]
    gives: tuple[Announced, ...]
    bfd: bool
    secret: str | None
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Peering:
    """Every session of a stack's routers, each of which speaks with all of `neighbours`.

    `daemon` is what the routers run; `routers` are their ends by the network of the neighbours;
    `pool` the addresses that nodes announce, `service` those that balancers do; `own` what is never
    believed to be elsewhere. `keepalive` and `hold` are seconds. `drained` routers ask their
    neighbours to prefer other ways. `figures`: who speaks tells Prometheus of its sessions.
    """

    daemon: str
    asn: int
    routers: dict[str, tuple[End, ...]]
    neighbours: tuple[Neighbours, ...]
    pool: tuple[IPv4Network, ...]
    announce: tuple[Announced, ...]
    own: tuple[IPv4Network, ...]
    keepalive: int
    hold: int
    bfd: Bfd
    multipath: int
    drained: tuple[str, ...]
    service: tuple[IPv4Network, ...] = ()
    figures: bool = False

    def end(self, network: str, router: str) -> End:
        """The end of `router` on `network`; `KeyError` when it has none."""
        for end in self.routers[network]:
            if end.name == router:
                return end
        raise KeyError(router)

    @property
    def inside(self) -> Neighbours | None:
        """The nodes; None when none speaks BGP."""
        return next((each for each in self.neighbours if each.name == INSIDE), None)

    @property
    def balancers(self) -> Neighbours | None:
        """The balancers; None when none speaks BGP."""
        return next((each for each in self.neighbours if each.name == BALANCERS), None)

    @property
    def behind(self) -> tuple[IPv4Network, ...]:
        """What the LAN reaches through a router, by what is announced there."""
        return (*self.pool, *self.service)

    @property
    def with_bfd(self) -> bool:
        """Whether any neighbour answers BFD."""
        return any(each.bfd for each in self.neighbours)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of all passwords."""
        return tuple(each.secret for each in self.neighbours if each.secret is not None)


def peering(
    settings: Routers,
    networks: Networks,
    *,
    pool: Iterable[AddressRange],
    routers: Sequence[HasLegs],
    nodes: Sequence[HasLegs],
    maintenance: Collection[str] = (),
    balancers: Sequence[HasLegs] = (),
    service: Iterable[IPv4Address] = (),
    figures: bool = False,
) -> Peering | None:
    """The sessions that a stack asks for; None when it asks for none. Routers in `maintenance` ask
    their neighbours to prefer other ways, as those that the settings name for it. `service` are the
    addresses that `balancers` announce. `figures`: the machines have a node_exporter."""
    bgp = settings.bgp
    if bgp is None:
        return None
    inside = () if bgp.inside is None else tuple(_networks(pool))
    served = () if bgp.balancers is None else tuple(map(IPv4Network, service))
    announce = tuple(
        Announced(network=each, next_hop=_next_hop(each, settings.vips)) for each in bgp.announce
    )
    return Peering(
        daemon=bgp.daemon,
        asn=bgp.asn,
        routers={
            network: tuple(_end(each, network, bgp.asn) for each in routers)
            for network in ("lan", "wan")
        },
        neighbours=(
            *_upstream(bgp, announce),
            *_behind(INSIDE, bgp.inside, inside, nodes),
            *_behind(BALANCERS, bgp.balancers, served, balancers, most=len(served)),
        ),
        pool=inside,
        announce=announce,
        own=tuple(
            sorted(
                {
                    *(each for each in (networks.management.cidr, networks.lan.cidr)),
                    *(() if networks.sync is None else (networks.sync.cidr,)),
                    *(networks.wan.cidr, networks.pods, networks.services),
                    *inside,
                    *served,
                    *bgp.announce,
                }
            )
        ),
        keepalive=bgp.timers.keepalive,
        hold=bgp.timers.hold,
        bfd=bgp.bfd,
        multipath=bgp.multipath,
        drained=tuple(
            each.name for each in routers if each.name in bgp.drained or each.name in maintenance
        ),
        service=served,
        figures=figures,
    )


def _upstream(bgp: Bgp, announce: tuple[Announced, ...]) -> Iterable[Neighbours]:
    for each in bgp.upstream:
        yield Neighbours(
            name=each.name,
            network="wan",
            asn=each.asn,
            members=(End(name=each.name, address=each.address, asn=each.asn),),
            takes=tuple(
                Prefixes(
                    network=network,
                    shortest=max(network.prefixlen, 1),  # never the default route
                    longest=max(network.prefixlen, _LONGEST_OUTSIDE),
                )
                for network in each.accept
            ),
            gives=announce,
            bfd=each.bfd,
            secret=each.name if each.password else None,
        )


def _behind(
    name: str,
    group: BgpInside | None,
    announced: tuple[IPv4Network, ...],
    machines: Sequence[HasLegs],
    *,
    most: int | None = None,
) -> Iterable[Neighbours]:
    if group is None:
        return
    yield Neighbours(
        name=name,
        network="lan",
        asn=group.asn,
        members=tuple(_end(each, "lan", group.asn) for each in machines),
        takes=tuple(Prefixes(network=each, shortest=32, longest=32) for each in announced),
        gives=(),
        bfd=group.bfd,
        secret=name if group.password else None,
        most=most,
    )


def _end(machine: HasLegs, network: str, asn: int) -> End:
    return End(name=machine.name, address=machine.addresses[network].ip, asn=asn)


def _networks(pool: Iterable[AddressRange]) -> Iterable[IPv4Network]:
    for each in pool:
        yield from summarize_address_range(each.first, each.last)


def _next_hop(network: IPv4Network, vips: Sequence[RouterVip]) -> IPv4Address | None:
    """The address on the WAN that moves with the group whose addresses are in `network`: whoever
    has it knows the connections, whichever router announces. A third party's next hop is one on
    the subnet of both (RFC 4271, 5.1.3)."""
    held = next((vip for vip in vips if any(each in network for each in vip.wan)), vips[0])
    same = [held, *(vip for vip in vips if vip.owner == held.owner)]
    return next((vip.wan[0] for vip in same if not vip.routed), None)
