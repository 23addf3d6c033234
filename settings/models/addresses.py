"""Addresses and subnets: the one place that says which family they are of.

What is annotated `Address` or `Subnet` is of IPv4, `Address6` and `Subnet6` of IPv6 (a visitor's
way, where a stack has it), `AnyAddress` and `AnySubnet` of either. What is asked of them is asked
here, so that an address of one family is never compared with one of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
    collapse_addresses,
)
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from settings.models.base import fault

BITS: Final = 32
"""Of an address."""

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = rf"{_OCTET}(\.{_OCTET}){{3}}"

IPV4_ONLY: Final = "is IPv6"
IPV4_ONLY_RIGHT: Final = "IPv4 only for now: write an IPv4 {what}"


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address or network, with or without brackets or a zone."""
    try:
        IPv6Network(text.strip("[]").partition("%")[0], strict=False)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """Whether the text is an address as a stack file writes one."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def is_any_address(text: str) -> bool:
    """Whether the text is an address of either family, without a prefix length or brackets."""
    return is_address(text) or ("/" not in text and "[" not in text and is_ipv6(text))


def _address(value: object) -> object:
    if isinstance(value, IPv4Address):
        return value
    # An IPv4 type made from an integer would turn a YAML number into a wrong address silently.
    if not isinstance(value, str):
        raise fault("is not text", "write an IPv4 address such as 192.0.2.10")
    if is_ipv6(value):
        raise fault(IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address"))
    if is_address(value):
        return IPv4Address(value)
    if "/" in value:
        raise fault("has a prefix length", "write the address alone: the segment's cidr has it")
    alone, colon, port = value.rpartition(":")
    if colon and port.isdigit() and is_address(alone):
        raise fault("has a port", f"write {alone}")
    plain = re.sub(r"\b0+(?=[0-9])", "", value.replace(",", "."))
    right = plain if is_address(plain) else "four decimal numbers such as 192.0.2.10"
    raise fault("is not an IPv4 address", f"write {right}")


def _subnet(value: object) -> object:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise fault("is not text", "write an IPv4 network such as 192.0.2.0/24")
    if is_ipv6(value):
        raise fault(IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="network"))
    start, slash, length = value.partition("/")
    try:
        network = IPv4Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise fault(
            "is not an IPv4 network", "write an address and a prefix length such as 192.0.2.0/24"
        ) from None
    if not slash:
        around = IPv4Network(f"{start}/24", strict=False)
        alone = "" if str(around.network_address) == start else f"{start}/32, or "
        raise fault("has no prefix length", f"write {alone}{around} or the length you mean")
    if length != str(network.prefixlen):
        raise fault("has a mask in place of a prefix length", f"write {network}")
    if start != str(network.network_address):
        raise fault("has host bits set", f"write the network itself: {network}")
    return network


def _address6(value: object) -> object:
    if isinstance(value, IPv6Address):
        return value
    right = "write an IPv6 address such as fd00:10::5"
    if not isinstance(value, str):
        raise fault("is not text", right)
    if "/" in value:
        raise fault("has a prefix length", "write the address alone: the segment's cidr6 has it")
    if "[" in value or "%" in value or not is_ipv6(value):
        raise fault("is not an IPv6 address", right)
    return IPv6Address(value)


def _subnet6(value: object) -> object:
    if isinstance(value, IPv6Network):
        return value
    right = "write an address and a prefix length such as fd00:10::/64"
    if not isinstance(value, str):
        raise fault("is not text", right)
    if "[" in value or "%" in value or not is_ipv6(value):
        raise fault("is not an IPv6 network", right)
    if "/" not in value:
        raise fault("has no prefix length", f"write {value}/64 or the length you mean")
    network = IPv6Network(value, strict=False)
    if IPv6Address(value.partition("/")[0]) != network.network_address:
        raise fault("has host bits set", f"write the network itself: {network}")
    return network


def _any_subnet(value: object) -> object:
    sixth = isinstance(value, IPv6Network) or (isinstance(value, str) and is_ipv6(value))
    return _subnet6(value) if sixth else _subnet(value)


Address = Annotated[
    IPv4Address,
    BeforeValidator(_address),
    WithJsonSchema({"type": "string", "format": "ipv4", "pattern": rf"^{_DOTTED}$"}),
]
"""One address, such as 198.18.10.1."""

Subnet = Annotated[
    IPv4Network,
    BeforeValidator(_subnet),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DOTTED}/([0-9]|[12][0-9]|3[0-2])$"}),
]
"""A network without host bits, such as 198.18.10.0/24."""


_SIX = r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"

Address6 = Annotated[
    IPv6Address,
    BeforeValidator(_address6),
    WithJsonSchema({"type": "string", "format": "ipv6", "pattern": f"{_SIX}$"}),
]
"""One IPv6 address, such as fd00:10::5."""

Subnet6 = Annotated[
    IPv6Network,
    BeforeValidator(_subnet6),
    WithJsonSchema({"type": "string", "pattern": f"{_SIX}/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$"}),
]
"""An IPv6 network without host bits, such as fd00:10::/64."""

AnyAddress: TypeAlias = IPv4Address | IPv6Address
"""Of either family."""

AnyNetwork: TypeAlias = IPv4Network | IPv6Network
"""Of either family."""

AnySubnet = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_any_subnet),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9A-Fa-f:.]+/[0-9]{1,3}$"}),
]
"""A network of either family, without host bits."""


EXAMPLES: Final[dict[type, str]] = {
    IPv4Address: "192.0.2.10",
    IPv4Network: "192.0.2.0/24",
    IPv6Address: "2001:db8::10",
    IPv6Network: "2001:db8::/64",
}
"""One of each for documents (RFC 5737, RFC 3849)."""


def ends_of(text: str) -> tuple[Address, Address] | None:
    """The first and last host address of a range written as one text, by network or by ends."""
    first, dash, last = (each.strip() for each in text.partition("-"))
    if dash and is_address(first) and is_address(last):
        return IPv4Address(first), IPv4Address(last)
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        return None
    if network.prefixlen >= BITS - 1:
        return network[0], network[-1]
    return network[1], network[-2]


def address(text: str) -> Address:
    """The address a text names; `ValueError` when it names none."""
    return IPv4Address(text)


def subnet(text: str) -> Subnet:
    """The subnet a text names; `ValueError` when it names none."""
    return IPv4Network(text)


def around(inside: Iterable[AnyAddress], longest: int, shortest: int) -> Subnet | None:
    """The smallest IPv4 network with a prefix of these lengths that has all of them as hosts."""
    given = list(inside)
    for length in range(longest, shortest - 1, -1):
        network = IPv4Network((str(given[0]), length), strict=False)
        if all(each in network and edge_of(each, network) is None for each in given):
            return network
    return None


def network_of(text: str) -> AnyNetwork:
    """The network of either family that a text names; `ValueError` when it names none."""
    return IPv6Network(text) if is_ipv6(text) else IPv4Network(text)


def collapsed(subnets: Iterable[AnyNetwork]) -> list[AnyNetwork]:
    """The same addresses in as few subnets as possible, sorted, IPv4 first."""
    given = list(subnets)
    return [
        *collapse_addresses([each for each in given if isinstance(each, IPv4Network)]),
        *collapse_addresses([each for each in given if isinstance(each, IPv6Network)]),
    ]


def within(inner: AnyNetwork, outer: AnyNetwork) -> bool:
    """Whether every address of one is of the other; never across families."""
    return inner.network_address in outer and inner.broadcast_address in outer


def overlap(one: AnyNetwork, other: AnyNetwork) -> bool:
    """Whether two networks share an address; never across families."""
    return one.network_address in other or other.network_address in one


def edge_of(address: AnyAddress, network: AnyNetwork) -> str | None:
    """What an address that no machine may hold is called; RFC 3021 and RFC 6164: a /31 and a /127
    have none. The first one of an IPv6 network is every router's on it (RFC 4291, 2.6.1)."""
    if network.prefixlen >= network.max_prefixlen - 1:
        return None
    if isinstance(network, IPv6Network):
        return "the routers' anycast address" if address == network.network_address else None
    if address == network.network_address:
        return "the network address"
    if address == network.broadcast_address:
        return "the broadcast address"
    return None


LINK_LOCAL: Final = network_of("fe80::/10")
"""Of one segment (RFC 4291, 2.5.6)."""

PRIVATE: Final = tuple(
    map(network_of, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""RFC 1918, RFC 6598 and RFC 4193: nobody on the internet reaches them."""

DOCUMENTATION: Final = tuple(
    map(network_of, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
"""RFC 5737 and RFC 3849: examples, nobody's."""

BENCHMARKS: Final = subnet("198.18.0.0/15")
"""RFC 2544: laboratories'."""

SPECIAL: Final = {
    network_of("0.0.0.0/8"): "this network (RFC 1122)",
    network_of("127.0.0.0/8"): "loopback (RFC 1122)",
    network_of("169.254.0.0/16"): "link-local (RFC 3927)",
    network_of("224.0.0.0/3"): "multicast or reserved (RFC 5771, RFC 1112)",
    network_of("::/8"): "loopback, IPv4 in IPv6, or reserved (RFC 4291)",
    LINK_LOCAL: "link-local (RFC 4291)",
    network_of("fec0::/10"): "site-local, which is no more (RFC 3879)",
    network_of("ff00::/8"): "multicast (RFC 4291)",
}
"""What no machine may hold and no segment may be, with its meaning."""
