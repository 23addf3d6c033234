"""nftables: what may pass a router, what it translates, and the kernel settings for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from components.host import sysctls
from components.host.packages import package
from components.host.pair import Leg
from components.host.pair.keepalived import VRRP_PROTOCOL
from components.host.pair.watch import RUNTIME
from components.host.part import Check, Health, Late, OpenPort, Part, Service, Step, Text
from components.host.text import environment
from components.routers.linux import conntrackd
from components.routers.model import Router, RoutersModel

RULES = "/etc/nftables/layered.nft"
UNIT = "layered-firewall.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
GUARD = "layered-firewall-guard.service"
GUARD_FILE = f"/etc/systemd/system/{GUARD}"
GUARD_SCRIPT = "/etc/nftables/layered-guard"
CLOSED = f"/run/{RUNTIME}/closed"
"""`1` while the table is not there as it was loaded, else `0`."""
TRACKED = {"layered-firewall": CLOSED}
"""For keepalived: the name of what it tracks, and the file."""
FORWARDING = "/proc/sys/net/ipv4/ip_forward"
FORWARDING6 = "/proc/sys/net/ipv6/conf/all/forwarding"
SYSCTL = "/etc/sysctl.d/90-layered-router.conf"
CHECK = ("/usr/sbin/nft", "-c", "-f", RULES)

_TEMPLATES = environment(Path(__file__).parent / "templates" / "firewall")
_PEER_LEGS = ("wan", "lan", "sync", "management")


def part(model: RoutersModel, router: Router, ports: Iterable[OpenPort]) -> Part:
    """The table `inet layered`, loaded at boot before the network, and a guard that stops
    forwarding and tells keepalived when it has gone. Late: `cdn_ranges`, the CDN's networks, at
    least one.

    `ports` are what everything else on the router listens on: exactly those are let in, and sshd on
    the router's own management address whatever they are.
    """
    listening = tuple(ports)
    unit = _TEMPLATES.get_template("layered-firewall.service.j2")
    guard_unit = _TEMPLATES.get_template("layered-firewall-guard.service.j2")
    forwarding = (FORWARDING,) if model.lan6 is None else (FORWARDING, FORWARDING6)
    guard = _TEMPLATES.get_template("guard.sh.j2").render(closed=CLOSED, forwarding=forwarding)
    return Part(
        name="firewall",
        packages=(package("nftables"), package("conntrack")),
        files=(
            Text(
                path=RULES,
                content=Late(
                    needs=("cdn_ranges",),
                    render=lambda cdn_ranges: rules(model, router, listening, cdn_ranges),
                ),
            ),
            Text(
                path=UNIT_FILE,
                content=unit.render(rules=RULES, sysctl=SYSCTL, forwarding=forwarding),
            ),
            Text(path=SYSCTL, content=kernel(model, router)),
            Text(path=GUARD_SCRIPT, content=guard, mode="0755"),
            Text(
                path=GUARD_FILE,
                content=guard_unit.render(firewall=UNIT, script=GUARD_SCRIPT, runtime=RUNTIME),
            ),
        ),
        checks=(Check(name="nftables", argv=CHECK, watches=(RULES,)),),
        steps=(
            Step(
                name="load the firewall", argv=("/bin/sh", "-c", load(forwarding)), watches=(RULES,)
            ),
            sysctls.step(SYSCTL),
        ),
        services=(
            Service(
                name=UNIT,
                on_change="none",  # the step has loaded it
                watches=(RULES, UNIT_FILE, SYSCTL),
                health=Health(
                    argv=("/usr/sbin/nft", "list", "table", "inet", "layered"), seconds=5
                ),
            ),
            Service(
                name=GUARD,
                on_change="restart",
                watches=(GUARD_SCRIPT, GUARD_FILE),
                health=Health(argv=("systemctl", "is-active", "--quiet", GUARD)),
                guarded=False,
            ),
        ),
    )


def load(forwarding: Sequence[str]) -> str:
    """A shell's command that loads the table, or takes it away with its file: a first set that is
    put back must not stay in the kernel. Without it nothing is forwarded (`forwarding`: files of
    the kernel's)."""
    return (
        f"if [ -e {RULES} ]; then exec /usr/sbin/nft -f {RULES}; fi; "
        f"{''.join(f'echo 0 >{path}; ' for path in forwarding)}"
        "! /usr/sbin/nft list table inet layered >/dev/null 2>&1 || "
        "exec /usr/sbin/nft delete table inet layered"
    )


def rules(
    model: RoutersModel, router: Router, ports: Sequence[OpenPort], ranges: Sequence[str]
) -> str:
    """The router's table, loaded by `nft -f` as one transaction (nft(8), ATOMIC)."""
    sshd = OpenPort(
        protocol="tcp",
        number=router.ssh_port,
        network="management",
        sources="management",
        purpose="sshd",
    )
    six = model.lan6 is not None
    from_peer = [port for leg in _PEER_LEGS for port in ports if _is(port, leg, "peer")]
    from_others = [port for port in (sshd, *ports) if port.sources not in ("peer", "itself")]
    return _TEMPLATES.get_template("layered.nft.j2").render(
        model=model,
        router=router,
        link=model.link(router.name),
        home=model.home(router.name),
        cdn=[each for each in ranges if ":" not in each],
        cdn6=[each for each in ranges if ":" in each],
        six=six,
        others6=partial(_others6, router) if six else lambda way: "meta nfproto ipv6 ",
        vrrp6=_vrrp6(model, router) if six else (),
        marks=marks(model, router),
        replication_port=conntrackd.PORT,
        vrrp_protocol=VRRP_PROTOCOL,
        from_peer=[_match(model, router, port) for port in from_peer],
        from_others=dict.fromkeys(_match(model, router, port) for port in from_others),
    )


def marks(model: RoutersModel, router: Router) -> dict[IPv4Address, int]:
    """What a connection to each balancer is marked with, where all of them announce the service:
    the number of its address on the LAN, which stays its own when others come and go."""
    group = None if model.peering is None else model.peering.balancers
    start = int(router.lan.address.network.network_address)
    members = () if group is None else group.members
    return {each.address: int(each.address) - start for each in members}


def kernel(model: RoutersModel, router: Router) -> str:
    """sysctl.d(5): IPv6 off but on a visitor's way; tracking that survives a failover."""
    return _TEMPLATES.get_template("sysctl.conf.j2").render(model=model, router=router)


def question(router: Router) -> str:
    """What a router's peer is told when the table is not loaded, or a leg is down."""
    return _TEMPLATES.get_template("health.sh.j2").render(router=router)


def _others6(router: Router, way: str) -> str:
    """IPv6 on any leg that has no address of it; `way` is iif or oif."""
    legs = ", ".join(f'"{leg.interface}"' for leg in router.legs() if leg.address6)
    return f"meta nfproto ipv6 {way}name != {{ {legs} }} "


def _vrrp6(model: RoutersModel, router: Router) -> list[str]:
    """The peer's adverts by IPv6."""
    peer = model.peer(router.name)
    if peer is None:
        return []
    return [
        f'iifname "{leg.interface}" ip6 saddr {theirs.ip6} ip6 nexthdr {VRRP_PROTOCOL}'
        for leg, theirs in ((router.wan, peer.wan), (router.lan, peer.lan))
    ]


def _is(port: OpenPort, network: str, sources: str) -> bool:
    return (port.network, port.sources) == (network, sources)


def _match(model: RoutersModel, router: Router, port: OpenPort) -> str:
    """An nftables expression that matches what comes in to `port` from where it may."""
    leg = _leg(router, port.network)
    words = [f'iifname "{leg.interface}"']
    if port.sources == "peer":
        peer = model.peer(router.name)
        assert peer is not None, f"{router.name} listens for a peer, and has none"  # noqa: S101
        words.append(f"ip saddr {_leg(peer, port.network).ip}")
    elif port.sources == "lan":
        words.append(f"ip saddr {router.lan.address.network}")
    elif port.sources == "named":
        words.append(f"ip saddr {{ {', '.join(map(str, port.addresses))} }}")
    elif port.sources in _SETS:
        words.append(f"ip saddr {_SETS[port.sources]}")
    if port.number is None:
        return " ".join([*words, f"ip protocol {_PROTOCOLS[port.protocol]}"])
    return " ".join([*words, f"ip daddr {leg.ip} {port.protocol} dport {port.number}"])


_SETS = {"management": "@management4", "cdn": "@cdn4"}
_PROTOCOLS = {"vrrp": VRRP_PROTOCOL}


def _leg(router: Router, network: str) -> Leg:
    found = {"management": router.management, "lan": router.lan, "wan": router.wan}
    leg = router.sync if network == "sync" else found[network]
    assert leg is not None, f"{router.name} has no {network} leg"  # noqa: S101
    return leg
