"""What `init` asks: each question is a flag too, for scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Answers = Mapping[str, str]
"""Name of a question to the answer, as it was written."""


def _always(_: Answers) -> bool:
    return True


def _pairs(given: Answers) -> bool:
    return given["pairs"] == "yes"


def _zone(given: Answers) -> bool:
    return given["cdn"] == "cloudflare"


def _lasts(given: Answers) -> str:
    """The zone that the first name is most likely in."""
    return ".".join(given["names"].split(",")[0].strip().split(".")[-2:])


def _several(given: Answers) -> str:
    return "yes" if "," in given["hosts"] else "no"


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question: its flag is `--NAME`. `default` is what an empty answer means, from the answers
    before it; None where there must be one. `choices` are all that it takes, if few."""

    name: str
    text: str
    default: Callable[[Answers], str] | None = None
    choices: tuple[str, ...] = ()
    number: bool = False
    applies: Callable[[Answers], bool] = _always


def _is(text: str) -> Callable[[Answers], str]:
    return lambda _: text


QUESTIONS: Final = (
    Question(name="endpoint", text="Proxmox' API, such as https://pve.example.org:8006/"),
    Question(name="hosts", text="Proxmox hosts, as NAME=ADDRESS,NAME=ADDRESS (addresses for SSH)"),
    Question(
        name="pairs",
        text="routers and balancers in pairs, on different hosts",
        default=_several,
        choices=("yes", "no"),
    ),
    Question(name="management", text="management network", default=_is("10.20.0.0/24")),
    Question(name="management-bridge", text="its bridge, or BRIDGE:VLAN", default=_is("vmbr0")),
    Question(name="lan", text="LAN, of all machines", default=_is("10.20.10.0/24")),
    Question(name="lan-bridge", text="its bridge, or BRIDGE:VLAN", default=_is("vmbr1")),
    Question(name="wan", text="WAN network, as the provider gave it, such as 198.51.100.0/28"),
    Question(name="wan-bridge", text="its bridge, or BRIDGE:VLAN", default=_is("vmbr2")),
    Question(name="gateway", text="the provider's router on the WAN"),
    Question(name="public-vip", text="public address of the service, on the WAN"),
    Question(
        name="sync",
        text="network of the link between the two routers",
        default=_is("10.20.20.0/28"),
        applies=_pairs,
    ),
    Question(
        name="sync-bridge",
        text="its bridge, or BRIDGE:VLAN",
        default=_is("vmbr3"),
        applies=_pairs,
    ),
    Question(name="control-planes", text="control planes, 1 or 3", default=_is("1"), number=True),
    Question(
        name="workers",
        text="workers",
        default=lambda given: str(given["hosts"].count("=") or 1),
        number=True,
    ),
    Question(name="names", text="host names of the service, such as www.example.org,example.org"),
    Question(
        name="cdn",
        text="CDN in front",
        default=_is("cloudflare"),
        choices=("cloudflare", "none"),
    ),
    Question(name="zone", text="the zone of the names at the CDN", default=_lasts, applies=_zone),
    Question(name="domain", text="the machines' own domain", default=_is("cluster.internal")),
    Question(name="resolvers", text="DNS servers", default=_is("1.1.1.1,9.9.9.9")),
    Question(name="ntp", text="NTP servers, or - for none", default=_is("time.cloudflare.com")),
    Question(name="pods", text="the pods' range", default=_is("10.244.0.0/16")),
    Question(name="services", text="the Services' range", default=_is("10.96.0.0/16")),
    Question(name="first-vm-id", text="VM ids begin at", default=_is("2001"), number=True),
)
