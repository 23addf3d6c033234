"""The routers as a resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.host import dependencies
from components.routers.args import RoutersArgs
from components.routers.kinds import KINDS
from settings.models import Routers as Settings


class Routers(pulumi.ComponentResource):
    """The routers' firewall, address translation and failover, pushed one machine at a time.

    Promises: from the WAN nothing gets in but the CDN's requests to the public VIPs, whose
    clients' addresses are kept; from the LAN everything gets out, with the VIP's address; the
    addresses and the open connections move to the peer when a router, its daemons or a leg fail.
    The router that owns no VIP is changed first, and the owner only while its peer is healthy.

    Where LAN and WAN have IPv6, the same holds for requests by IPv6; else it is dropped.

    Leaves out: connections from the LAN by IPv6 (refused), DNS and NTP for the LAN, and any watch
    on the internet beyond the WAN link, since both routers would give up their addresses together
    when it is away. A kind that keeps less says so, to the stack by a warning of the settings.

    Raises `LayerError` for machines without the legs a router needs, for peers that are not on one
    subnet, and, on an update, for a CDN without ranges.
    """

    origins: Sequence[IPv4Address | IPv6Address]
    """Where the CDN connects to, as its records name it."""
    source_routes: Mapping[IPv4Address, IPv4Address]
    """Balancers' VIPs that do not answer by the default route, and the gateway of each."""
    public_vips: pulumi.Output[list[str]]
    lan_gateways: pulumi.Output[list[str]]
    """Default routes of the machines behind."""
    public_ports: pulumi.Output[list[int]]
    """TCP ports of the public VIPs that lead to the balancers."""
    owners: pulumi.Output[dict[str, str]]
    """VIP group to the router that holds it while all is well."""

    def __init__(
        self, name: str, args: RoutersArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        # What is decided: a preview shows it, though the rendered files are known late.
        decided = {
            "publicVips": [
                str(each) for vip in args.settings.vips for each in (*vip.wan, *vip.wan6)
            ],
            "publicPorts": list(args.settings.public_ports),
            **_forwards(args.settings),
        }
        super().__init__("layered-cloud:routers:Routers", name, decided, opts)
        kind = KINDS[args.settings.kind]
        given = kind.make(args, pulumi.ResourceOptions(parent=self, depends_on=dependencies(opts)))
        self.origins = given.origins
        self.source_routes = given.source_routes
        self.public_vips = pulumi.Output.from_input([str(vip) for vip in given.public_vips])
        self.lan_gateways = pulumi.Output.from_input([str(vip) for vip in given.lan_gateways])
        self.public_ports = pulumi.Output.from_input(list(given.public_ports))
        self.owners = pulumi.Output.from_input(dict(given.owners))
        self.register_outputs(
            {
                "public_vips": self.public_vips,
                "lan_gateways": self.lan_gateways,
                "public_ports": self.public_ports,
                "owners": self.owners,
                **_forwards(args.settings),
            }
        )


def _forwards(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """What leads past the balancers, as a rule over the stack asks for it: ports inside, and
    whether anybody may call."""
    found: list[dict[str, object]] = [
        {
            **{"name": each.name, "protocol": each.protocol, "anybody": not each.sources},
            **{"first": each.inside[0], "last": each.inside[1]},
        }
        for each in settings.forwards
    ]
    return {"forwards": found} if found else {}
