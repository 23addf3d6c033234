"""What routers of any kind take and hand on, so that the layers around them know no kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.host import Start
from components.routers.args import RoutersArgs
from components.routers.model import RoutersModel


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a kind hands on; all decided, and so known in a preview, but the resources."""

    public_vips: tuple[IPv4Address | IPv6Address, ...]
    """Where requests arrive, group by group; those of IPv6 last."""
    origins: tuple[IPv4Address | IPv6Address, ...]
    """Where the CDN connects to, as its records name it: the public VIPs, unless something before
    the routers translates them."""
    lan_gateways: tuple[IPv4Address, ...]
    """Default routes of the machines behind; the first group's first is everybody's."""
    source_routes: Mapping[IPv4Address, IPv4Address]
    """Source-based routing: balancers' VIPs whose answers must not leave by the default route, and
    the gateway of each."""
    public_ports: tuple[int, ...]
    """TCP ports of the public VIPs that are forwarded to the balancers, from the CDN only."""
    owners: Mapping[str, str]
    """VIP group to the router that holds it while all is well."""
    configurations: Mapping[str, pulumi.Resource]
    """By router: who waits for it waits until the router works."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way to have routers. It must keep what `Routers` promises."""

    make: Callable[[RoutersArgs, pulumi.ResourceOptions], Contract]
    """Makes the routers' resources under the given options (parent and depends_on), who owns no
    VIP first, and hands on what they give. Raises `LayerError` for what settings could not know."""
    start: Start
    """What its machines start from, and whether they run our pushes. The image and the host keys of
    an appliance are the stack's to say."""
    baseline: bool
    """Whether its machines take what every machine of ours takes (`components.host.baselines`): an
    appliance has its own sshd, clock and logs, and no Python to push with."""


def contract(model: RoutersModel, configurations: Mapping[str, pulumi.Resource]) -> Contract:
    """What routers hand on that forward and translate as `model` says."""
    return Contract(
        public_vips=(*model.public, *model.public6),
        origins=(*model.public, *model.public6),
        lan_gateways=model.gateways,
        source_routes=model.source_routes,
        public_ports=model.public_ports,
        owners={vip.name: model.holder(vip) for vip in model.vips},
        configurations=configurations,
    )
