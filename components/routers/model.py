"""The routers as plain values, whatever kind they are: what the parts of a kind are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from components.host.bgp import Peering
from components.host.pair import Leg, Pair
from components.host.part import OpenPort
from settings.models import ConnectionLimits, Distribution, Forward, Outbound, RouterVip, Vrrp


@dataclass(frozen=True, kw_only=True)
class Router:
    """One router; `sync` is absent when it is alone, `distribution` what a Linux one has."""

    name: str
    management: Leg
    lan: Leg
    wan: Leg
    sync: Leg | None = None
    ssh_port: int = 22
    distribution: Distribution

    def legs(self) -> tuple[Leg, ...]:
        """All legs, in the order of their interfaces."""
        legs = (self.management, self.lan, self.wan)
        return legs if self.sync is None else (*legs, self.sync)


@dataclass(frozen=True, kw_only=True)
class Link:
    """The sync segment between two routers, as one of them sees it."""

    ours: Leg
    theirs: Leg


@dataclass(frozen=True, kw_only=True)
class Uplink:
    """The provider's subnet, where the routers have no address but the VIPs, and its router."""

    network: IPv4Network
    gateway: IPv4Address


@dataclass(frozen=True, kw_only=True)
class RoutersModel(Pair[Router, RouterVip]):
    """A pair of routers (or one), and everything decided about them.

    `balancers` are the balancers' LAN VIPs, targets of the public VIPs in turn; `inside` the
    ranges that never legitimately arrive from the WAN; `open_ports` what other layers' daemons on
    the routers listen on; `neighbours` whom a router asks on its legs (`wan`, `lan`); `peering`
    their BGP sessions. `deny` and `deny6` are sources that get nothing from the WAN; of dropped
    packets `log_drops_per_minute` are logged at most, 0 for none. With `lan6`, the LAN's IPv6
    network, visitors come by IPv6 too, and are forwarded to `balancers6`. `outbound` is what the
    LAN may reach, None everything. With an `uplink` the routers' own addresses on the WAN are
    between the two alone. `snippets` are the stack's own rules by chain, as nftables has
    them.
    """

    vrrp: Vrrp
    limits: ConnectionLimits
    public_ports: tuple[int, ...]
    management_sources: tuple[IPv4Network, ...]
    balancers: tuple[IPv4Address, ...]
    inside: tuple[IPv4Network, ...]
    open_ports: tuple[OpenPort, ...] = ()
    neighbours: Mapping[str, tuple[IPv4Address, ...]] = field(default_factory=dict)
    peering: Peering | None = None
    deny: tuple[IPv4Network, ...] = ()
    deny6: tuple[IPv6Network, ...] = ()
    forwards: tuple[Forward, ...] = ()
    log_drops_per_minute: int = 0
    lan6: IPv6Network | None = None
    balancers6: tuple[IPv6Address, ...] = ()
    outbound: tuple[Outbound, ...] | None = None
    snippets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    uplink: Uplink | None = None
    lan_mtu: int = 1500
    wan_mtu: int = 1500

    def link(self, name: str) -> Link | None:
        """The link of the router `name` to its peer; `None` when it has none."""
        ours, peer = self.member(name).sync, self.peer(name)
        if ours is None or peer is None or peer.sync is None:
            return None
        return Link(ours=ours, theirs=peer.sync)

    def home(self, name: str) -> RouterVip:
        """The group whose addresses `name` translates to.

        The first it owns, else the first of all: translating to a VIP keeps a connection alive
        when the VIP moves, translating to a router's own address would not.
        """
        return next((vip for vip in self.vips if vip.owner == name), self.vips[0])

    @property
    def public(self) -> tuple[IPv4Address, ...]:
        """All public VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.wan)

    @property
    def public6(self) -> tuple[IPv6Address, ...]:
        """All public IPv6 VIPs."""
        return tuple(address for vip in self.vips for address in vip.wan6)

    @property
    def gateways6(self) -> tuple[IPv6Address, ...]:
        """All IPv6 VIPs on the LAN."""
        return tuple(address for vip in self.vips for address in vip.lan6)

    @property
    def forwarded(self) -> tuple[IPv4Address, ...]:
        """Public VIPs of the router that everybody inside answers by: the first group's owner."""
        return tuple(a for vip in self.vips if vip.owner == self.vips[0].owner for a in vip.wan)

    @property
    def gateways(self) -> tuple[IPv4Address, ...]:
        """All LAN gateway VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.lan)

    @property
    def targets(self) -> tuple[tuple[IPv4Address, IPv4Address], ...]:
        """Each public VIP with the balancers' VIP its requests are forwarded to."""
        return tuple(
            (public, self.balancers[index % len(self.balancers)])
            for index, public in enumerate(self.public)
        )

    @property
    def targets6(self) -> tuple[tuple[IPv6Address, IPv6Address], ...]:
        """The same by IPv6; all are of the first group, so that every answer leaves by the default
        route."""
        return tuple(
            (public, self.balancers6[index % len(self.balancers6)])
            for index, public in enumerate(self.public6)
        )

    @property
    def source_routes(self) -> dict[IPv4Address, IPv4Address]:
        """Source-based routing: balancers' VIPs whose answers may not leave by the default route,
        the first group's gateway, and the gateway they must take: of the group their requests came
        through. Another router knows nothing of those connections, and drops what belongs to none.
        """
        groups = {address: vip for vip in self.vips for address in vip.wan}
        routes = {target: groups[public].lan[0] for public, target in self.targets}
        default = self.vips[0].lan[0]
        return {target: gateway for target, gateway in routes.items() if gateway != default}
