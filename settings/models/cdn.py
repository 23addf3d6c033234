"""The CDN in front, and what its address ranges must be before they may open anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from settings.models.addresses import AnyNetwork, AnySubnet, collapsed, network_of, subnet
from settings.models.base import Domain, Form, Hostname, Seconds, Strict, Unit, fault
from settings.models.cdn_rules import CdnRules
from settings.models.origin_pulls import OriginPulls
from settings.models.unproxied import UnproxiedRecord
from settings.models.urls import BaseUrl

WIDEST_CDN_PREFIX: Final = 8
"""The shortest prefix a range may have, and the room all ranges together may take: more is no
CDN, it is the internet."""

WIDEST_CDN_PREFIX6: Final = 16
"""The same of IPv6. Registries give a network a /32, large ones a /20 or so."""

EVERYBODY: Final = "0.0.0.0/0"
"""Who may call where no CDN stands in front."""
EVERYBODY6: Final = "::/0"
"""The same by IPv6."""

ORIGIN_CA_DAYS: Final = (7, 30, 90, 365, 730, 1095, 5475)
"""Lifetimes Cloudflare's origin CA signs for (Cloudflare API, "Create Certificate")."""


HeaderName = Annotated[
    str, Form(r"[A-Za-z0-9-]+", "is no header name", "write letters, digits and dashes")
]

