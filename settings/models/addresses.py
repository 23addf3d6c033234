"""Addresses and subnets: the one place that says which family they are of.

The rest of the settings know `Address` and `Subnet`, what is asked of them here, and nothing of
IPv4. A second family starts in this file and in `networks.Segment`; what is annotated `Subnet` or
`Address` elsewhere (ranges, overlaps, claims, blanks to fill in) takes one family until it is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Network,
    NetmaskValueError,
    collapse_addresses,
)
from typing import Annotated, Final

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
    raise fault("is not an IPv4 address", "write four decimal numbers such as 192.0.2.10")


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


def collapsed(subnets: Iterable[Subnet]) -> list[Subnet]:
    """The same addresses in as few subnets as possible, sorted."""
    return list(collapse_addresses(subnets))


def within(inner: Subnet, outer: Subnet) -> bool:
    """Whether every address of one is of the other; never across families."""
    return inner.version == outer.version and inner.subnet_of(outer)


def edge_of(address: Address, network: Subnet) -> str | None:
    """What an address that no machine may hold is called; RFC 3021: a /31 has neither."""
    if network.prefixlen >= network.max_prefixlen - 1:
        return None
    if address == network.network_address:
        return "the network address"
    if address == network.broadcast_address:
        return "the broadcast address"
    return None


PRIVATE: Final = tuple(
    map(subnet, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
"""RFC 1918 and RFC 6598: nobody on the internet reaches them."""

DOCUMENTATION: Final = tuple(map(subnet, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
"""RFC 5737: examples, nobody's."""

BENCHMARKS: Final = subnet("198.18.0.0/15")
"""RFC 2544: laboratories'."""

SPECIAL: Final = {
    subnet("0.0.0.0/8"): "this network (RFC 1122)",
    subnet("127.0.0.0/8"): "loopback (RFC 1122)",
    subnet("169.254.0.0/16"): "link-local (RFC 3927)",
    subnet("224.0.0.0/3"): "multicast or reserved (RFC 5771, RFC 1112)",
}
"""What no machine may hold and no segment may be, with its meaning."""
