"""What the routers are made from, and its translation into plain values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pulumi

from components.host import Machine, OpenPort
from components.host.bgp import Peering
from components.host.pair import leg, neighbours
from components.routers.model import Router, RoutersModel, Uplink
from settings.models import Networks
from settings.models import Routers as RoutersSettings


@dataclass(frozen=True, kw_only=True)
class RoutersArgs:
    """`cdn_ranges` may arrive late; everything else is decided, and so known in a preview.

    `machines` are the routers' machines with legs on management, lan, wan and (a pair) sync;
    `balancers` the balancers' LAN VIPs, targets of the public VIPs in turn, `balancers6` those by
    IPv6. `cdn_ranges` are taken as the CDN's layer vetted them: sorted, without overlaps, of IPv6
    too where visitors come by it. `open_ports` are what other layers'
    daemons on the routers listen on; the firewall lets in nobody else. `neighbours` are machines of
    other layers on the LAN, by which a router knows that its own leg is lost. `peering` are their
    BGP sessions, `bgp_passwords` the lines NAME=PASSWORD of those that have one. A router in
    `maintenance` leaves the addresses to its peer. A changed `epoch` pushes again.
    `confirm_seconds` bounds how long a mistake that cuts off management lasts.
    """

    machines: Sequence[Machine]
    settings: RoutersSettings
    networks: Networks
    balancers: Sequence[IPv4Address]
    cdn_ranges: pulumi.Input[Sequence[str]]
    balancers6: Sequence[IPv6Address] = ()
    open_ports: Sequence[OpenPort] = ()
    neighbours: Sequence[Machine] = ()
    peering: Peering | None = None
    bgp_passwords: pulumi.Input[str] | None = None
    maintenance: Collection[str] = ()
    epoch: str = "1"
    confirm_seconds: int = 75


def model(args: RoutersArgs) -> RoutersModel:
    """The plain values of `args`, once `verify` has found nothing wrong with the machines."""
    networks = args.networks
    sync = () if networks.sync is None else (networks.sync.cidr,)
    return RoutersModel(
        members=tuple(_router(machine, paired=len(args.machines) > 1) for machine in args.machines),
        vips=tuple(args.settings.vips),
        maintenance=frozenset(args.maintenance),
        vrrp=args.settings.vrrp,
        limits=args.settings.limits,
        public_ports=tuple(args.settings.public_ports),
        management_sources=tuple(args.settings.management_sources) or (networks.management.cidr,),
        balancers=tuple(args.balancers),
        inside=(
            networks.management.cidr,
            networks.lan.cidr,
            *sync,
            networks.pods,
            networks.services,
            *(() if args.peering is None else args.peering.behind),
            *(() if args.peering is None else (each.network for each in args.peering.announce)),
        ),
        open_ports=tuple(args.open_ports),
        neighbours={
            "wan": tuple(args.settings.neighbours.wan) or (networks.wan.gateway,),
            "lan": neighbours(args.neighbours, "lan", args.settings.neighbours.lan),
        },
        peering=args.peering,
        forwards=tuple(args.settings.forwards),
        outbound=None if args.settings.outbound is None else tuple(args.settings.outbound),
        deny=tuple(each for each in args.settings.deny if isinstance(each, IPv4Network)),
        deny6=tuple(each for each in args.settings.deny if isinstance(each, IPv6Network)),
        log_drops_per_minute=args.settings.log_drops_per_minute,
        snippets=args.settings.snippets,
        lan6=networks.lan.cidr6,
        balancers6=tuple(args.balancers6),
        uplink=None
        if networks.wan.public is None
        else Uplink(network=networks.wan.public, gateway=networks.wan.gateway),
        lan_mtu=networks.lan.mtu,
        wan_mtu=networks.wan.mtu,
    )


def _router(machine: Machine, *, paired: bool) -> Router:
    return Router(
        name=machine.name,
        management=leg(machine, "management"),
        lan=leg(machine, "lan"),
        wan=leg(machine, "wan"),
        sync=leg(machine, "sync") if paired else None,
        ssh_port=machine.connection.port,
        distribution=machine.distribution,
    )
