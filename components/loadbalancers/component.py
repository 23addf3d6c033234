"""The balancers as resources: the base first, the routes when the cluster is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address

import pulumi

from components.host import (
    ApiEndpoint,
    HostConfigurationArgs,
    LayerError,
    Machine,
    dependencies,
    summed,
)
from components.host.exporters import targets, urls
from components.host.pair import Pair, owner_guard
from components.host.pairs import in_turn
from components.host.passwords import passwords
from components.host.target import Target
from components.loadbalancers import certbot
from components.loadbalancers.args import (
    BalancersBaseArgs,
    BalancersRoutesArgs,
    api_endpoint,
    base_model,
    further_names,
    order,
    routes_model,
)
from components.loadbalancers.model import RoutesModel
from components.loadbalancers.parts import parts, routes_parts
from components.loadbalancers.verify import verify, verify_ranges, verify_routes
from settings.models import Balancers, BalancerVip, bundles


class BalancersBase(pulumi.ComponentResource):
    """HAProxy and keepalived: the VIPs, the Kubernetes API behind them, the statistics.

    Promises: each VIP is on exactly one balancer, and leaves it when its HAProxy dies, hangs, or
    a leg is lost; where requests come by BGP, the service's addresses are announced by every
    balancer that answers them, and by no other. API connections go only to control planes that say
    they are ready. The balancer that owns no VIP is changed first, and one that holds an address
    only while another one is healthy.

    Leaves out: the service's own routes (`BalancersRoutes`, a push of its own, since what it
    needs is known later), and a firewall: the balancers stand behind the routers'.

    Raises `LayerError` for machines without the legs a balancer needs, and for peers that are not
    on one subnet.
    """

    api: ApiEndpoint
    """The same for the layers behind: decided, and so known in a preview."""
    senders: Sequence[IPv4Address]
    """The balancers' own LAN addresses: who sends PROXY headers to the ingress."""
    api_endpoint: pulumi.Output[str]
    """`ADDRESS:PORT` on the LAN: the cluster's controlPlaneEndpoint."""
    api_management_endpoint: pulumi.Output[str]
    """`ADDRESS:PORT` on the management network: where the program itself reaches the API."""
    lan_vips: pulumi.Output[list[str]]
    """Where the routers forward to."""
    management_vips: pulumi.Output[list[str]]
    exporters: Mapping[str, Sequence[str]]
    """Machine to the URLs of its metrics (Prometheus text format)."""
    targets: Sequence[Target]
    """The same, each with its name, for who reads them."""
    owners: pulumi.Output[dict[str, str]]
    """VIP group to the balancer that holds it while all is well."""

    def __init__(
        self, name: str, args: BalancersBaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:loadbalancers:Base", name, {}, opts)
        if problems := verify(args.machines):
            raise LayerError("balancers", problems)
        model = base_model(args)
        pair = _pair(args.machines, args.settings, args.maintenance)
        secrets = _passwords(args)
        whole = {
            each.name: summed("loadbalancers.base", parts(model, each)) for each in model.members
        }

        def pushed(machine: str) -> HostConfigurationArgs:
            return HostConfigurationArgs.of(
                whole[machine],
                machine=pair.member(machine),
                secrets=secrets,
                owner_guard=owner_guard(_vips(args.settings), _peer(pair, machine)),
                epoch=args.epoch,
            )

        in_turn(
            [each.name for each in pair.rollout()],
            "base",
            pushed,
            pulumi.ResourceOptions(parent=self, depends_on=dependencies(opts)),
        )
        api = self.api = api_endpoint(args.settings)
        self.senders = [each.lan.ip for each in model.members]
        self.api_endpoint = pulumi.Output.from_input(f"{api.lan}:{api.port}")
        self.api_management_endpoint = pulumi.Output.from_input(f"{api.management}:{api.port}")
        forwarded = (*model.service, *args.settings.lan6_vips)
        self.lan_vips = pulumi.Output.from_input([str(vip) for vip in forwarded])
        self.management_vips = pulumi.Output.from_input([str(vip) for vip in model.management_vips])
        self.exporters = {
            machine.name: urls(machine, whole[machine.name].exporters) for machine in args.machines
        }
        self.targets = [
            each
            for machine in args.machines
            for each in targets(machine, whole[machine.name].exporters)
        ]
        self.owners = pulumi.Output.from_input({vip.name: model.holder(vip) for vip in model.vips})
        self.register_outputs(
            {
                "api_endpoint": self.api_endpoint,
                "api_management_endpoint": self.api_management_endpoint,
                "lan_vips": self.lan_vips,
                "management_vips": self.management_vips,
                "exporters": self.exporters,
                "owners": self.owners,
            }
        )


class BalancersRoutes(pulumi.ComponentResource):
    """HTTP and HTTPS on the LAN VIPs, sent to the ingress of every node that runs it.

    Promises: the ingress sees the client's own address (PROXY v2), named by the CDN's header when
    and only when the CDN calls; nobody else's word about addresses passes; a request that came
    over TLS goes on over TLS, so that the ingress itself sees which scheme it was; a request is
    retried only when no connection came about, so that none is acted upon twice. With
    `authorities`, HTTPS is spoken only with who shows a certificate that they signed, if it is
    required. Where balancers order their certificate, what is pushed is shown until it has come.

    Leaves out: caching and rewriting (the CDN's and the ingress' business).

    Raises `LayerError`, on an update, when the live ingress has no port or address to send
    requests to, and for a CDN without ranges.
    """

    def __init__(
        self, name: str, args: BalancersRoutesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:loadbalancers:Routes", name, {}, opts)
        pair = _pair(args.machines, args.settings, args.maintenance)
        whole = summed(
            "loadbalancers.routes",
            routes_parts(
                further_names(args.settings),
                args.settings.sources,
                args.settings.maintenance_page,
                args.settings.tcp_routes,
                order=order(args.machines, args.settings),
                authorities=args.authorities is not None,
            ),
        )
        late = {
            "routes": _routes(args),
            "cdn_ranges": _believed(args),
            # Not a secret even when it was kept beside the key: only the key is.
            "certificate": pulumi.Output.unsecret(pulumi.Output.from_input(args.certificate)),
        }
        if args.authorities is not None:
            signers = pulumi.Output.from_input(args.authorities)
            late["authorities"] = pulumi.Output.unsecret(signers)

        def pushed(machine: str) -> HostConfigurationArgs:
            return HostConfigurationArgs.of(
                whole,
                machine=pair.member(machine),
                late=late,
                secrets={"key": args.key, **_further(args), **_token(args)},
                owner_guard=owner_guard(_vips(args.settings), _peer(pair, machine)),
                epoch=args.epoch,
            )

        in_turn(
            [each.name for each in pair.rollout()],
            "routes",
            pushed,
            pulumi.ResourceOptions(parent=self, depends_on=dependencies(opts)),
        )
        self.register_outputs({})


def _pair(
    machines: Sequence[Machine], settings: Balancers, maintenance: Collection[str]
) -> Pair[Machine, BalancerVip]:
    return Pair(
        members=tuple(machines), vips=tuple(settings.vips), maintenance=frozenset(maintenance)
    )


def _peer(pair: Pair[Machine, BalancerVip], name: str) -> IPv4Address | None:
    """Where the health of another one is asked for."""
    asked = pair.asked(name)
    return None if asked is None else asked.address("lan")


def _vips(settings: Balancers) -> tuple[IPv4Address, ...]:
    moving = (each for vip in settings.vips for each in (*vip.lan, *vip.management))
    return (*moving, *settings.reach.vips)


def _passwords(args: BalancersBaseArgs) -> dict[str, pulumi.Output[str]]:
    """Of the sessions with the routers."""
    group = None if args.peering is None else args.peering.balancers
    names = () if group is None or group.secret is None else (group.secret,)
    return {f"bgp-{name}": each for name, each in passwords(args.bgp_passwords, names).items()}


def _routes(args: BalancersRoutesArgs) -> pulumi.Output[RoutesModel]:
    """The routes once the ingress is live.

    Waits only for what the target needs: a value that is not known yet would hide the whole file's
    diff.
    """
    if args.settings.target == "node-port":
        ports = pulumi.Output.all(args.http_port, args.https_port)
        live = ports.apply(lambda each: routes_model(args, http_port=each[0], https_port=each[1]))
    else:
        address = pulumi.Output.from_input(args.load_balancer_ip)
        live = address.apply(lambda each: routes_model(args, load_balancer_ip=each))
    return live.apply(_leading_somewhere)


def _further(args: BalancersRoutesArgs) -> dict[str, pulumi.Output[str]]:
    """The chain and key of each further certificate; the settings have counted them."""
    given = pulumi.Output.secret("" if args.further is None else args.further)

    def bundle(index: int) -> pulumi.Output[str]:
        return given.apply(lambda text: bundles(text)[index].text.rstrip())

    names = further_names(args.settings)
    return {f"further_{name}": bundle(index) for index, name in enumerate(names)}


def _token(args: BalancersRoutesArgs) -> dict[str, pulumi.Output[str]]:
    """Of the records that prove an ordered certificate's names."""
    acme = args.settings.certificate.ordered
    if acme is None or not acme.traits.zones or args.acme_token is None:
        return {}
    return {certbot.TOKEN: pulumi.Output.secret(args.acme_token)}


def _leading_somewhere(model: RoutesModel) -> RoutesModel:
    if problems := verify_routes(model):
        raise LayerError("balancers", problems)
    return model


def _believed(args: BalancersRoutesArgs) -> pulumi.Input[Sequence[str]]:
    """Who may name a client's address: the CDN; without one, nobody."""
    if args.client_ip_header is None:
        return []
    return pulumi.Output.from_input(args.cdn_ranges).apply(_some)


def _some(ranges: Sequence[str]) -> list[str]:
    if problems := verify_ranges(ranges):
        raise LayerError("balancers", problems)
    return list(ranges)
