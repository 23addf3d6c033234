"""What a pair of MikroTik routers does, asked of the tables that their scripts leave: packets, VRRP
and both ends of what the two say to each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.host.pair.pair import BACKUP_PRIORITY, OWNER_PRIORITY
from settings.models import Stack
from tests.components import rendered as layers
from tests.components import stacks
from tests.components.routers.mikrotik import packets, rendered
from tests.components.routers.mikrotik.packets import Fate, Packet
from tests.components.routers.mikrotik.router_os import RouterOs

CDN, STRANGER, NODE, BALANCER = "198.51.100.7", "192.0.2.200", "198.18.10.31", "198.18.10.10"
VIP, GATEWAY = "203.0.113.10", "198.18.10.1"
LAN, WAN, MANAGEMENT, SYNC = "ether2", "ether3", "ether1", "ether4"
BY_VIP = {LAN: "layered-edge-lan", WAN: "layered-edge-wan"}


@pytest.fixture(scope="module")
def router() -> RouterOs:
    return rendered.made(stacks.mikrotik(), "router-a")


@pytest.fixture(scope="module")
def busy() -> RouterOs:
    return rendered.made(stacks.mikrotik_busy(), "router-a")


def through(router: RouterOs, packet: Packet) -> Fate:
    """A packet that is routed once its destination is translated."""
    return packets.fate(router, packets.dstnat(router, packet))


# --- what comes in from the WAN


@pytest.mark.parametrize("into", [WAN, BY_VIP[WAN]])
@pytest.mark.parametrize("port", [80, 443])
def test_the_cdn_reaches_the_balancers_by_the_public_vip(
    router: RouterOs, into: str, port: int
) -> None:
    """By the VRRP interface, which has the VIP's own MAC address, and by the port."""
    seen = through(router, Packet(into=into, out=LAN, src=CDN, dst=VIP, port=port))

    assert (seen.accepted, seen.packet.dst, seen.packet.port) == (True, BALANCER, port)
    left = replace(seen.packet, out=LAN)
    assert packets.srcnat(router, left) == CDN, "the client's address survives"


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
        (Packet(into=WAN, src="203.0.113.3", dst="203.0.113.2", protocol="vrrp"), "refused_input"),
    ],
)
def test_nobody_else_and_nothing_else_gets_in(router: RouterOs, packet: Packet, why: str) -> None:
    seen = through(router, packet)
    assert (seen.accepted, seen.why) == (False, why)


def test_a_ping_is_answered_and_an_open_connection_goes_on(router: RouterOs) -> None:
    ping = Packet(into=WAN, src=STRANGER, dst="203.0.113.2", protocol="icmp")
    assert packets.fate(router, ping).accepted
    assert not packets.fate(router, replace(ping, icmp="13:0")).accepted
    answer = Packet(into=WAN, out=LAN, src=STRANGER, dst=NODE, state="established")
    assert packets.fate(router, answer).accepted


# --- what the LAN does


@pytest.mark.parametrize("into", [LAN, BY_VIP[LAN]])
def test_the_lan_gets_out_with_the_vips_address(router: RouterOs, into: str) -> None:
    out = Packet(into=into, out=WAN, src=NODE, dst=STRANGER, port=443)
    assert packets.fate(router, out).accepted
    assert packets.srcnat(router, out) == VIP
    assert not packets.fate(router, replace(out, src="198.19.0.5")).accepted
    assert not packets.fate(router, replace(out, out=MANAGEMENT)).accepted


def test_a_routers_own_packets_keep_its_address(router: RouterOs) -> None:
    own = Packet(into="", out=LAN, src="198.18.10.2", dst=NODE)
    assert packets.srcnat(router, own) == "198.18.10.2"
    assert packets.srcnat(router, replace(own, src="203.0.113.2", out=WAN)) == "203.0.113.2"


def test_a_node_reaches_the_public_vip_and_the_answer_comes_back_the_same_way(
    router: RouterOs,
) -> None:
    seen = through(router, Packet(into=BY_VIP[LAN], out=LAN, src=NODE, dst=VIP, port=443))
    assert (seen.accepted, seen.packet.dst) == (True, BALANCER)
    assert packets.srcnat(router, seen.packet) == GATEWAY
    assert not packets.fate(router, replace(seen.packet, translated=False)).accepted


