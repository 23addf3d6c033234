"""BGP of VyOS routers: both ends of each session, beside what a Linux router's FRRouting says, and
judged by FRRouting, which VyOS runs too."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.host.bgp import Peering
from components.host.speakers.frr import CHECK, CONFIG
from components.platform import metallb
from settings.models import Stack
from tests.components import checked, rendered, stacks
from tests.components.platform.platform_args import args
from tests.components.routers.vyos import grammar, packets
from tests.components.routers.vyos import rendered as vyos
from tests.components.routers.vyos.frr_of_vyos import frr
from tests.components.routers.vyos.packets import Packet

LAN, WAN = "eth1", "eth2"
PROVIDER, NODE, POOL, OURS = "203.0.113.1", "198.18.10.31", "198.18.60.7", "198.18.64.9"
each_router = pytest.mark.parametrize("router", ["router-a", "router-b"])


def tree(router: str = "router-a", stack: Stack | None = None) -> grammar.Tree:
    return grammar.tree(vyos.lines(vyos.script(stack or stacks.vyos_bgp(), router)))


def asked(**over: Any) -> Stack:
    """The stack with other settings of its BGP."""
    config = stacks.vyos_bgp().model_dump(mode="json")
    config["routers"]["bgp"] |= over
    return Stack.model_validate(config)


def on_linux() -> Stack:
    """The same stack with Linux routers."""
    config = stacks.vyos_bgp().model_dump(mode="json")
    config["routers"] |= {"kind": "linux", "image": None}
    return Stack.model_validate(config)


def sessions() -> Peering:
    made = rendered.sessions(stacks.vyos_bgp())
    assert made is not None
    return made


# --- what it is told


@checked.real
@each_router
def test_frr_takes_what_vyos_writes_of_it(router: str) -> None:
    whole = rendered.router_whole(on_linux(), router)
    text = "\n".join([f"hostname {router}", *frr(tree(router)), ""])
    said = checked.judge(CHECK, {CONFIG: text}, whole)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
    broken = text.replace("maximum-paths", "maximal-paths")
    assert checked.judge(CHECK, {CONFIG: broken}, whole).returncode != 0


@each_router
def test_a_linux_router_would_say_the_same(router: str) -> None:
    """Of one stack, to FRRouting: every line, but where VyOS has a form of its own."""

    def plain(lines: list[str]) -> set[str]:
        return {
            re.sub(r" seq \d+", "", each.strip())
            for each in lines
            if each.strip() and not each.strip().startswith("!")
        }

    theirs = plain(frr(tree(router)))
    ours = plain(rendered.router_files(on_linux(), router)[CONFIG].splitlines())
    names = {each.name for each in sessions().neighbours}
    addresses = {str(end.address) for each in sessions().neighbours for end in each.members}
    assert ours - theirs == plain(
        [
            *("frr defaults traditional", f"hostname {router}", "log syslog informational"),
            *("service integrated-vtysh-config", "no ipv6 forwarding"),
            "ip route 198.18.64.0/24 blackhole 250",
            *(f"neighbor {name} timers 3 9" for name in names),
            *(f"neighbor {name} timers connect 5" for name in names),
        ]
    )
    assert theirs - ours == plain(
        [
            *("no shutdown", "no bgp ebgp-requires-policy", "no bgp network import-check"),
            "timers bgp 3 9",
            *(f"neighbor {address} timers connect 5" for address in addresses),
        ]
    )


def test_each_node_and_router_say_of_their_session_what_the_other_says() -> None:
    peering = sessions()
    site = args(stack=stacks.vyos_bgp()).site
    objects = [each for each in metallb.addon(site).objects.values() if each["kind"] == "BGPPeer"]
    for router in ("router-a", "router-b"):
        bgp = tree(router)["protocols"]["bgp"]
        own = str(peering.end("lan", router).address)
        (peer,) = [each["spec"] for each in objects if each["spec"]["peerAddress"] == own]
        group = bgp["peer-group"]["inside"]
        assert packets.one(bgp["system-as"]) == str(peer["peerASN"])
        assert packets.one(group["remote-as"]) == str(peer["myASN"])
        assert packets.one(group["update-source"]) == own
        assert [f"{packets.one(bgp['timers'][each])}s" for each in ("keepalive", "holdtime")] == [
            *(peer["keepaliveTime"], peer["holdTime"]),
        ]
        members = {a for a, n in bgp["neighbor"].items() if "inside" in n["peer-group"]}
        assert members == {"198.18.10.21", "198.18.10.31", "198.18.10.32"}
        assert "profile" in group["bfd"]
        assert peer["bfdProfile"]


def test_nodes_are_believed_single_addresses_of_the_pool_and_told_nothing() -> None:
    policy = tree()["policy"]
    rules = policy["prefix-list"]["inside-in"]["rule"]
    permitted = [each for each in rules.values() if "permit" in each["action"]]
    assert [(packets.one(each["prefix"]), packets.one(each["ge"])) for each in permitted] == [
        (str(network), "32") for network in sessions().pool
    ]
    assert policy["route-map"]["inside-out"]["rule"] == {"10": {"action": {"deny": {}}}}


def test_what_is_announced_leads_to_the_address_that_moves() -> None:
    for router in ("router-a", "router-b"):
        (rule,) = tree(router)["policy"]["route-map"]["provider-out"]["rule"].values()
        assert packets.one(rule["set"]["ip-next-hop"]) == "203.0.113.10"


def test_a_router_that_is_drained_or_in_maintenance_asks_for_other_ways() -> None:
    def asks(router: str, stack: Stack) -> bool:
        return "graceful-shutdown" in tree(router, stack)["protocols"]["bgp"]["parameters"]

    assert [asks(each, stacks.vyos_bgp()) for each in ("router-a", "router-b")] == [False, True]
    config = asked(drained=[]).model_dump(mode="json") | {"maintenance": {"machines": ["router-a"]}}
    away = Stack.model_validate(config)
    assert [asks(each, away) for each in ("router-a", "router-b")] == [True, False]


def test_without_bgp_whatever_was_said_of_it_goes() -> None:
    given = vyos.commands(vyos.script(stacks.vyos(), "router-a"))
    assert {"delete protocols bgp", "delete protocols bfd", "delete policy route-map"} <= set(given)
    assert [each for each in given if each.startswith(("set protocols b", "set policy"))] == []


def test_without_bfd_nobody_is_let_in_by_it() -> None:
    config = asked().model_dump(mode="json")["routers"]["bgp"]
    for end in (config["inside"], *config["upstream"]):
        end["bfd"] = False
    root = tree(stack=asked(**config))
    assert "bfd" not in root["protocols"]
    packet = Packet(into=LAN, src=NODE, dst="198.18.10.2", protocol="udp", port=3784)
    assert packets.fate(root, packet).why == "refused_input"


# --- what passes


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (Packet(into=WAN, src=PROVIDER, dst="203.0.113.2", port=179), "bgp_provider"),
        (Packet(into=WAN, src=PROVIDER, dst="203.0.113.2", protocol="udp", port=3784),
         "bfd_provider"),
        (Packet(into=LAN, src=NODE, dst="198.18.10.2", port=179), "bgp_inside"),
        (Packet(into=LAN, src=NODE, dst="198.18.10.2", protocol="udp", port=3784), "bfd_inside"),
        (Packet(into=LAN, out=LAN, src=NODE, dst=POOL, port=80, state="untracked"), "lan_to_pool"),
    ],
)  # fmt: skip
def test_neighbours_are_let_in_and_the_lan_to_the_pool(packet: Packet, why: str) -> None:
    seen = packets.fate(tree(), packet)
    assert (seen.accepted, seen.why) == (True, why)


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (Packet(into=WAN, src="203.0.113.77", dst="203.0.113.2", port=179), "refused_input"),
        (Packet(into=WAN, src=NODE, dst="203.0.113.2", port=179), "spoofed"),
        (Packet(into=WAN, src=PROVIDER, dst="203.0.113.10", port=179), "refused_public"),
        (Packet(into=LAN, src="198.18.10.99", dst="198.18.10.2", port=179), "refused_input"),
        (Packet(into=LAN, src=PROVIDER, dst="198.18.10.2", port=179), "refused_input"),
        (Packet(into=WAN, out=LAN, src=PROVIDER, dst=POOL, port=80), "refused_forward"),
        (Packet(into=WAN, out=WAN, src=PROVIDER, dst=OURS, port=80), "refused_forward"),
        (Packet(into=LAN, out=WAN, src=NODE, dst=OURS, port=80), "refused_announced"),
    ],
)
def test_nobody_else_is(packet: Packet, why: str) -> None:
    seen = packets.fate(tree(), packet)
    assert (seen.accepted, seen.why) == (False, why)


def test_what_the_lan_sends_to_the_pool_is_not_tracked() -> None:
    """A node answers it past the router: it would stay half open in the table."""
    rules = tree()["system"]["conntrack"]["ignore"]["ipv4"]["rule"].values()
    (rule,) = [each for each in rules if "group" in each.get("destination", {})]
    assert packets.one(rule["inbound-interface"]) == LAN
    assert packets.one(rule["source"]["address"]) == "198.18.10.0/24"
    group = packets.one(rule["destination"]["group"]["network-group"])
    members = tree()["firewall"]["group"]["network-group"][group]["network"]
    assert set(members) == set(map(str, sessions().pool))


# --- what a commit refuses


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["protocols bgp timers keepalive 3"], "BGP system-as number must be defined"),
        (["protocols bgp system-as 1", "protocols bgp neighbor 192.0.2.1 peer-group x"],
         "neighbor 192.0.2.1: peer-group ['x'] does not exist"),
        (["protocols bgp system-as 1", "protocols bgp peer-group x remote-as 2",
          "protocols bgp peer-group x address-family ipv4-unicast route-map import y"],
         "peer-group x: import y does not exist"),
        (["protocols bgp system-as 1", "protocols bgp peer-group x remote-as 2",
          "protocols bgp peer-group x bfd profile y"],
         "peer-group x: BFD profile y does not exist"),
        (["protocols bgp system-as 1", "protocols bgp peer-group x update-source 192.0.2.1"],
         "peer-group x: 192.0.2.1 is not an address of the router"),
        (["policy prefix-list x rule 10 action permit"],
         "prefix-list x 10: action and prefix must be specified"),
        (["policy prefix-list x rule 10 action permit", "policy prefix-list x rule 10 le 24",
          "policy prefix-list x rule 10 prefix 192.0.2.0/24"],
         "prefix-list x 10: 192.0.2.0/24 has no lengths [24]"),
        (["policy route-map x rule 10 action permit",
          "policy route-map x rule 10 match ip address prefix-list y"],
         "route-map x 10: prefix-list y does not exist"),
        (["system conntrack ignore ipv4 rule 40 destination group network-group x"],
         "conntrack ignore 40: network-group x does not exist"),
    ],
)  # fmt: skip
def test_what_a_commit_refuses_of_it_is_told(lines: list[str], said: str) -> None:
    assert said in grammar.judge(lines)
