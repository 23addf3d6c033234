"""What the balancers are made from, and its translation into plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi

from components.host import ApiEndpoint, Machine
from components.host.bgp import Peering
from components.host.pair import leg, neighbours
from components.loadbalancers.model import (
    Balancer,
    BalancersModel,
    ClientCertificate,
    Order,
    Rooms,
    RoutesModel,
    Server,
)
from settings.models import Balancers as BalancersSettings
from settings.models import Route


@dataclass(frozen=True, kw_only=True)
class BalancersBaseArgs:
    """`machines` are the balancers with legs on management and lan, `control_planes` the machines
    the API lives on. `source_routes` maps a LAN VIP whose answers do not leave by the default route
    to their gateway. `neighbours` are machines of other layers, by which, as by the control planes,
    a balancer knows that its own leg is lost. Machines in `maintenance`, of whichever layer, get
    nothing new. `services` are the public services' routes. `peering` are the routers' BGP
    sessions, `bgp_passwords` the lines NAME=PASSWORD of those that have one. A changed `epoch`
    pushes again.
    """

    machines: Sequence[Machine]
    control_planes: Sequence[Machine]
    settings: BalancersSettings
    source_routes: Mapping[IPv4Address, IPv4Address] = field(default_factory=dict)
    neighbours: Sequence[Machine] = ()
    maintenance: Collection[str] = ()
    services: Sequence[Route] = ()
    peering: Peering | None = None
    bgp_passwords: pulumi.Input[str] | None = None
    epoch: str = "1"


@dataclass(frozen=True, kw_only=True)
class BalancersRoutesArgs:
    """`nodes` are all machines of the cluster. What the platform decides arrives as inputs:
    `http_port` and `https_port`, the NodePorts of the ingress, `load_balancer_ip` (used with target
    load-balancer-ip only). `services` are the public services' routes, tried behind the settings'
    own.
    `certificate` is the PEM chain, leaf first; `key` its private key; `further` the chains of the
    further certificates, each with its key behind it, in the settings' order; `acme_token` is for
    the records of one that the balancers order. `client_ip_header` names the client when the CDN
    calls; with None nobody does, and the client is whoever connects. `cdn_ranges` are taken as the
    CDN's layer vetted them. `authorities` (PEM) sign the certificate that the CDN shows; with None
    it is asked for none. Who shows none is refused if it is required. Machines in `maintenance` get
    nothing new.
    """

    machines: Sequence[Machine]
    nodes: Sequence[Machine]
    settings: BalancersSettings
    cdn_ranges: pulumi.Input[Sequence[str]]
    client_ip_header: str | None
    http_port: pulumi.Input[int]
    https_port: pulumi.Input[int]
    load_balancer_ip: pulumi.Input[str] | None
    certificate: pulumi.Input[str]
    key: pulumi.Input[str]
    further: pulumi.Input[str] | None = None
    acme_token: pulumi.Input[str] | None = None
    authorities: pulumi.Input[str] | None = None
    certificate_required: bool = True
    maintenance: Collection[str] = ()
    services: Sequence[Route] = ()
    epoch: str = "1"


def base_model(args: BalancersBaseArgs) -> BalancersModel:
    """The plain values of `args`, once `verify` has found nothing wrong with the machines."""
    settings = args.settings
    others = [*args.neighbours, *args.control_planes]
    return BalancersModel(
        members=tuple(_balancer(machine) for machine in args.machines),
        vips=tuple(settings.vips),
        maintenance=frozenset(args.maintenance),
        vrrp=settings.vrrp,
        timeouts=settings.timeouts,
        sizes=settings.sizes,
        max_connections=settings.max_connections,
        api_port=settings.api_port,
        stats_port=settings.stats_port,
        control_planes=servers(args.control_planes, args.maintenance),
        service=tuple(settings.service_vips),
        reach=settings.reach.kind,
        peering=args.peering,
        tcp_ports=tuple(each.port for each in settings.tcp_routes),
        own_backends=bool(settings.tcp_routes)
        or any(each.node_port is not None for each in (*settings.routes, *args.services)),
        source_routes=dict(args.source_routes),
        neighbours={
            "lan": neighbours(others, "lan", settings.neighbours.lan),
            "management": neighbours(others, "management", settings.neighbours.management),
        },
        shares_tables=settings.shares_tables,
        order=order(args.machines, settings),
        logging=settings.logging,
        snippets=settings.snippets,
    )


def routes_model(
    args: BalancersRoutesArgs,
    *,
    http_port: int = 0,
    https_port: int = 0,
    load_balancer_ip: str | None = None,
) -> RoutesModel:
    """The plain values of `args` once the late ones are known (a port of 0 is none)."""
    settings = args.settings
    ordered = order(args.machines, settings)
    return RoutesModel(
        lan_vips=tuple(settings.service_vips),
        lan6_vips=tuple(settings.lan6_vips),
        target=settings.target,
        nodes=servers(args.nodes, args.maintenance),
        http_port=http_port or None,
        https_port=https_port or None,
        load_balancer_ip=IPv4Address(load_balancer_ip) if load_balancer_ip else None,
        timeouts=settings.timeouts,
        sizes=settings.sizes,
        client_ip_header=args.client_ip_header,
        client_certificate=_verified(args),
        redirect_to_https=settings.redirect_to_https,
        rooms=Rooms.of(
            settings.max_connections,
            shares_tables=settings.shares_tables,
            answers=ordered is not None and ordered.acme.traits.answers,
            tcp=sum(each.max_connections for each in settings.tcp_routes),
        ),
        per_client=settings.max_connections_per_client or settings.max_connections // 10,
        ingress=settings.ingress,
        routes=tuple(settings.routes),
        services=tuple(args.services),
        further=further_names(settings),
        order=ordered,
        shares_tables=settings.shares_tables,
        rate=settings.rate_per_client,
        sources=settings.sources,
        filter=settings.filter,
        answers=settings.answers,
        page=settings.maintenance_page,
        tcp_routes=tuple(settings.tcp_routes),
        logging=settings.logging,
        snippets=settings.snippets,
    )


def _verified(args: BalancersRoutesArgs) -> ClientCertificate | None:
    if args.authorities is None:
        return None
    return "required" if args.certificate_required else "optional"


def further_names(settings: BalancersSettings) -> tuple[str, ...]:
    """What the certificates beside the first are called."""
    return tuple(each.name for each in settings.certificate.further)


def order(machines: Sequence[Machine], settings: BalancersSettings) -> Order | None:
    """The certificate that each of the machines orders for itself; None where one is pushed."""
    acme, names = settings.certificate.ordered, settings.certificate.names
    if acme is None:
        return None
    return Order(names=tuple(names), acme=acme, balancers=servers(machines))


def api_endpoint(settings: BalancersSettings) -> ApiEndpoint:
    """The first group's first addresses; those of further groups serve the API too."""
    lan, management = settings.vips[0].lan[0], settings.vips[0].management[0]
    served = (address for vip in settings.vips for address in (*vip.lan, *vip.management))
    return ApiEndpoint(
        lan=lan,
        management=management,
        others=tuple(address for address in served if address not in (lan, management)),
        port=settings.api_port,
    )


def servers(machines: Sequence[Machine], maintenance: Collection[str] = ()) -> tuple[Server, ...]:
    """The machines as backends, by their LAN addresses; those named get nothing."""
    return tuple(
        Server(
            name=each.name,
            address=each.address("lan"),
            maintenance=each.name in maintenance,
        )
        for each in machines
    )


def _balancer(machine: Machine) -> Balancer:
    return Balancer(
        name=machine.name,
        management=leg(machine, "management"),
        lan=leg(machine, "lan"),
        distribution=machine.distribution,
    )
