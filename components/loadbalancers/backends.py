"""Who requests are sent on to: the ingress, and the routes with a way of their own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from components.loadbalancers.model import HTTP_PORT, HTTPS_PORT, RoutesModel, Server
from settings.models import Route, Sharing


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend: `servers` on `port`, for requests that came over TLS (`https`) or not.

    `ingress` ones are asked behind a PROXY header, and over TLS where the request came so. A
    service of its own takes no PROXY header; `tls` says whether it speaks TLS, `health_path` what
    it is asked. `moves` is one address that the cluster moves by itself. `tracks` is the backend
    whose checks say whether the same servers are up here.
    """

    name: str
    https: bool
    sharing: Sharing
    ingress: bool
    tls: bool
    servers: tuple[Server, ...]
    port: int | None
    moves: bool = False
    health_path: str | None = None
    tracks: str | None = None


@dataclass(frozen=True, kw_only=True)
class Way:
    """A route as the frontend tells it: the conditions of all its rules, and its backends by
    whether a request came over TLS."""

    name: str
    acls: tuple[str, ...]
    conditions: str


def backends(model: RoutesModel) -> Iterator[Backend]:
    """Every backend, in the order in which requests are offered to them, the ingress' last."""
    for route in model.routes:
        for https in schemes(model):
            yield _routed(model, route, https=https)
    for service in model.services:
        for https in schemes(model):
            routed = _routed(model, service, https=https)
            if routed.ingress:
                # As everybody's; and each check is a request: an ingress that is up for one service
                # is up for all.
                own = f"ingress_{_scheme(https)}"
                routed = replace(routed, sharing=model.ingress, tracks=own)
            yield routed
    for https in schemes(model):
        yield _ingress(model, f"ingress_{_scheme(https)}", model.ingress, https=https)


def own(model: RoutesModel) -> Iterator[str]:
    """The names of those with servers other than the ingress': each may be down while it is up."""
    yield from (each.name for each in backends(model) if not each.ingress)
    yield from (f"tcp_{each.name}" for each in model.tcp_routes)


def schemes(model: RoutesModel) -> tuple[bool, ...]:
    """Whether over TLS: what is sent on at all."""
    return (True,) if model.redirect_to_https else (False, True)


def way(route: Route) -> Way:
    """The route's rules (HAProxy configuration manual, section 7): those of one name are
    alternatives, each name must hold. A line each: HAProxy takes 64 words of one."""
    rules: list[tuple[str, str]] = []
    rules += [("host", each) for each in asked_for(route.hosts)]
    rules += [("path", f"var(txn.path) -m str -- {quoted(each)}") for each in route.paths]
    rules += [("path", f"var(txn.path) {each}") for each in below(route.prefixes)]
    rules += [("method", f"method -- {each}") for each in route.methods]
    for index, (name, value) in enumerate(route.headers.items()):
        rules.append((f"header{index}", f"req.fhdr({name}) -m str -- {quoted(value)}"))
    named = list(dict.fromkeys(f"route_{route.name}_{kind}" for kind, _ in rules))
    return Way(
        name=route.name,
        acls=tuple(f"route_{route.name}_{kind} {rule}" for kind, rule in rules),
        conditions=" ".join(named),
    )


def asked_for(hosts: Sequence[str]) -> Iterator[str]:
    """The patterns of these host names, of which one must fit."""
    host = "req.hdr(host),host_only,rtrim(.),lower"
    for each in hosts:
        if each.startswith("*."):
            yield f"{host} -m reg -- ^[^.]+{each[1:].replace('.', '[.]')}$"
        else:
            yield f"{host} -m str -- {each}"


def below(prefixes: Sequence[str], flags: str = "") -> Iterator[str]:
    """The patterns of these paths with all below them, of which one must fit."""
    for each in prefixes:
        if each != "/":
            yield f"{flags}-m str -- {quoted(each)}"
        yield f"{flags}-m beg -- {quoted(each.rstrip('/') + '/')}"


def quoted(value: str) -> str:
    """A word of HAProxy's configuration (manual, section 2.2); the settings keep double quotes and
    backslashes out of it."""
    return '"' + value.replace("$", "\\$") + '"'


def cookie(server: Server) -> str:
    """What a visitor's cookie says of a node: the same on both balancers, and not its name."""
    return sha256(server.name.encode()).hexdigest()[:12]


def _routed(model: RoutesModel, route: Route, *, https: bool) -> Backend:
    name = f"route_{route.name}_{_scheme(https)}"
    if route.node_port is None:
        return _ingress(model, name, route, https=https)
    return Backend(
        name=name,
        https=https,
        sharing=route,
        ingress=False,
        tls=route.tls,
        servers=model.nodes,
        port=route.node_port,
        health_path=route.health_path,
    )


def _ingress(model: RoutesModel, name: str, sharing: Sharing, *, https: bool) -> Backend:
    moves = model.target == "load-balancer-ip"
    if moves and model.load_balancer_ip is not None:
        servers: tuple[Server, ...] = (Server(name="ingress", address=model.load_balancer_ip),)
        port: int | None = HTTPS_PORT if https else HTTP_PORT
    else:
        servers, port = model.nodes, model.https_port if https else model.http_port
    return Backend(
        name=name,
        https=https,
        sharing=sharing,
        ingress=True,
        tls=https,
        servers=servers,
        port=port,
        moves=moves,
    )


def _scheme(https: bool) -> str:
    return "https" if https else "http"
