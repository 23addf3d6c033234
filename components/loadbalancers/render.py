"""Pure texts of the balancers' files."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from components.host.text import environment
from components.loadbalancers.model import (
    ALIVE_PORT,
    API_SERVER_PORT,
    HEALTH_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    Balancer,
    BaseModel,
    RoutesModel,
)

TEMPLATES = Path(__file__).parent / "templates"

DIRECTORY = "/etc/haproxy/layered"
"""HAProxy reads every `*.cfg` in it, in alphabetical order (haproxy(1), -f)."""
BASE = f"{DIRECTORY}/10-base.cfg"
ROUTES = f"{DIRECTORY}/20-routes.cfg"
CDN = f"{DIRECTORY}/cdn.lst"
CERTIFICATE = "/etc/haproxy/tls/site.pem"  # the certificates and the key, mode 0600
HAPROXY_DROP_IN = "/etc/systemd/system/haproxy.service.d/layered.conf"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
KEEPALIVED_DROP_IN = "/etc/systemd/system/keepalived.service.d/layered.conf"
ALIVE = "/etc/keepalived/layered-haproxy-alive"
RELOAD = "/etc/haproxy/layered-reload"
HEALTH = "/etc/keepalived/layered-health"
HEALTH_SOCKET = "/etc/systemd/system/layered-health.socket"
HEALTH_SERVICE = "/etc/systemd/system/layered-health@.service"
SYSCTL = "/etc/sysctl.d/90-layered-balancer.conf"
SOCKET = "/run/haproxy/layered.sock"
"""The runtime API, mode 0600 (HAProxy management guide, section 9.3)."""

EXECUTABLE = frozenset({ALIVE, HEALTH, RELOAD})
"""Paths that need mode 0755."""


def _milliseconds(value: float) -> str:
    """A time as HAProxy writes it: whole seconds where it can, else milliseconds."""
    return f"{int(value)}s" if value == int(value) else f"{round(value * 1000)}ms"


_ENVIRONMENT = environment(TEMPLATES)
_ENVIRONMENT.filters["time"] = _milliseconds


def _base(template: str, model: BaseModel, balancer: Balancer) -> str:
    return _ENVIRONMENT.get_template(f"{template}.j2").render(
        model=model,
        balancer=balancer,
        peer=model.peer(balancer.name),
        paired=len(model.balancers) > 1,
        directory=DIRECTORY,
        socket=SOCKET,
        alive=ALIVE,
        alive_port=ALIVE_PORT,
        health=HEALTH,
        health_port=HEALTH_PORT,
        api_server_port=API_SERVER_PORT,
    )


def base(model: BaseModel, balancer: Balancer) -> str:
    """HAProxy's process, the Kubernetes API and the statistics. Valid without any routes."""
    return _base("10-base.cfg", model, balancer)


def keepalived(model: BaseModel, balancer: Balancer) -> str:
    """keepalived.conf(5): one VRRP instance per group, with its LAN and management addresses."""
    return _base("keepalived.conf", model, balancer)


def base_files(model: BaseModel, balancer: Balancer) -> dict[str, str]:
    """Every file the base owns, by path."""
    texts = {
        BASE: base(model, balancer),
        HAPROXY_DROP_IN: _base("haproxy.dropin", model, balancer),
        KEEPALIVED: keepalived(model, balancer),
        KEEPALIVED_DROP_IN: _base("keepalived.dropin", model, balancer),
        ALIVE: _base("haproxy-alive.sh", model, balancer),
        RELOAD: _base("haproxy-reload.py", model, balancer),
        SYSCTL: _base("sysctl.conf", model, balancer),
    }
    if model.peer(balancer.name) is not None:
        texts |= {
            HEALTH: _base("health.sh", model, balancer),
            HEALTH_SOCKET: _base("layered-health.socket", model, balancer),
            HEALTH_SERVICE: _base("layered-health@.service", model, balancer),
        }
    return texts


def routes(model: RoutesModel) -> str:
    """HAProxy's frontends for HTTP and HTTPS and where they send; alike on both balancers."""
    return _ENVIRONMENT.get_template("20-routes.cfg.j2").render(
        model=model,
        certificate=CERTIFICATE,
        cdn=CDN,
        http_port=HTTP_PORT,
        https_port=HTTPS_PORT,
    )


def cdn(ranges: tuple[IPv4Network, ...]) -> str:
    """Who may name a client's address, one network a line (HAProxy pattern file)."""
    if not ranges:
        raise ValueError("the CDN's ranges must not be empty")
    return "".join(f"{network}\n" for network in ranges)