_ANYBODYS: Final = frozenset(
    (
        *("accept", "accept-charset", "accept-encoding", "accept-language", "authorization"),
        *("cache-control", "connection", "content-length", "content-type", "cookie", "date"),
        *("expect", "from", "host", "if-match", "if-modified-since", "if-none-match"),
        *("keep-alive", "max-forwards", "origin", "pragma", "proxy-authorization", "range"),
        *("referer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "warning"),
    )
)
"""Headers of HTTP's own (RFC 9110), which a client or a browser writes."""
_LISTS: Final = frozenset(
    (
        *("forwarded", "via", "x-forwarded", "x-forwarded-for", "x-forwarded-host"),
        *("x-forwarded-port", "x-forwarded-proto", "x-forwarded-server"),
    )
)


def _cdns_own(header: str) -> str:
    right = "write the header only the CDN sets, such as CF-Connecting-IP"
    if header.lower() in _LISTS:
        raise fault("is a list anybody may start, not the client's address", right)
    if header.lower() in _ANYBODYS:
        raise fault("is a header of the client's own, not its address", right)
    return header


ClientHeader = Annotated[HeaderName, AfterValidator(_cdns_own)]
"""Set by the CDN, over whatever the client wrote there."""

ZoneId = Annotated[
    str,
    Form(r"[0-9a-f]{32}", "is no Cloudflare zone id", "write its 32 hexadecimal digits"),
]


class RangesRefused(ValueError):
    """The ranges would shut everybody out, or let anybody in."""


def usable_ranges(given: Iterable[str], source: str, *, ipv6: bool = False) -> list[str]:
    """The ranges as networks of IPv4, and with `ipv6` of either family, sorted and without
    overlaps, at least one of each.

    `source` says where they come from. Raises `RangesRefused` for a family without any, a text that
    is no network of these, a range wider than a /8 (IPv6: a /16), and ranges that take more than
    that together: the update fails, and the set in use stays.
    """
    networks: list[AnyNetwork] = []
    for each in given:
        try:
            network = network_of(each) if ipv6 else subnet(each)
        except ValueError as error:
            raise RangesRefused(f"{source}: {error}; the set in use stays") from error
        if too_wide([network]):
            raise RangesRefused(
                f"{source}: {network} is wider than a /{widest(network)} and would let everybody "
                "in; the set in use stays"
            )
        networks.append(network)
    joined = collapsed(networks)
    for version in (4, 6) if ipv6 else (4,):
        family = [each for each in joined if each.version == version]
        if not family:
            raise RangesRefused(
                f"{source}: no IPv{version} range at all, and an empty set would shut everybody "
                "out; the set in use stays"
            )
        if too_wide(family):
            raise RangesRefused(
                f"{source}: the ranges take more than a /{widest(family[0])} together and would "
                "let everybody in; the set in use stays"
            )
    return [str(each) for each in joined]


def widest(network: AnyNetwork) -> int:
    """The shortest prefix that a CDN's range of this family may have."""
    return WIDEST_CDN_PREFIX if network.version == 4 else WIDEST_CDN_PREFIX6


def too_wide(family: Iterable[AnyNetwork]) -> bool:
    """Whether networks of one family are more than a CDN has, alone or together."""
    joined = collapsed(family)
    room = sum(each.num_addresses for each in joined)
    return any(room > 2 ** (each.max_prefixlen - widest(each)) for each in joined)


@dataclass(frozen=True, kw_only=True)
class CdnTraits:
    """What the rules ask about a kind of CDN; how it is made stands in `components.cdn`."""

    called: str
    present: bool = True
    """Whether anybody stands in front; else visitors come straight from the internet."""
    asked: bool = False
    """Whether it is asked for its ranges."""
    listed: bool = False
    """Whether the stack lists its ranges."""
    managed: bool = False
    """Whether its zone, records and TLS settings are managed."""
    signs: bool = False
    """Whether it has an authority for certificates at the origin (`origin-ca`)."""
    client_headers: tuple[str, ...] = ()
    """Headers that it sets over whatever the client wrote there; the first is the default. None
    of one that is present: the stack must name one."""
    header_to_set: str | None = None
    """The header it has for that, but passes on as the client wrote it, until its own configuration
    sets it. So it is no default: a stack that names it says that this was done."""


CDN_KINDS: Final[Mapping[str, CdnTraits]] = MappingProxyType(
    {
        "cloudflare": CdnTraits(
            called="Cloudflare",
            asked=True,
            managed=True,
            signs=True,
            client_headers=("CF-Connecting-IP", "CF-Connecting-IPv6", "True-Client-IP"),
        ),
        "listed": CdnTraits(called="a listed CDN", listed=True),
        # Fastly's developer documentation, "Fastly-Client-IP": "not protected from modification".
        "fastly": CdnTraits(called="Fastly", listed=True, header_to_set="Fastly-Client-IP"),
        "none": CdnTraits(called="no CDN", present=False),
    }
)
"""By the word of `cdn.kind`."""


def headers_of_cdns() -> frozenset[str]:
    """Header fields in which any CDN of the table names the client, in lower case: from anybody
    else they are a client's own words."""
    return frozenset(
        header.lower()
        for traits in CDN_KINDS.values()
        for header in (*traits.client_headers, traits.header_to_set)
        if header is not None
    )


def kinds_that(trait: str) -> str:
    """The words of `cdn.kind` whose traits have it, as a message names them."""
    return " or ".join(word for word, traits in CDN_KINDS.items() if getattr(traits, trait))


class CdnLimits(Strict):
    """What the CDN waits for at its origin, and what it passes on. The defaults are Cloudflare's
    (its developer documentation, "Connection limits", of July 2026); another CDN has others."""

    read_timeout: Seconds = Field(default=120, ge=1, le=6000)
    """Between two pieces of an answer; then the visitor is shown error 524."""
    idle_timeout: Seconds = Field(default=900, ge=1, le=3600)
    """How long it keeps an idle connection to us and sends requests on it again."""
    headers: Annotated[int, Unit("KiB")] = Field(default=128, ge=1, le=1024)
    """KiB of all header fields of a request."""
    url: Annotated[int, Unit("KiB")] = Field(default=16, ge=1, le=1024)
    """KiB of a URL."""


class Hsts(Strict):
    """Strict-Transport-Security (RFC 6797), written by the CDN into every answer over HTTPS. A
    browser keeps to it for `max_age`, whatever is changed here later."""

    max_age: Annotated[int, Unit("seconds")] = Field(default=15_552_000, ge=300, le=63_072_000)
    """For how long a browser calls by HTTPS alone."""
    include_subdomains: bool = False
    """For every name below one that says so, too, whoever serves it."""
    preload: bool = False
    """Consent to being built into browsers (hstspreload.org), which takes months to undo."""


class Cdn(Strict):
    """What stands in front of the routers and calls them."""

    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("api_token", "api_key", "token"), "put the token into the secret cloudflareApiToken"
    )

    kind: Literal["cloudflare", "listed", "fastly", "none"]
    """`cloudflare`: it is asked for its ranges, and records and zone settings are managed.
    `fastly`: known by its ranges and its header; its service is managed elsewhere. `listed`: any
    other CDN, known by its ranges alone. `none`: visitors come straight from the internet,
    everybody may call, and a client is whoever connects."""
    range_list: list[AnySubnet] = Field(default_factory=list)
    """The CDN's address ranges when `kind` is `listed` or `fastly`; of IPv6 too where visitors come
    by it."""
    limits: CdnLimits = CdnLimits()
    """What it waits for and passes on."""
    client_ip_header: ClientHeader | None = None
    """The header in which the CDN, and only it, names the client; null is the kind's own
    (Cloudflare: CF-Connecting-IP), which `listed` has not. For `fastly` write Fastly-Client-IP,
    once its service sets it. With `none` there is no such header."""
    origin_pulls: OriginPulls | None = None
    """The certificate it shows when it calls; null asks for none."""
    zone: Domain | None = None
    """The Cloudflare zone; null manages no records. Its token: secret `cloudflareApiToken`."""
    zone_id: ZoneId | None = None
    """The zone's identifier; null looks it up by name."""
    api_url: BaseUrl | None = None
    """Another base URL of the Cloudflare API; null is Cloudflare's own."""
    records: list[Hostname] = Field(default_factory=list, max_length=1000)
    """Names of the service, each a proxied A record for every public VIP."""
    unproxied: list[UnproxiedRecord] = Field(default_factory=list, max_length=200)
    """Further records of the zone, which lead past the CDN and are answered as they are written."""
    owns_zone: bool = False
    """Whether this stack alone decides what holds for the whole zone: `ssl`, `min_tls_version`,
    `always_use_https`, `hsts` and `rules` are set only then. Two owners undo each other's work."""
    ssl: Literal["full", "strict"] = "strict"
    """Cloudflare's mode towards the origin: `strict` verifies the certificate. Of a zone that is
    not owned: what it has."""
    min_tls_version: Literal["1.2", "1.3"] = "1.2"
    """The oldest TLS version the CDN accepts from clients."""
    always_use_https: bool = False
    """Redirect every visitor of the zone to HTTPS; `false` leaves the zone's own setting alone."""
    hsts: Hsts | None = None
    """Have browsers call the zone by HTTPS alone; null leaves the zone's own setting alone."""
    rules: CdnRules = CdnRules()
    """What the CDN does with requests by itself, for the whole zone."""

    @property
    def traits(self) -> CdnTraits:
        """Of its kind."""
        return CDN_KINDS[self.kind]

    @property
    def client_header(self) -> str | None:
        """The header in which it names the client, once the rules have passed; None where nobody
        may name another's address."""
        return self.client_ip_header or next(iter(self.traits.client_headers), None)

    def holds(self, name: str) -> bool:
        """Whether the zone, if there is one, has that name in it."""
        return self.zone is not None and f".{name}".endswith(f".{self.zone}")
