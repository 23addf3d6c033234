"""The routers: what they are, and with whom they speak BGP."""

from __future__ import annotations

from typing import Final

from settings.checks.routers_kind import KINDS
from settings.init.questions.question import (
    NONE,
    Answers,
    Fixed,
    Question,
    both,
    routers_keep,
    with_answer,
    with_some,
)
from settings.models.base import Form
from settings.models.bgp import Bgp
from settings.models.routers import Routers
from settings.shape import choices, hints

LEGS: Final = ("management", "lan", "wan", "sync")
"""Of a router; the last one with a pair."""

_IMAGE: Final = with_answer("routers", *(word for word, asks in KINDS.items() if asks.image))
_PHYSICAL: Final = with_answer(
    "routers", *(word for word, asks in KINDS.items() if not asks.virtual)
)
_BGP: Final = with_some("asn")
_UPSTREAM: Final = with_some("upstream")
_INSIDE: Final = with_some("inside-asn")
_UPSTREAMS: Final = Form(
    "[^=:]+=[^=:]+:[^=:]+",
    "does not name an address and an AS number",
    "write each as NAME=ADDRESS:ASN, such as isp=198.51.100.1:64500",
)
_ASN: Final = Form(
    "[0-9]+", "is no AS number", "write your own in digits, or a private one such as 64512"
)
_RANGE: Final = Form(
    "[^-]+-[^-]+", "does not name both ends", "write FIRST-LAST, such as 10.20.30.1-10.20.30.200"
)


def names(given: Answers) -> list[str]:
    """What the routers are called."""
    return ["router-a", "router-b"] if given["pairs"] == "yes" else ["router-a"]


def legs(given: Answers) -> list[str]:
    """The networks that they stand on."""
    return [*LEGS] if given["pairs"] == "yes" else [*LEGS[:-1]]


def _ports(given: Answers) -> str:
    return ",".join(f"ether{number}" for number, _ in enumerate(legs(given), start=1))


KIND: Final = (
    Question(
        name="routers",
        text="routers: Linux or VyOS on virtual machines, or physical MikroTik; physical VyOS as "
        "docs/routers.md says",
        keys=("routers.kind", "routers.vrrp"),
        default=Fixed("linux"),
        choices=choices(hints(Routers)["kind"]),
    ),
    Question(
        name="routers-image",
        text="URL of the routers' own disk image, a dated file such as "
        "https://images.example.org/vyos-1.4.0-cloud-init.qcow2",
        keys=("routers.image",),
        stand_in="https://images.example.org/vyos-1.4.0-cloud-init.qcow2",
        when=_IMAGE,
    ),
    Question(
        name="router-addresses",
        text="the routers' management addresses, which they have already, such as "
        "10.20.0.11,10.20.0.12",
        keys=("routers.physical", "routers.physical.management"),
        one_for=names,
        when=_PHYSICAL,
    ),
    Question(
        name="router-interfaces",
        text="their interfaces of management, LAN and WAN, and of the link if they are a pair",
        keys=("routers.physical.interfaces",),
        default=_ports,
        one_for=legs,
        when=_PHYSICAL,
    ),
    Question(
        name="router-keys",
        text="their SSH host keys, KEY,KEY, each as `ssh-keyscan -t ed25519` prints it behind the "
        "address: ssh-ed25519 AAAA...",
        keys=("routers.host_keys",),
        one_for=names,
        when=_PHYSICAL,
    ),
)

BGP: Final = (
    Question(
        name="asn",
        text="the routers' own AS number, if they speak BGP, or - for none",
        keys=("routers.bgp",),
        default=Fixed(NONE),
        each=_ASN,
        when=routers_keep("bgp"),
    ),
    Question(
        name="inside-asn",
        text="the nodes' AS number, such as 64513, if they announce Services' addresses to the "
        "routers by BGP, or - where ARP on the LAN is enough",
        keys=("routers.bgp.inside", "platform.metallb.mode"),
        default=Fixed(NONE),
        each=_ASN,
        when=_BGP,
    ),
    Question(
        name="pool",
        text="addresses for Services, FIRST-LAST, of no network of the stack",
        keys=("platform.metallb.pool", "platform.ingress.load_balancer_ip"),
        default=Fixed("10.20.30.1-10.20.30.200"),
        each=_RANGE,
        when=_INSIDE,
    ),
    Question(
        name="inside-password",
        text="a password on the nodes' sessions",
        keys=("routers.bgp.inside.password",),
        default=Fixed("no"),
        choices=("no", "yes"),
        when=both(_INSIDE, routers_keep("bgp.inside.password")),
    ),
    Question(
        name="inside-bfd",
        text="BFD with the nodes, so that a silent one is left within a second",
        keys=("routers.bgp.inside.bfd",),
        default=Fixed("yes"),
        choices=("yes", "no"),
        when=_INSIDE,
    ),
    Question(
        name="upstream",
        text="the providers' routers that ours speak with, NAME=ADDRESS:ASN,NAME=ADDRESS:ASN "
        "(addresses on the WAN), or - for none",
        keys=("routers.bgp.upstream",),
        default=Fixed(NONE),
        each=_UPSTREAMS,
        when=_BGP,
    ),
    Question(
        name="upstream-passwords",
        text="which of them ask for a password, NAME,NAME, or - for none",
        keys=("routers.bgp.upstream.password",),
        default=Fixed(NONE),
        among="upstream",
        when=both(_UPSTREAM, routers_keep("bgp.upstream[].password")),
    ),
    Question(
        name="upstream-bfd",
        text="which of them answer BFD, NAME,NAME, or - for none",
        keys=("routers.bgp.upstream.bfd",),
        default=Fixed(NONE),
        among="upstream",
        when=_UPSTREAM,
    ),
    Question(
        name="announce",
        text="networks of yours that they are told, such as 203.0.113.0/24, or - for none",
        keys=("routers.bgp.announce",),
        default=Fixed(NONE),
        when=_UPSTREAM,
    ),
    Question(
        name="announced-vip",
        text="a public address of the service in these, beside the one on the WAN, or - for none",
        keys=("routers.vips[1].wan",),
        default=Fixed(NONE),
        when=with_some("announce"),
    ),
    Question(
        name="bgp-daemon",
        text="who speaks BGP: FRRouting or BIRD",
        keys=("routers.bgp.daemon",),
        default=Fixed("frr"),
        choices=choices(hints(Bgp)["daemon"]),
        when=both(_BGP, routers_keep("bgp.daemon")),
    ),
)