@pytest.mark.parametrize(
    ("packet", "accepted"),
    [
        (Packet(into=MANAGEMENT, src="198.18.0.2", dst="198.18.0.11", port=22), True),
        (Packet(into=MANAGEMENT, src="198.18.0.2", dst="198.18.0.11", port=8291), False),
        (Packet(into=MANAGEMENT, src=NODE, dst="198.18.0.11", port=22), False),
        (Packet(into=LAN, src=NODE, dst="198.18.0.11", port=22), False),
        (Packet(into=LAN, src=NODE, dst="198.18.10.2", port=22), False),
        (Packet(into=MANAGEMENT, src="198.18.0.2", dst="198.18.10.2", port=22), False),
    ],
)
def test_sshd_on_management_only(router: RouterOs, packet: Packet, accepted: bool) -> None:
    assert packets.fate(router, packet).accepted is accepted


def test_its_port_and_its_callers_are_the_stacks(busy: RouterOs) -> None:
    call = Packet(into=MANAGEMENT, src="198.18.0.99", dst="198.18.0.11", port=2200)
    assert packets.fate(busy, call).accepted
    assert not packets.fate(busy, replace(call, port=22)).accepted
    assert not packets.fate(busy, replace(call, src="198.18.0.77")).accepted


# --- what the stack forwards, denies and logs


BUSY_WAN, BUSY_LAN = "sfp-sfpplus1", "bond-lan.10"


@pytest.mark.parametrize(
    ("packet", "to"),
    [
        (Packet(into=BUSY_WAN, out=BUSY_LAN, src="192.0.2.9", dst=VIP, port=25), (NODE, 25)),
        (Packet(into=BUSY_WAN, out=BUSY_LAN, src="192.0.2.99", dst=VIP, port=25), (NODE, 25)),
        (Packet(into=BUSY_WAN, out=BUSY_LAN, src="198.51.100.9", dst=VIP, port=25), None),
        (
            Packet(into=BUSY_WAN, out=BUSY_LAN, src=CDN, dst=VIP, port=5010, protocol="udp"),
            ("198.18.10.32", 5010),
        ),
        (Packet(into=BUSY_WAN, out=BUSY_LAN, src=CDN, dst=VIP, port=5011, protocol="udp"), None),
        (Packet(into=BUSY_WAN, out=BUSY_LAN, src=CDN, dst=VIP, port=2222), (NODE, 22)),
        (Packet(into=BUSY_LAN, out=BUSY_LAN, src="198.18.10.32", dst=VIP, port=2222), (NODE, 22)),
        (Packet(into=BUSY_WAN, out=BUSY_LAN, src=CDN, dst="203.0.113.11", port=2222), None),
    ],
)
def test_forwarded_ports_lead_to_one_address_inside(
    busy: RouterOs, packet: Packet, to: tuple[str, int] | None
) -> None:
    seen = through(busy, packet)
    there = (seen.packet.dst, seen.packet.port) if seen.accepted else None
    assert there == to


def test_the_lans_own_call_of_a_forwarded_port_is_not_limited_by_its_sources(
    busy: RouterOs,
) -> None:
    seen = through(busy, Packet(into=BUSY_LAN, out=BUSY_LAN, src="198.18.10.32", dst=VIP, port=25))
    assert (seen.accepted, seen.packet.dst) == (True, NODE)


def test_new_connections_beyond_the_limit_are_dropped_by_the_rule_behind_it(
    busy: RouterOs,
) -> None:
    rules = [each for each in busy.items("/ip/firewall/filter") if each.get("dst-port") == "25"]
    assert [(each["action"], each.get("dst-limit"), each.get("comment")) for each in rules] == [
        ("accept", "5/1s,5,src-address/1m", None),
        ("jump", None, None),
        ("drop", None, "limited_mail"),
    ]


@pytest.mark.parametrize("state", ["new", "established"])
def test_a_denied_source_gets_nothing_from_the_wan(busy: RouterOs, state: str) -> None:
    for out, dst in ((None, "203.0.113.2"), (BUSY_LAN, VIP)):
        denied = Packet(into=BUSY_WAN, out=out, src="192.0.2.130", dst=dst, port=443, state=state)
        assert through(busy, denied).why == "denied"


