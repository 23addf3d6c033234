"""BGP of the routers: with the providers on the WAN, with nodes and balancers on the LAN."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from settings.models.addresses import Address, Subnet
from settings.models.base import Elsewhere, Name, Strict, Unit, fault

INSIDE: Final = "inside"
"""What the sessions with the nodes are called, where a provider's have its name."""
BALANCERS: Final = "balancers"
"""What those with the balancers are called."""

_RESERVED: Final = {
    0: "reserved (RFC 7607)",
    23_456: "the placeholder for longer numbers (RFC 6793)",
    65_535: "reserved (RFC 7300)",
    4_294_967_295: "reserved (RFC 7300)",
}


def _in_one_number(value: object) -> object:
    """RFC 5396: routers show longer numbers in two parts, too."""
    if isinstance(value, float):
        right = "write one number: the part before the dot times 65536, plus the one behind it"
        raise fault("is in two parts (RFC 5396, asdot)", right)
    found = re.fullmatch(r"(?:[Aa][Ss])? ?(?:([0-9]{1,5})\.)?([0-9]{1,10})", str(value))
    if isinstance(value, str) and found is not None:
        number = 65_536 * int(found[1] or 0) + int(found[2])
        wrong = "is in two parts (RFC 5396, asdot)" if found[1] else "is text"
        raise fault(wrong, f"write {number} without quotes")
    return value


def _usable(number: int) -> int:
    if number in _RESERVED:
        raise fault(
            f"is {_RESERVED[number]}", "write your own AS number, or a private one such as 64512"
        )
    return number


Asn = Annotated[
    int,
    Field(ge=0, le=4_294_967_295, strict=True),
    BeforeValidator(_in_one_number),
    AfterValidator(_usable),
]
"""The number of an autonomous system (RFC 6793)."""


Password = Annotated[bool, Elsewhere("bgpPasswords")]
"""Whether there is one."""


def _a_providers(name: str) -> str:
    for taken, whose in ((INSIDE, "nodes"), (BALANCERS, "balancers")):
        if name == taken:
            raise fault(f"is what the sessions with the {whose} are called", "give it another name")
    return name


class BgpUpstream(Strict):
    """One router of a provider on the WAN; each of ours has a session with it."""

    name: Annotated[Name, AfterValidator(_a_providers)]
    """What it is called here, also in `bgpPasswords`."""
    address: Address
    """Its address on `networks.wan`."""
    asn: Asn
    """The provider's AS number."""
    password: Password = False
    """Whether the session has a password (TCP MD5, RFC 2385): secret `bgpPasswords`."""
    bfd: bool = False
    """Whether the provider's router answers BFD."""
    accept: list[Subnet] = Field(default_factory=list)
    """Networks that are taken from it, and what is more specific in them down to a /24; never the
    default route, which stays `networks.wan.gateway`, and never one of the stack's own."""


class BgpInside(Strict):
    """The nodes of the cluster, which announce the addresses of LoadBalancer services."""

    asn: Asn
    """The nodes' AS number."""
    password: Password = False
    """Whether their sessions have a password: secret `bgpPasswords`, NAME `inside`."""
    bfd: bool = True
    """Whether they answer BFD."""


class BgpBalancers(BgpInside):
    """The balancers, which announce the service's addresses (`balancers.reach.kind: bgp`)."""

    asn: Asn
    """The balancers' AS number."""
    password: Password = False
    """Whether their sessions have a password: secret `bgpPasswords`, NAME `balancers`."""


class BgpTimers(Strict):
    """How long a silent neighbour is believed in, without BFD."""

    keepalive: Annotated[int, Unit("seconds")] = Field(default=3, ge=1, le=21_845)
    """Seconds between two signs of life."""
    hold: Annotated[int, Unit("seconds")] = Field(default=9, ge=3, le=65_535)
    """Seconds of silence after which its routes go (RFC 4271, 4.2)."""


class Bfd(Strict):
    """Bidirectional forwarding detection (RFC 5880): a neighbour is gone after
    `interval` times `multiplier` of silence."""

    interval: Annotated[int, Unit("milliseconds")] = Field(default=300, ge=50, le=60_000)
    """Milliseconds between two packets, each way."""
    multiplier: int = Field(default=3, ge=2, le=255)
    """Packets that are missed."""


class Bgp(Strict):
    """Routes that the routers learn and announce."""

    daemon: Literal["frr", "bird"] = "frr"
    """`frr`: FRRouting. `bird`: BIRD, of the release that the distribution has."""
    asn: Asn
    """The routers' AS number."""
    upstream: list[BgpUpstream] = Field(default_factory=list)
    """The providers' routers."""
    announce: list[Subnet] = Field(default_factory=list)
    """Networks of ours that the providers are told, with the public VIP as the next hop."""
    inside: BgpInside | None = None
    """The nodes; null: none of them speaks BGP."""
    balancers: BgpBalancers | None = None
    """The balancers; null: none of them speaks BGP."""
    timers: BgpTimers = BgpTimers()
    """Of every session."""
    bfd: Bfd = Bfd()
    """Of every session that has it."""
    multipath: int = Field(default=8, ge=1, le=64)
    """Ways to one destination that are used at the same time."""
    drained: list[Name] = Field(default_factory=list)
    """Routers that ask every neighbour to prefer other ways (GRACEFUL_SHUTDOWN, RFC 8326)."""

    def passwords(self) -> list[str]:
        """The names in `bgpPasswords` that this needs, in the order they are written."""
        named = [each.name for each in self.upstream if each.password]
        behind = ((INSIDE, self.inside), (BALANCERS, self.balancers))
        return [*named, *(name for name, each in behind if each is not None and each.password)]
