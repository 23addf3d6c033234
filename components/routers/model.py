"""The routers as plain values: what `verify` judges and `render` writes."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from components.host.pair import BACKUP_PRIORITY, OWNER_PRIORITY, Leg
from settings.models import ConnectionLimits, RouterVip, Vrrp

VRRP_PROTOCOL = 112
CONNTRACKD_PORT = 3780
"""UDP, on the sync segment."""
HEALTH_PORT = 8406
"""TCP, on the sync segment: answers `healthy` to the peer, or what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Router:
    """One router; `host` is the hypervisor it stands on, `sync` is absent when it is alone."""

    name: str
    host: str
    management: Leg
    lan: Leg
    wan: Leg
    sync: Leg | None = None
    ssh_port: int = 22

    def legs(self) -> tuple[Leg, ...]:
        """All legs, in the order of their interfaces."""
        legs = (self.management, self.lan, self.wan)
        return legs if self.sync is None else (*legs, self.sync)


@dataclass(frozen=True, kw_only=True)
class RoutersModel:
    """A pair of routers (or one), and everything decided about them.

    `balancers` are the balancers' LAN VIPs, targets of the public VIPs in turn; `inside` the
    ranges that never legitimately arrive from the WAN.
    """

    routers: tuple[Router, ...]
    vips: tuple[RouterVip, ...]
    vrrp: Vrrp
    limits: ConnectionLimits
    public_ports: tuple[int, ...]
    management_sources: tuple[IPv4Network, ...]
    balancers: tuple[IPv4Address, ...]
    inside: tuple[IPv4Network, ...]
    lan_mtu: int = 1500
    wan_mtu: int = 1500

    def router(self, name: str) -> Router:
        """The router called `name`; `KeyError` when there is none."""
        for router in self.routers:
            if router.name == name:
                return router
        raise KeyError(name)

    def peer(self, name: str) -> Router | None:
        """The other router of the pair; `None` when there is one only."""
        return next((router for router in self.routers if router.name != name), None)

    def home(self, name: str) -> RouterVip:
        """The group whose addresses `name` translates to.

        The first it owns, else the first of all: translating to a VIP keeps a connection alive
        when the VIP moves, translating to a router's own address would not.
        """
        return next((vip for vip in self.vips if vip.owner == name), self.vips[0])

    def priority(self, vip: RouterVip, name: str) -> int:
        """The VRRP priority of `name` in `vip`."""
        return OWNER_PRIORITY if vip.owner == name else BACKUP_PRIORITY

    @property
    def public(self) -> tuple[IPv4Address, ...]:
        """All public VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.wan)

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
    def ways_back(self) -> dict[IPv4Address, IPv4Address]:
        """Balancers' VIPs whose answers may not leave by the default route, the first group's
        gateway, and the gateway they must take: of the group their requests came through. Another
        router knows nothing of those connections, and drops what belongs to none."""
        groups = {address: vip for vip in self.vips for address in vip.wan}
        ways = {target: groups[public].lan[0] for public, target in self.targets}
        return {target: way for target, way in ways.items() if way != self.vips[0].lan[0]}

    def rollout(self) -> tuple[str, ...]:
        """Names in the order they are pushed: who owns no VIP first."""
        owners = {vip.owner for vip in self.vips}
        return tuple(
            router.name for router in sorted(self.routers, key=lambda router: router.name in owners)
        )