def test_every_drop_is_logged_before_by_one_rule_with_one_limit(busy: RouterOs) -> None:
    rules = busy.items("/ip/firewall/filter")
    (log,) = [each for each in rules if each["action"] == "log"]
    assert (log["limit"], log["log-prefix"]) == ("60/1m,5:packet", "layered-drop")
    said = {".id", "action", "comment", "jump-target", "disabled"}
    for index, rule in enumerate(rules):
        if rule["action"] == "drop":
            before = rules[index - 1]
            assert (before["action"], before["jump-target"]) == ("jump", log["chain"])
            matched = [{k: v for k, v in e.items() if k not in said} for e in (before, rule)]
            assert matched[0] == matched[1]


# --- VRRP, and both ends


@pytest.mark.parametrize("make", [stacks.mikrotik, stacks.mikrotik_busy])
def test_both_routers_say_the_same_and_differ_in_priority_and_address_alone(make: object) -> None:
    assert callable(make)
    stack: Stack = make()
    first, second = (rendered.made(stack, name) for name in ("router-a", "router-b"))
    alike = ("name", "interface", "vrid", "version", "v3-protocol", "interval", "preemption-mode")
    alike += ("group-authority", "sync-connection-tracking", "connection-tracking-mode")
    alike += ("connection-tracking-port",)

    def said(router: RouterOs) -> list[tuple[object, ...]]:
        return [tuple(each.get(key) for key in alike) for each in router.items("/interface/vrrp")]

    assert said(first) == said(second)
    held = [
        {
            (each["address"], each["interface"])
            for each in router.items("/ip/address")
            if each["interface"].startswith("layered-")
        }
        for router in (first, second)
    ]
    assert held[0] == held[1]
    assert {address.removesuffix("/32") for address, _ in held[0]} == {
        str(address) for vip in stack.routers.vips for address in (*vip.wan, *vip.lan)
    }
    for vip in stack.routers.vips:
        for leg in ("lan", "wan"):
            mine, theirs = (
                int(
                    router.items("/interface/vrrp", name=f"layered-{vip.name}-{leg}")[0]["priority"]
                )
                for router in (first, second)
            )
            owner_first = vip.owner == "router-a"
            assert (mine, theirs) == (
                (OWNER_PRIORITY, BACKUP_PRIORITY)
                if owner_first
                else (BACKUP_PRIORITY, OWNER_PRIORITY)
            )


def test_vrids_are_the_stacks_and_unique_on_their_segment(busy: RouterOs) -> None:
    vrids = [(each["interface"], each["vrid"]) for each in busy.items("/interface/vrrp")]
    assert sorted(vrids) == [
        *((BUSY_LAN, "62"), (BUSY_LAN, "64")),
        *((BUSY_WAN, "61"), (BUSY_WAN, "63")),
    ]


def test_wan_and_lan_move_together_and_the_lan_decides(busy: RouterOs) -> None:
    follows = {each["name"]: each["group-authority"] for each in busy.items("/interface/vrrp")}
    assert follows == {
        "layered-edge-lan": "self",
        "layered-edge-wan": "layered-edge-lan",
        "layered-second-lan": "self",
        "layered-second-wan": "layered-second-lan",
    }


@pytest.mark.parametrize("name", ["mikrotik", "mikrotik-busy"])
def test_connections_and_adverts_reach_the_peer_that_takes_them(name: str) -> None:
    """Each sends its tracked connections to the very address and port that the other lets in, by
    one VRRP interface a group, and to nobody else."""
    stack = stacks.NAMED[name]()
    model = layers.routers_model(stack)
    routers = {each.name: rendered.made(stack, each.name) for each in model.members}
    for member in model.members:
        peer = model.peer(member.name)
        assert peer is not None
        assert peer.sync is not None
        assert member.sync is not None
        synced = routers[member.name].items("/interface/vrrp", sync_connection_tracking="yes")
        assert {each["remote-address"] for each in synced} == {str(peer.sync.ip)}
        assert all(each["group-authority"] == "self" for each in synced)
        ports = [int(each["connection-tracking-port"]) for each in synced]
        assert ports == list(range(8275, 8275 + len(synced)))
        for port in ports:
            sent = Packet(
                into=peer.sync.interface,
                src=str(member.sync.ip),
                dst=str(peer.sync.ip),
                protocol="udp",
                port=port,
            )
            assert packets.fate(routers[peer.name], sent).accepted
            elsewhere = replace(sent, into=peer.wan.interface)
            assert not packets.fate(routers[peer.name], elsewhere).accepted
        advert = Packet(
            into=peer.lan.interface, src=str(member.lan.ip), dst="224.0.0.18", protocol="vrrp"
        )
        assert packets.fate(routers[peer.name], advert).accepted
        assert not packets.fate(routers[peer.name], replace(advert, src=NODE)).accepted


