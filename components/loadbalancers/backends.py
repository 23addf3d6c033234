"""Who requests are sent on to: the ingress, and the routes with a way of their own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from components.loadbalancers.model import HTTP_PORT, HTTPS_PORT, RoutesModel, Server
from settings.models import Route, Sharing


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend: `servers` on `port`, for requests that came over TLS (`https`) or not.

    `ingress` ones are asked behind a PROXY header, and over TLS where the request came so. A
    service of its own takes no PROXY header; `tls` says whether it speaks TLS, `health_path` what
    it is asked. `moves` is one address that the cluster moves by itself.
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
    for https in schemes(model):
        yield _ingress(model, f"ingress_{_scheme(https)}", model.ingress, https=https)


def schemes(model: RoutesModel) -> tuple[bool, ...]:
    """Whether over TLS: what is sent on at all."""
    return (True,) if model.redirect_to_https else (False, True)


def way(route: Route) -> Way:
    """The route's rules (HAProxy configuration manual, section 7): values of one rule are
    alternatives, the rules must all hold."""
    rules: list[tuple[str, str]] = []
    plain = [each for each in route.hosts if not each.startswith("*.")]
    wide = [each for each in route.hosts if each.startswith("*.")]
    host = "req.hdr(host),host_only,rtrim(.),lower"
    if plain:
        rules.append(("host", f"{host} -m str -- {' '.join(plain)}"))
    for each in wide:
        rules.append(("host", f"{host} -m reg -- ^[^.]+{each[1:].replace('.', '[.]')}$"))
    below = [f"{each.rstrip('/')}/" for each in route.prefixes]
    whole = [*route.paths, *(each for each in route.prefixes if each != "/")]
    if whole:
        rules.append(("path", f"var(txn.path) -m str -- {_quoted(whole)}"))
    if below:
        rules.append(("path", f"var(txn.path) -m beg -- {_quoted(below)}"))
    if route.methods:
        rules.append(("method", f"method -- {' '.join(route.methods)}"))
    for index, (name, value) in enumerate(route.headers.items()):
        rules.append((f"header{index}", f"req.fhdr({name}) -m str -- {_quoted([value])}"))
    named = list(dict.fromkeys(f"route_{route.name}_{kind}" for kind, _ in rules))
    return Way(
        name=route.name,
        acls=tuple(f"route_{route.name}_{kind} {rule}" for kind, rule in rules),
        conditions=" ".join(named),
    )


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


def _quoted(values: Sequence[str]) -> str:
    return " ".join(f"'{each}'" for each in values)
