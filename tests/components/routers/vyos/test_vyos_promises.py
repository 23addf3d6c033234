"""What a VyOS router does with packets, asked of the rules that its text leaves: the promises of
docs/routers.md, as the Linux and MikroTik routers keep them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.components import stacks
from tests.components.routers.vyos import grammar, packets, rendered
from tests.components.routers.vyos.packets import Packet

CDN, STRANGER, NODE, BALANCER = "198.51.100.7", "192.0.2.200", "198.18.10.31", "198.18.10.10"
VIP, GATEWAY = "203.0.113.10", "198.18.10.1"
MANAGEMENT, LAN, WAN, SYNC = "eth0", "eth1", "eth2", "eth3"


def tree(stack: str, router: str = "router-a") -> grammar.Tree:
    return grammar.tree(rendered.lines(rendered.script(stacks.NAMED[stack](), router)))


@pytest.fixture(scope="module")
def router() -> grammar.Tree:
    return tree("vyos")


@pytest.fixture(scope="module")
def busy() -> grammar.Tree:
    return tree("vyos-busy")


@pytest.mark.parametrize("port", [80, 443])
def test_the_cdn_reaches_the_balancers_by_the_public_vip(router: grammar.Tree, port: int) -> None:
    seen = packets.through(router, Packet(into=WAN, out=LAN, src=CDN, dst=VIP, port=port))
    assert (seen.accepted, seen.packet.dst, seen.packet.port) == (True, BALANCER, port)
    assert packets.srcnat(router, seen.packet) == CDN, "the client's address survives"


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (Packet(into=WAN, src=STRANGER, dst=VIP, port=443), "refused_public"),
        (Packet(into=WAN, src=CDN, dst=VIP, port=22), "refused_public"),
        (Packet(into=WAN, src=CDN, dst=VIP, protocol="udp", port=443), "refused_public"),
        (Packet(into=WAN, src=STRANGER, dst="203.0.113.2", port=22), "refused_input"),
        (Packet(into=WAN, src=STRANGER, dst="198.18.0.11", port=22), "refused_input"),
        (Packet(into=WAN, out=LAN, src=STRANGER, dst=BALANCER, port=443), "refused_forward"),
        (Packet(into=WAN, out=LAN, src=CDN, dst=BALANCER, port=443), "refused_forward"),
        (Packet(into=WAN, out=MANAGEMENT, src=CDN, dst="198.18.0.31", port=22), "refused_forward"),
        (Packet(into=WAN, src=NODE, dst=VIP, port=443), "spoofed"),
        (Packet(into=WAN, out=LAN, src="198.19.3.4", dst=BALANCER, state="established"), "spoofed"),
        (Packet(into=WAN, src=STRANGER, dst="203.0.113.2", state="invalid"), "invalid"),
        (Packet(into=WAN, src="203.0.113.9", dst="203.0.113.2", protocol="vrrp"), "refused_input"),
        (Packet(into=WAN, src=STRANGER, dst="203.0.113.2", protocol="icmp", icmp="echo-reply"),
         "refused_input"),
        (Packet(into=LAN, out=MANAGEMENT, src=NODE, dst="198.18.0.31", port=22), "refused_forward"),
        (Packet(into=LAN, out=WAN, src="198.19.0.5", dst=STRANGER), "refused_forward"),
        (Packet(into=LAN, src=NODE, dst="198.18.10.2", port=22), "refused_input"),
    ],
)  # fmt: skip
def test_nobody_else_and_nothing_else_gets_in(
    router: grammar.Tree, packet: Packet, why: str
) -> None:
    seen = packets.through(router, packet)
    assert (seen.accepted, seen.why, seen.logged) == (False, why, False)


@pytest.mark.parametrize(
    "packet",
    [
        Packet(into=MANAGEMENT, src="198.18.0.2", dst="198.18.0.11", port=22),
        Packet(into=WAN, src=STRANGER, dst="203.0.113.2", protocol="icmp"),
        Packet(into=LAN, src=NODE, dst=GATEWAY, protocol="icmp"),
        Packet(into=WAN, src="203.0.113.3", dst="203.0.113.2", protocol="vrrp"),
        Packet(into=LAN, src="198.18.10.3", dst="198.18.10.2", protocol="vrrp"),
        Packet(into=SYNC, src="198.18.20.3", dst="198.18.20.2", protocol="udp", port=3780),
        Packet(into=SYNC, src="198.18.20.3", dst="198.18.20.2", protocol="icmp"),
        Packet(into="lo", src="127.0.0.1", dst="127.0.0.1"),
        Packet(into=WAN, out=LAN, src=STRANGER, dst=NODE, state="established"),
    ],
)
def test_what_a_router_needs_gets_in(router: grammar.Tree, packet: Packet) -> None:
    assert packets.fate(router, packet).accepted


def test_the_lan_gets_out_with_the_vips_address(router: grammar.Tree) -> None:
    out = Packet(into=LAN, out=WAN, src=NODE, dst=STRANGER, port=443)
    assert packets.fate(router, out).accepted
    assert packets.srcnat(router, out) == VIP


def test_a_routers_own_packets_keep_its_address(router: grammar.Tree) -> None:
    own = Packet(into="", out=LAN, src="198.18.10.2", dst=BALANCER, port=443)
    assert packets.srcnat(router, own) == "198.18.10.2"
    assert packets.srcnat(router, replace(own, src="203.0.113.2", out=WAN)) == "203.0.113.2"


def test_a_node_that_calls_the_public_vip_is_answered_the_same_way(router: grammar.Tree) -> None:
    seen = packets.through(router, Packet(into=LAN, out=LAN, src=NODE, dst=VIP, port=443))
    assert (seen.accepted, seen.packet.dst) == (True, BALANCER)
    assert packets.srcnat(router, seen.packet) == GATEWAY


# --- what a stack may ask besides


def test_a_denied_source_gets_nothing_and_is_logged(busy: grammar.Tree) -> None:
    for state in ("new", "established"):
        packet = Packet(into=WAN, src="192.0.2.130", dst=VIP, port=443, state=state)
        seen = packets.through(busy, packet)
        assert (seen.accepted, seen.why, seen.logged) == (False, "denied", True)
    (rule,) = busy["firewall"]["ipv4"]["name"]["layered-logged"]["rule"].values()
    assert packets.one(rule["limit"]["rate"]) == "60/minute"


@pytest.mark.parametrize(
    ("src", "port", "protocol", "to"),
    [
        ("192.0.2.7", 25, "tcp", ("198.18.10.31", 25)),
        ("192.0.2.99", 5005, "udp", ("198.18.10.32", 5005)),
        ("192.0.2.99", 2222, "tcp", ("198.18.10.31", 22)),
    ],
)
def test_a_forward_leads_to_one_address_with_the_clients_own(
    busy: grammar.Tree, src: str, port: int, protocol: str, to: tuple[str, int]
) -> None:
    packet = Packet(into=WAN, out="bond0.10", src=src, dst=VIP, port=port, protocol=protocol)
    seen = packets.through(busy, packet)
    assert (seen.accepted, (seen.packet.dst, seen.packet.port)) == (True, to)
    assert packets.srcnat(busy, seen.packet) == src


def test_a_forward_for_named_sources_is_for_no_others(busy: grammar.Tree) -> None:
    packet = Packet(into=WAN, src="198.51.100.9", dst=VIP, port=25)
    assert packets.through(busy, packet).why == "refused_public"


def test_more_than_a_forward_allows_from_one_source_is_dropped(busy: grammar.Tree) -> None:
    rules = [
        rule
        for _, rule in sorted(
            busy["firewall"]["ipv4"]["forward"]["filter"]["rule"].items(), key=lambda it: int(it[0])
        )
    ]
    index = next(at for at, rule in enumerate(rules) if "recent" in rule)
    counted, let = rules[index], rules[index + 1]
    assert packets.one(counted["action"]) == "drop"
    assert (packets.one(counted["recent"]["count"]), packets.one(counted["recent"]["time"])) == (
        *("5", "second"),
    )
    same = {"action", "description", "recent"}
    assert {k: v for k, v in counted.items() if k not in same} == {
        k: v for k, v in let.items() if k not in same
    }


def test_each_router_translates_to_the_group_that_it_owns(busy: grammar.Tree) -> None:
    out = Packet(into="bond0.10", out=WAN, src=NODE, dst=STRANGER)
    assert packets.srcnat(busy, out) == VIP
    assert packets.srcnat(tree("vyos-busy", "router-b"), out) == "203.0.113.11"


@pytest.mark.parametrize(
    ("packet", "action", "why"),
    [
        (Packet(into="br0", src=NODE, dst="192.0.2.53", protocol="udp", port=53), "accept", "dns"),
        (Packet(into="br0", src=NODE, dst="192.0.2.53", port=443), "accept", "web"),
        (Packet(into="br0", src=NODE, dst="192.0.2.9", port=5009), "accept", "office"),
        (Packet(into="br0", src=NODE, dst="192.0.2.199", port=5009), "reject", None),
        (Packet(into="br0", src=NODE, dst="192.0.2.9", protocol="icmp"), "accept", "ping"),
        (Packet(into="br0", src=NODE, dst="198.51.100.70", protocol="gre"), "accept", "tunnels"),
        (Packet(into="br0", src=NODE, dst="192.0.2.9", port=25), "reject", None),
    ],
)
def test_the_lan_reaches_what_is_named_and_is_told_of_the_rest(
    packet: Packet, action: str, why: str | None
) -> None:
    seen = packets.fate(tree("vyos-alone"), replace(packet, out="eth1.10"))
    wanted = "refused_outbound" if why is None else f"let_out_{why}"
    assert (seen.action, seen.why, seen.logged) == (action, wanted, why is None)


def test_ipv6_is_dropped_but_what_a_router_says_to_itself(router: grammar.Tree) -> None:
    ipv6 = router["firewall"]["ipv6"]
    for hook in ("input", "forward"):
        assert packets.one(ipv6[hook]["filter"]["default-action"]) == "drop"
    assert "rule" not in ipv6["forward"]["filter"]
    (only,) = ipv6["input"]["filter"]["rule"].values()
    assert packets.one(only["inbound-interface"]["name"]) == "lo"
