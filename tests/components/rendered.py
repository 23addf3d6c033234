"""The layers' parts and files as they are made for the stacks of `stacks`."""

from __future__ import annotations

from components.host.bgp import Peering, peering
from components.host.part import Part, summed
from components.loadbalancers import args as balancer_args
from components.loadbalancers import certbot
from components.loadbalancers import parts as balancer_parts
from components.loadbalancers.haproxy import AUTHORITIES as AUTHORITIES_PATH
from components.loadbalancers.haproxy import CERTIFICATE as CERTIFICATE_PATH
from components.loadbalancers.haproxy import FURTHER, PLACEHOLDER
from components.loadbalancers.model import BalancersModel, RoutesModel
from components.routers import args as router_args
from components.routers.linux import parts as router_parts
from components.routers.model import RoutersModel
from settings.models import EVERYBODY, EVERYBODY6, Stack
from tests.components import stacks

CDN = ["198.51.100.0/24"]
CDN6 = ["2001:db8:c::/48"]
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n"
AUTHORITIES = "-----BEGIN CERTIFICATE-----\nauthority\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n"


def ranges(stack: Stack) -> list[str]:
    """Who may call, as the CDN's layer says."""
    if not stack.cdn.traits.present:
        return [EVERYBODY, *([EVERYBODY6] if stack.networks.ipv6 else [])]
    return [*CDN, *(CDN6 if stack.networks.ipv6 else [])]


def believed(stack: Stack) -> list[str]:
    """Who may name a client's address."""
    return ranges(stack) if stack.cdn.traits.present else []


def sessions(stack: Stack) -> Peering | None:
    """The routers' BGP sessions."""
    return peering(
        stack.routers,
        stack.networks,
        pool=stack.platform.metallb.pool,
        routers=stacks.machines(stack, "router"),
        nodes=[*stacks.machines(stack, "control_plane"), *stacks.machines(stack, "worker")],
        maintenance=stack.maintenance.machines,
        balancers=stacks.machines(stack, "balancer"),
        service=stack.balancers.service_vips,
        figures=stack.access.node_exporter,
    )


def routers_args(stack: Stack) -> router_args.RoutersArgs:
    """What `__main__` hands to the routers."""
    return router_args.RoutersArgs(
        machines=stacks.machines(stack, "router"),
        settings=stack.routers,
        networks=stack.networks,
        balancers=stack.balancers.service_vips,
        balancers6=stack.balancers.lan6_vips,
        cdn_ranges=ranges(stack),
        neighbours=[*stacks.machines(stack, "balancer"), *stacks.machines(stack, "control_plane")],
        peering=sessions(stack),
        maintenance=stack.maintenance.machines,
    )


def routers_model(stack: Stack) -> RoutersModel:
    """The routers as plain values."""
    return router_args.model(routers_args(stack))


def router_whole(stack: Stack, name: str) -> Part:
    """All parts of the router `name`, as one."""
    model = routers_model(stack)
    return summed("routers", router_parts.parts(model, model.member(name)))


def router_files(stack: Stack, name: str) -> dict[str, str]:
    """Every file of the router `name`, by path."""
    return router_whole(stack, name).texts(cdn_ranges=ranges(stack))


def base_args(stack: Stack) -> balancer_args.BalancersBaseArgs:
    """What `__main__` hands to the balancers' base."""
    return balancer_args.BalancersBaseArgs(
        machines=stacks.machines(stack, "balancer"),
        control_planes=stacks.machines(stack, "control_plane"),
        settings=stack.balancers,
        source_routes=routers_model(stack).source_routes,
        neighbours=stacks.machines(stack, "router"),
        maintenance=stack.maintenance.machines,
        services=stack.service_routes,
        peering=sessions(stack),
    )


def base_model(stack: Stack) -> BalancersModel:
    """The balancers' base as plain values."""
    return balancer_args.base_model(base_args(stack))


def routes_args(stack: Stack) -> balancer_args.BalancersRoutesArgs:
    """What `__main__` hands to the balancers' routes, decided values in place of late ones."""
    ingress = stack.platform.ingress
    address = ingress.load_balancer_ip
    return balancer_args.BalancersRoutesArgs(
        machines=stacks.machines(stack, "balancer"),
        nodes=[*stacks.machines(stack, "control_plane"), *stacks.machines(stack, "worker")],
        settings=stack.balancers,
        services=stack.service_routes,
        cdn_ranges=ranges(stack),
        client_ip_header=stack.cdn.client_header,
        http_port=ingress.node_ports.http or 0,
        https_port=ingress.node_ports.https or 0,
        load_balancer_ip=None if address is None else str(address),
        certificate=CERTIFICATE,
        key=KEY,
        authorities=None if stack.cdn.origin_pulls is None else AUTHORITIES,
        certificate_required=stack.cdn.origin_pulls is None or stack.cdn.origin_pulls.required,
        maintenance=stack.maintenance.machines,
    )


def routes_model(stack: Stack) -> RoutesModel:
    """The balancers' routes as plain values."""
    ingress = stack.platform.ingress
    address = ingress.load_balancer_ip
    return balancer_args.routes_model(
        routes_args(stack),
        http_port=ingress.node_ports.http or 0,
        https_port=ingress.node_ports.https or 0,
        load_balancer_ip=None if address is None else str(address),
    )


def balancer_whole(stack: Stack, name: str) -> Part:
    """All parts of the balancer `name`, of both pushes, as one."""
    model = base_model(stack)
    base = balancer_parts.parts(model, model.member(name))
    further = balancer_args.further_names(stack.balancers)
    asked = stack.cdn.origin_pulls is not None
    routes = balancer_parts.routes_parts(
        further,
        stack.balancers.sources,
        stack.balancers.maintenance_page,
        stack.balancers.tcp_routes,
        order=balancer_args.order(stacks.machines(stack, "balancer"), stack.balancers),
        authorities=asked,
    )
    return summed("balancers", (*base, *routes))


def balancer_files(stack: Stack, name: str) -> dict[str, str]:
    """Every file of the balancer `name` but certificates and who signs others', by path."""
    files = balancer_whole(stack, name).texts(
        routes=routes_model(stack),
        cdn_ranges=believed(stack),
        certificate=CERTIFICATE,
        authorities=AUTHORITIES,
    )
    for path in certificate_paths(stack):
        del files[path]
    for path in (AUTHORITIES_PATH, certbot.AUTHORITIES):
        files.pop(path, None)
    return files


def certificate_paths(stack: Stack) -> list[str]:
    """Where the certificates with their keys lie on a balancer."""
    further = balancer_args.further_names(stack.balancers)
    ordered = stack.balancers.certificate.ordered is not None
    first = PLACEHOLDER if ordered else CERTIFICATE_PATH
    return [first, *(FURTHER.format(name=name) for name in further)]


def executable(whole: Part) -> dict[str, int]:
    """The modes of the files that are scripts, by path."""
    return {file.path: 0o755 for file in whole.files if file.mode == "0755"}
