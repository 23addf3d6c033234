"""Ground types shared by every section of a stack.

Validators here raise through `fault`, which carries what is wrong and what would be right apart,
so that `settings.translate` can print both without parsing a sentence.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Network, NetmaskValueError
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

FAULT = "stack_fault"
"""The pydantic error type of everything raised through `fault`."""

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = rf"{_OCTET}(\.{_OCTET}){{3}}"

IPV4_ONLY = "is IPv6"
IPV4_ONLY_RIGHT = "IPv4 only for now: write an IPv4 {what}"


class Strict(BaseModel):
    """A section: frozen, and an unknown key is an error rather than a typo nobody sees.

    Strict also about types: text is not a number, and `yes` is not a boolean, because the engine's
    YAML reader (YAML 1.2) and Python's (YAML 1.1) disagree about such words.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )


def fault(wrong: str, right: str) -> PydanticCustomError:
    """An error whose `wrong` continues "KEY: VALUE ..." and whose `right` says what to write."""
    return PydanticCustomError(FAULT, "{wrong}; {right}", {"wrong": wrong, "right": right})


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address or network, with or without brackets or a zone."""
    try:
        IPv6Network(text.strip("[]").partition("%")[0], strict=False)
    except ValueError:
        return False
    return True


def _address(value: object) -> object:
    if isinstance(value, IPv4Address):
        return value
    # An IPv4 type made from an integer would turn a YAML number into a wrong address silently.
    if not isinstance(value, str):
        raise fault("is not text", "write an IPv4 address such as 192.0.2.10")
    if is_ipv6(value):
        raise fault(IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address"))
    try:
        return IPv4Address(value)
    except AddressValueError:
        pass
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
    try:
        network = IPv4Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise fault(
            "is not an IPv4 network", "write an address and a prefix length such as 192.0.2.0/24"
        ) from None
    if "/" not in value:
        raise fault("has no prefix length", f"write {value}/24 or the length you mean")
    if value.split("/")[0] != str(network.network_address):
        raise fault("has host bits set", f"write the network itself: {network}")
    return network


Address = Annotated[
    IPv4Address,
    BeforeValidator(_address),
    WithJsonSchema({"type": "string", "format": "ipv4", "pattern": rf"^{_DOTTED}$"}),
]
Subnet = Annotated[
    IPv4Network,
    BeforeValidator(_subnet),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DOTTED}/([0-9]|[12][0-9]|3[0-2])$"}),
]
"""An IPv4 network without host bits, such as 198.18.10.0/24."""

NAME_PATTERN = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
HOSTNAME_PATTERN = r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
VERSION_PATTERN = r"^\d+\.\d+\.\d+([.+-][0-9A-Za-z.+-]+)?$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, strict=True)]
"""A DNS label (RFC 1123) starting with a letter, at most 40 characters: a machine, a VIP group."""

Hostname = Annotated[str, StringConstraints(pattern=HOSTNAME_PATTERN, max_length=253, strict=True)]
"""A fully qualified host name in lower case, without the final dot; may start with `*.`."""

Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
NodePort = Annotated[int, Field(ge=30000, le=32767, strict=True)]
"""The API server's default service-node-port-range."""

Vrid = Annotated[int, Field(ge=1, le=255, strict=True)]
"""Virtual router identifier, unique on a segment (RFC 5798, 5.2.3)."""

Mtu = Annotated[int, Field(ge=1280, le=9216, strict=True)]
"""Bytes of an IP packet the segment carries."""

Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN, strict=True)]
Version = Annotated[str, StringConstraints(pattern=VERSION_PATTERN, strict=True)]
