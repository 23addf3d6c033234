"""The routers as a resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address

import pulumi

from components.host import (
    Check,
    ConfirmPolicy,
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
from components.routers import render
from components.routers.args import RoutersArgs, model
from components.routers.model import HEALTH_PORT, Router, RoutersModel
from components.routers.verify import cdn_ranges, verify

LAYER = "routers"

# The table goes with its file: a first set that is put back must not stay in the kernel.
LOAD_FIREWALL = (
    f"if [ -e {render.FIREWALL} ]; then exec /usr/sbin/nft -f {render.FIREWALL}; fi; "
    "! /usr/sbin/nft list table inet layered >/dev/null 2>&1 || "
    "exec /usr/sbin/nft delete table inet layered"
)
_APPLY_SYSCTLS = f"[ ! -e {render.SYSCTL} ] || exec /lib/systemd/systemd-sysctl {render.SYSCTL}"
# conntrackd has no checker of its own, but every request to it parses the file first.
_CHECK_CONNTRACKD = (
    f"said=$(/usr/sbin/conntrackd -C {render.CONNTRACKD} -s 2>&1) && exit 0; "
    'case "$said" in *"[warning]"*) ;; *"is conntrackd running"*) exit 0 ;; esac; '
    "printf '%s\\n' \"$said\" >&2; exit 1"
)
_ASK_PEER = (
    'exec 3<>"/dev/tcp/$1/$2" || exit 1; read -r -t 5 said <&3; '
    '[ "$said" = healthy ] && exit 0; echo "$1 says: $said" >&2; exit 1'
)


class Routers(pulumi.ComponentResource):
    """The routers' firewall, address translation and failover, pushed one machine at a time.

    Promises: from the WAN nothing gets in but the CDN's requests to the public VIPs, whose
    clients' addresses are kept; from the LAN everything gets out, with the VIP's address; the
    addresses and the open connections move to the peer when a router, its daemons or a leg fail.
    The router that owns no VIP is changed first, and the owner only while its peer is healthy.

    Leaves out: IPv6 (dropped), DNS and NTP for the LAN, and any watch on the internet beyond the
    WAN link, since both routers would give up their addresses together when it is away.

    Raises `RoutersError` when the settings make no sense together.
    """

    origins: Sequence[IPv4Address]
    """The public VIPs, as the CDN's records name them."""
    ways_back: Mapping[IPv4Address, IPv4Address]
    """Balancers' VIPs that do not answer by the default route, and the gateway of each."""
    public_vips: pulumi.Output[list[str]]
    lan_gateways: pulumi.Output[list[str]]
    """Default routes of the machines behind."""
    public_ports: pulumi.Output[list[int]]
    owners: pulumi.Output[dict[str, str]]
    """VIP group to the router that holds it while all is well."""
    configurations: Mapping[str, HostConfiguration]
    """By machine."""

    def __init__(
        self, name: str, args: RoutersArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:routers:Routers", name, {}, opts)
        routers = model(args)
        verify(routers)
        machines = {machine.name: machine for machine in args.machines}
        configurations: dict[str, HostConfiguration] = {}
        for router_name in routers.rollout():
            configurations[router_name] = HostConfiguration(
                f"{router_name}-routers",
                _configuration(args, routers, machines[router_name]),
                pulumi.ResourceOptions(
                    parent=self, depends_on=[*dependencies(opts), *configurations.values()]
                ),
            )
        self.configurations = configurations
        self.origins = routers.public
        self.ways_back = routers.ways_back
        self.public_vips = pulumi.Output.from_input([str(vip) for vip in routers.public])
        self.lan_gateways = pulumi.Output.from_input([str(vip) for vip in routers.gateways])
        self.public_ports = pulumi.Output.from_input(list(routers.public_ports))
        self.owners = pulumi.Output.from_input({vip.name: vip.owner for vip in routers.vips})
        self.register_outputs(
            {
                "public_vips": self.public_vips,
                "lan_gateways": self.lan_gateways,
                "public_ports": self.public_ports,
                "owners": self.owners,
            }
        )


def _configuration(
    args: RoutersArgs, routers: RoutersModel, machine: Machine
) -> HostConfigurationArgs:
    router = routers.router(machine.name)
    paired = routers.peer(machine.name) is not None

    def firewall(ranges: Sequence[str]) -> str:
        return render.firewall(routers, router, cdn_ranges(ranges))

    return HostConfigurationArgs(
        machine=machine,
        layer=LAYER,
        packages=_packages(paired=paired),
        files=(
            File(
                path=render.FIREWALL,
                content=pulumi.Output.from_input(args.cdn_ranges).apply(firewall),
            ),
            *(
                File(path=path, content=text, mode="0755" if path in render.EXECUTABLE else "0644")
                for path, text in render.files(routers, router).items()
            ),
        ),
        checks=checks(paired=paired),
        steps=(
            Step(
                name="load the firewall",
                argv=("/bin/sh", "-c", LOAD_FIREWALL),
                watches=(render.FIREWALL,),
            ),
            Step(
                name="apply sysctls",
                argv=("/bin/sh", "-c", _APPLY_SYSCTLS),
                watches=(render.SYSCTL,),
            ),
        ),
        services=services(paired=paired),
        confirm=ConfirmPolicy(seconds=args.confirm_seconds),
        owner_guard=_guard(routers, router),
        epoch=args.epoch,
    )


def _packages(*, paired: bool) -> tuple[Package, ...]:
    names = ("nftables", "keepalived", "conntrack", *(("conntrackd",) if paired else ()))
    return tuple(Package(name=each) for each in names)


def checks(*, paired: bool) -> tuple[Check, ...]:
    """The checkers of a router's daemons: they take its files, or say what is wrong with them."""
    always = (
        Check(
            name="nftables",
            argv=("/usr/sbin/nft", "-c", "-f", render.FIREWALL),
            watches=(render.FIREWALL,),
        ),
        Check(
            name="keepalived",
            argv=("/usr/sbin/keepalived", "-t", "-f", render.KEEPALIVED),
            watches=(render.KEEPALIVED, render.FAILOVER),
        ),
    )
    if not paired:
        return always
    conntrackd = Check(
        name="conntrackd",
        argv=("/bin/sh", "-c", _CHECK_CONNTRACKD),
        watches=(render.CONNTRACKD,),
    )
    return (*always, conntrackd)


def services(*, paired: bool) -> tuple[Service, ...]:
    """A router's units, in the order they are brought up."""
    firewall = Service(
        name="layered-firewall.service",
        on_change="none",  # the step has loaded it
        watches=(render.FIREWALL, render.FIREWALL_UNIT, render.SYSCTL),
        health=Health(argv=("/usr/sbin/nft", "list", "table", "inet", "layered"), seconds=5),
    )
    keepalived = Service(
        name="keepalived.service",
        on_change="reload",
        watches=(render.KEEPALIVED, render.KEEPALIVED_DROP_IN, render.FAILOVER),
        health=Health(argv=("systemctl", "is-active", "--quiet", "keepalived.service")),
    )
    if not paired:
        return (firewall, keepalived)
    conntrackd = Service(
        name="conntrackd.service",
        on_change="restart",
        watches=(render.CONNTRACKD, render.CONNTRACKD_DROP_IN),
        health=Health(argv=("/usr/sbin/conntrackd", "-C", render.CONNTRACKD, "-s")),
    )
    health = Service(
        name="layered-health.socket",
        on_change="restart",
        watches=(render.HEALTH_SOCKET,),
        guarded=False,
    )
    return (firewall, conntrackd, keepalived, health)


def _guard(routers: RoutersModel, router: Router) -> PeerGuard | None:
    peer = routers.peer(router.name)
    if peer is None or peer.sync is None:
        return None
    return PeerGuard(
        vips=tuple(str(vip) for vip in (*routers.public, *routers.gateways)),
        probe=("/bin/bash", "-c", _ASK_PEER, "ask-peer", str(peer.sync.ip), str(HEALTH_PORT)),
    )