def test_two_at_work_send_each_other_what_each_tracks() -> None:
    for name, mode, count in (
        ("mikrotik", "passive-active", 1),
        ("mikrotik-busy", "active-active", 2),
    ):
        router = rendered.made(stacks.NAMED[name](), "router-a")
        synced = router.items("/interface/vrrp", sync_connection_tracking="yes")
        assert [each["connection-tracking-mode"] for each in synced] == [mode] * count


def test_timers_are_the_stacks(busy: RouterOs, router: RouterOs) -> None:
    for each, interval, preempts in ((router, "300ms", "yes"), (busy, "1s", "no")):
        vrrp = each.items("/interface/vrrp")
        assert {one["interval"] for one in vrrp} == {interval}
        assert {one["preemption-mode"] for one in vrrp} == {preempts}
        assert {(one["version"], one["v3-protocol"]) for one in vrrp} == {("3", "ipv4")}


def test_a_router_alone_has_no_peer() -> None:
    alone = rendered.made(stacks.mikrotik_alone(), "router-a")
    assert alone.items("/interface/vrrp", sync_connection_tracking="yes") == []
    assert not [each for each in alone.items("/ip/firewall/filter") if "vrrp" in each.values()]
    assert "ping" not in rendered.script(stacks.mikrotik_alone(), "router-a").script


def test_each_translates_to_the_addresses_of_the_group_that_it_owns() -> None:
    stack = stacks.mikrotik_busy()
    out = Packet(into=BUSY_LAN, out=BUSY_WAN, src=NODE, dst=STRANGER)
    homes = {
        name: packets.srcnat(rendered.made(stack, name), out) for name in ("router-a", "router-b")
    }
    assert homes == {"router-a": "203.0.113.10", "router-b": "203.0.113.11"}


def test_the_routers_own_talk_is_never_tracked(router: RouterOs) -> None:
    rules = router.items("/ip/firewall/raw", action="notrack")
    assert [(each.get("protocol"), each.get("dst-port")) for each in rules] == [
        *(("vrrp", None), ("udp", "8275")),
        *(("vrrp", None), ("udp", "8275")),
    ]


def test_ipv6_is_off_and_dropped_all_the_same(router: RouterOs) -> None:
    assert router.values["/ipv6/settings"]["disable-ipv6"] == "yes"
    assert [(each["chain"], each["action"]) for each in router.items("/ipv6/firewall/filter")] == [
        *(("input", "drop"), ("forward", "drop"), ("output", "drop")),
    ]


def test_nobody_finds_the_router_by_its_mac_address_but_on_management(router: RouterOs) -> None:
    for menu in ("/tool/mac-server", "/tool/mac-server/mac-winbox"):
        assert router.values[menu]["allowed-interface-list"] == "layered-management"
    members = router.items("/interface/list/member", list="layered-management")
    assert [each["interface"] for each in members] == [MANAGEMENT]


def test_segments_fit_the_smaller_of_both_networks() -> None:
    config = stacks.mikrotik().model_dump(mode="json")
    config["networks"]["wan"]["mtu"] = 1400
    router = rendered.made(Stack.model_validate(config), "router-a")
    rules = router.items("/ip/firewall/mangle", action="change-mss")
    assert {(each["tcp-mss"], each["new-mss"]) for each in rules} == {("1361-65535", "1360")}


def test_what_a_silent_connection_is_remembered_for(router: RouterOs) -> None:
    tracking = router.values["/ip/firewall/connection/tracking"]
    assert (tracking["enabled"], tracking["tcp-established-timeout"]) == ("yes", "86400s")


def test_a_text_is_small_enough_to_be_handed_over() -> None:
    from components.host.imported import LARGEST

    cdn = [f"10.{index // 256}.{index % 256}.0/25" for index in range(400)]
    text = rendered.script(stacks.mikrotik_busy(), "router-a", cdn=cdn).script
    assert len(text) < LARGEST
