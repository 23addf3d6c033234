"""The balancers as resources: the base first, the routes when the cluster is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address

import pulumi

from components.host import (
    ApiEndpoint,
    Check,
    File,
    Health,
    HostConfiguration,
    HostConfigurationArgs,
    Machine,
    Package,
    PeerGuard,
    Service,
    Step,
    dependencies,
)
from components.loadbalancers import render
from components.loadbalancers.args import (
    BalancersBaseArgs,
    BalancersRoutesArgs,
    api_endpoint,
    base_model,
    routes_model,
)
from components.loadbalancers.model import HEALTH_PORT, BaseModel
from components.loadbalancers.verify import cdn_ranges, verify_base, verify_routes

_APPLY_SYSCTLS = f"[ ! -e {render.SYSCTL} ] || exec /lib/systemd/systemd-sysctl {render.SYSCTL}"
_ASK_PEER = (
    'exec 3<>"/dev/tcp/$1/$2" || exit 1; read -r -t 5 said <&3; '
    '[ "$said" = healthy ] && exit 0; echo "$1 says: $said" >&2; exit 1'
)
HAPROXY_CHECK = ("/usr/sbin/haproxy", "-c", "-f", render.DIRECTORY)
KEEPALIVED_CHECK = ("/usr/sbin/keepalived", "-t", "-f", render.KEEPALIVED)
_HAPROXY_HEALTH = Health(argv=(render.ALIVE,))


class BalancersBase(pulumi.ComponentResource):
    """HAProxy and keepalived: the VIPs, the Kubernetes API behind them, the statistics.

    Promises: each VIP is on exactly one balancer, and leaves it when its HAProxy dies, hangs, or
    a leg is lost; API connections go only to control planes that say they are ready. The balancer
    that owns no VIP is changed first, and the owner only while its peer is healthy.

    Leaves out: the service's own routes (`BalancersRoutes`, a push of its own, since what it
    needs is known later), and a firewall: the balancers stand behind the routers'.

    Raises `BalancersError` when the settings make no sense together.
    """

    api: ApiEndpoint
    """The same for the layers behind: decided, and so known in a preview."""
    senders: Sequence[IPv4Address]
    """The balancers' own LAN addresses: who sends PROXY headers to the ingress."""
    api_endpoint: pulumi.Output[str]
    """`ADDRESS:PORT` on the LAN: the cluster's controlPlaneEndpoint."""
    api_management_endpoint: pulumi.Output[str]
    """`ADDRESS:PORT` on the management network: where the program itself reaches the API."""
    api_names: pulumi.Output[list[str]]
    """Addresses that the API's certificate must name."""
    lan_vips: pulumi.Output[list[str]]
    """Where the routers forward to."""
    management_vips: pulumi.Output[list[str]]
    addresses: pulumi.Output[list[str]]
    """`senders`, as text."""
    stats_endpoints: pulumi.Output[dict[str, str]]
    """Machine to `ADDRESS:PORT` of its statistics and Prometheus endpoint (/metrics)."""
    owners: pulumi.Output[dict[str, str]]
    """VIP group to the balancer that holds it while all is well."""
    configurations: Mapping[str, HostConfiguration]
    """By machine."""

    def __init__(
        self, name: str, args: BalancersBaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:loadbalancers:Base", name, {}, opts)
        model = base_model(args)
        verify_base(model)
        machines = {machine.name: machine for machine in args.machines}
        configurations: dict[str, HostConfiguration] = {}
        for balancer in model.rollout():
            configurations[balancer] = HostConfiguration(
                f"{balancer}-base",
                _base(args, model, machines[balancer]),
                pulumi.ResourceOptions(
                    parent=self, depends_on=[*dependencies(opts), *configurations.values()]
                ),
            )
        self.configurations = configurations
        lan, management = model.lan_vips, model.management_vips
        api = self.api = api_endpoint(args.settings)
        self.senders = [each.lan.ip for each in model.balancers]
        self.api_endpoint = pulumi.Output.from_input(f"{api.lan}:{api.port}")
        self.api_management_endpoint = pulumi.Output.from_input(f"{api.management}:{api.port}")
        self.api_names = pulumi.Output.from_input([str(vip) for vip in (*lan, *management)])
        self.lan_vips = pulumi.Output.from_input([str(vip) for vip in lan])
        self.management_vips = pulumi.Output.from_input([str(vip) for vip in management])
        self.addresses = pulumi.Output.from_input([str(each) for each in self.senders])
        self.stats_endpoints = pulumi.Output.from_input(
            {each.name: f"{each.management.ip}:{model.stats_port}" for each in model.balancers}
        )
        self.owners = pulumi.Output.from_input({vip.name: vip.owner for vip in model.vips})
        self.register_outputs(
            {
                "api_endpoint": self.api_endpoint,
                "api_management_endpoint": self.api_management_endpoint,
                "api_names": self.api_names,
                "lan_vips": self.lan_vips,
                "management_vips": self.management_vips,
                "addresses": self.addresses,
                "stats_endpoints": self.stats_endpoints,
                "owners": self.owners,
            }
        )


class BalancersRoutes(pulumi.ComponentResource):
    """HTTP and HTTPS on the LAN VIPs, sent to the ingress of every node that runs it.

    Promises: the ingress sees the client's own address (PROXY v2), named by the CDN's header when
    and only when the CDN calls; nobody else's word about addresses passes; a request that came
    over TLS goes on over TLS, so that the ingress itself sees which scheme it was; a request is
    retried only when no connection came about, so that none is acted upon twice.

    Leaves out: caching and rules about requests (the CDN's and the ingress' business).

    Raises `BalancersError` when there is nowhere to send requests.
    """

    http_endpoints: pulumi.Output[list[str]]
    https_endpoints: pulumi.Output[list[str]]
    """`ADDRESS:PORT` of every LAN VIP."""
    configurations: Mapping[str, HostConfiguration]
    """By machine."""

    def __init__(
        self, name: str, args: BalancersRoutesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:loadbalancers:Routes", name, {}, opts)
        owners = {vip.owner for vip in args.settings.vips}
        machines = sorted(args.machines, key=lambda machine: machine.name in owners)
        files = _routes_files(args)
        configurations: dict[str, HostConfiguration] = {}
        for machine in machines:
            configurations[machine.name] = HostConfiguration(
                f"{machine.name}-routes",
                HostConfigurationArgs(
                    machine=machine,
                    layer="loadbalancers.routes",
                    files=files,
                    checks=(Check(name="haproxy", argv=HAPROXY_CHECK),),
                    services=(
                        Service(
                            name="haproxy.service",
                            on_change=(render.RELOAD,),
                            enable=False,  # the base has enabled it
                            health=_HAPROXY_HEALTH,
                        ),
                    ),
                    owner_guard=_guard(args.machines, machine, _vips(args)),
                    epoch=args.epoch,
                ),
                pulumi.ResourceOptions(
                    parent=self, depends_on=[*dependencies(opts), *configurations.values()]
                ),
            )
        self.configurations = configurations
        vips = args.settings.lan_vips
        self.http_endpoints = pulumi.Output.from_input([f"{vip}:80" for vip in vips])
        self.https_endpoints = pulumi.Output.from_input([f"{vip}:443" for vip in vips])
        self.register_outputs(
            {"http_endpoints": self.http_endpoints, "https_endpoints": self.https_endpoints}
        )


def _vips(args: BalancersBaseArgs | BalancersRoutesArgs) -> tuple[str, ...]:
    return tuple(str(each) for vip in args.settings.vips for each in (*vip.lan, *vip.management))


def _guard(
    machines: Sequence[Machine], machine: Machine, vips: tuple[str, ...]
) -> PeerGuard | None:
    peer = next((each for each in machines if each.name != machine.name), None)
    if peer is None:
        return None
    return PeerGuard(
        vips=vips,
        probe=(
            *("/bin/bash", "-c", _ASK_PEER, "ask-peer"),
            *(str(peer.address("lan")), str(HEALTH_PORT)),
        ),
    )


def _base(args: BalancersBaseArgs, model: BaseModel, machine: Machine) -> HostConfigurationArgs:
    texts = render.base_files(model, model.balancer(machine.name))
    health = Service(
        name="layered-health.socket",
        on_change="restart",
        watches=(render.HEALTH_SOCKET,),
        guarded=False,
    )
    return HostConfigurationArgs(
        machine=machine,
        layer="loadbalancers.base",
        packages=tuple(Package(name=name) for name in ("haproxy", "keepalived")),
        files=tuple(
            File(path=path, content=text, mode="0755" if path in render.EXECUTABLE else "0644")
            for path, text in texts.items()
        ),
        checks=(
            Check(name="haproxy", argv=HAPROXY_CHECK, watches=(render.BASE,)),
            Check(
                name="keepalived",
                argv=KEEPALIVED_CHECK,
                watches=(render.KEEPALIVED, render.ALIVE),
            ),
        ),
        steps=(
            Step(
                name="apply sysctls",
                argv=("/bin/sh", "-c", _APPLY_SYSCTLS),
                watches=(render.SYSCTL,),
            ),
        ),
        services=(
            Service(
                name="haproxy.service",
                on_change=(render.RELOAD,),
                watches=(render.BASE, render.HAPROXY_DROP_IN),
                health=_HAPROXY_HEALTH,
            ),
            Service(
                name="keepalived.service",
                on_change="reload",
                watches=(render.KEEPALIVED, render.KEEPALIVED_DROP_IN, render.ALIVE),
                health=Health(argv=("systemctl", "is-active", "--quiet", "keepalived.service")),
            ),
            *((health,) if len(model.balancers) > 1 else ()),
        ),
        owner_guard=_guard(args.machines, machine, _vips(args)),
        epoch=args.epoch,
    )


def _routes_files(args: BalancersRoutesArgs) -> tuple[File, ...]:
    def routes(late: Sequence[str | int | None]) -> str:
        http_port, https_port, health_port, address = late
        model = routes_model(
            args,
            int(http_port or 0),
            int(https_port or 0),
            int(health_port or 0),
            None if address is None else str(address),
        )
        verify_routes(model)
        return render.routes(model)

    def ranges(networks: Sequence[str]) -> str:
        return render.cdn(cdn_ranges(networks))

    # Only what the target needs: a value that is not known yet would hide the whole file's diff.
    to_nodes = args.settings.target == "node-port"
    late: pulumi.Output[list[str | int | None]] = (
        pulumi.Output.all(args.http_port, args.https_port, args.health_port, None)
        if to_nodes
        else pulumi.Output.all(None, None, None, args.load_balancer_ip)
    )
    return (
        File(path=render.ROUTES, content=late.apply(routes)),
        File(path=render.CDN, content=pulumi.Output.from_input(args.cdn_ranges).apply(ranges)),
        File(
            path=render.CERTIFICATE,
            mode="0600",
            # Not a secret even when it was kept beside the key: only the key is.
            content=pulumi.Output.unsecret(pulumi.Output.from_input(args.certificate)).apply(
                lambda chain: f"{chain.strip()}\n@@key@@\n"
            ),
            secrets={"key": args.key},
        ),
    )
