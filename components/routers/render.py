"""Pure texts of the routers' files."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from components.host.text import environment
from components.routers.model import (
    CONNTRACKD_PORT,
    HEALTH_PORT,
    VRRP_PROTOCOL,
    Router,
    RoutersModel,
)

TEMPLATES = Path(__file__).parent / "templates"

FIREWALL = "/etc/nftables/layered.nft"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
CONNTRACKD = "/etc/conntrackd/layered.conf"
SYSCTL = "/etc/sysctl.d/90-layered-router.conf"
FAILOVER = "/etc/keepalived/layered-failover"
HEALTH = "/etc/keepalived/layered-health"
FIREWALL_UNIT = "/etc/systemd/system/layered-firewall.service"
CONNTRACKD_DROP_IN = "/etc/systemd/system/conntrackd.service.d/layered.conf"
KEEPALIVED_DROP_IN = "/etc/systemd/system/keepalived.service.d/layered.conf"
HEALTH_SOCKET = "/etc/systemd/system/layered-health.socket"
HEALTH_SERVICE = "/etc/systemd/system/layered-health@.service"


_ENVIRONMENT = environment(TEMPLATES)


def _render(template: str, model: RoutersModel, router: Router, **more: object) -> str:
    return _ENVIRONMENT.get_template(template).render(
        model=model,
        router=router,
        peer=model.peer(router.name),
        paired=len(model.routers) > 1,
        firewall=FIREWALL,
        sysctl=SYSCTL,
        failover=FAILOVER,
        conntrackd=CONNTRACKD,
        health=HEALTH,
        health_port=HEALTH_PORT,
        conntrackd_port=CONNTRACKD_PORT,
        vrrp_protocol=VRRP_PROTOCOL,
        **more,
    )


def firewall(model: RoutersModel, router: Router, cdn: tuple[IPv4Network, ...]) -> str:
    """The router's table, loaded by `nft -f` as one transaction (nft(8), ATOMIC).

    `cdn` must not be empty: `ValueError` otherwise, since the set decides who reaches the
    balancers.
    """
    if not cdn:
        raise ValueError("the CDN's ranges must not be empty")
    return _render("layered.nft.j2", model, router, cdn=cdn, home=model.home(router.name))


def keepalived(model: RoutersModel, router: Router) -> str:
    """keepalived.conf(5): a WAN and a LAN instance per group, in one sync group."""
    return _render("keepalived.conf.j2", model, router)


def conntrackd(model: RoutersModel, router: Router) -> str:
    """conntrackd.conf(5): FTFW over unicast UDP on the sync segment. For a pair only."""
    if model.peer(router.name) is None or router.sync is None:
        raise ValueError(f"{router.name} has nobody to replicate its connections to")
    own = [leg.ip for each in model.routers for leg in each.legs()]
    return _render(
        "conntrackd.conf.j2",
        model,
        router,
        ignored=sorted({*own, *model.public, *model.gateways}),
    )


def sysctls(model: RoutersModel, router: Router) -> str:
    """sysctl.d(5): forwarding on, IPv6 off, connection tracking that survives a failover."""
    return _render("sysctl.conf.j2", model, router)


def unit(template: str, model: RoutersModel, router: Router) -> str:
    """A systemd unit, drop-in or script, by the name of its template without `.j2`."""
    return _render(f"{template}.j2", model, router)


def files(model: RoutersModel, router: Router) -> dict[str, str]:
    """Every file of a router but the firewall, by path; the firewall waits for the CDN's ranges."""
    texts = {
        KEEPALIVED: keepalived(model, router),
        KEEPALIVED_DROP_IN: unit("keepalived.dropin", model, router),
        SYSCTL: sysctls(model, router),
        FIREWALL_UNIT: unit("layered-firewall.service", model, router),
    }
    if model.peer(router.name) is not None:
        texts |= {
            CONNTRACKD: conntrackd(model, router),
            CONNTRACKD_DROP_IN: unit("conntrackd.dropin", model, router),
            FAILOVER: unit("failover.sh", model, router),
            HEALTH: unit("health.sh", model, router),
            HEALTH_SOCKET: unit("layered-health.socket", model, router),
            HEALTH_SERVICE: unit("layered-health@.service", model, router),
        }
    return texts


EXECUTABLE = frozenset({FAILOVER, HEALTH})
"""Paths that need mode 0755."""
