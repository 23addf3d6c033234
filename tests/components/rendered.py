"""The layers' files as they are rendered for the stacks of `stacks`."""

from __future__ import annotations

from ipaddress import IPv4Network

from components.loadbalancers import args as balancer_args
from components.loadbalancers import render as balancer_render
from components.loadbalancers.model import BaseModel, RoutesModel
from components.routers import args as router_args
from components.routers import render as router_render
from components.routers.model import RoutersModel
from settings.models import Stack
from tests.components import stacks

CDN = (IPv4Network("198.51.100.0/24"),)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n"


def routers_args(stack: Stack) -> router_args.RoutersArgs:
    """What `__main__` hands to the routers."""
    return router_args.RoutersArgs(
        machines=stacks.machines(stack, "router"),
        settings=stack.routers,
        networks=stack.networks,
        balancers=stack.balancers.lan_vips,
        cdn_ranges=[str(network) for network in CDN],
    )


def routers_model(stack: Stack) -> RoutersModel:
    """The routers as plain values."""
    return router_args.model(routers_args(stack))


def router_files(stack: Stack, name: str) -> dict[str, str]:
    """Every file of the router `name`, by path."""
    model = routers_model(stack)
    router = model.router(name)
    return {
        router_render.FIREWALL: router_render.firewall(model, router, CDN),
        **router_render.files(model, router),
    }


def base_args(stack: Stack) -> balancer_args.BalancersBaseArgs:
    """What `__main__` hands to the balancers' base."""
    return balancer_args.BalancersBaseArgs(
        machines=stacks.machines(stack, "balancer"),
        control_planes=stacks.machines(stack, "control_plane"),
        settings=stack.balancers,
        ways_back=routers_model(stack).ways_back,
    )


def base_model(stack: Stack) -> BaseModel:
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
        cdn_ranges=[str(network) for network in CDN],
        client_ip_header=stack.cdn.client_ip_header,
        http_port=ingress.node_ports.http or 0,
        https_port=ingress.node_ports.https or 0,
        health_port=ingress.node_ports.health or 0,
        load_balancer_ip=None if address is None else str(address),
        certificate=CERTIFICATE,
        key=KEY,
    )


def routes_model(stack: Stack) -> RoutesModel:
    """The balancers' routes as plain values."""
    ingress = stack.platform.ingress
    address = ingress.load_balancer_ip
    return balancer_args.routes_model(
        routes_args(stack),
        ingress.node_ports.http or 0,
        ingress.node_ports.https or 0,
        ingress.node_ports.health or 0,
        None if address is None else str(address),
    )


def balancer_files(stack: Stack, name: str) -> dict[str, str]:
    """Every file of the balancer `name` but its certificate, by path."""
    model = base_model(stack)
    return {
        **balancer_render.base_files(model, model.balancer(name)),
        balancer_render.ROUTES: balancer_render.routes(routes_model(stack)),
        balancer_render.CDN: balancer_render.cdn(CDN),
    }
