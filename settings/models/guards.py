"""What the balancers let through: how often, from whom, and which requests; and what they add to
answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from settings.models.addresses import AnySubnet
from settings.models.base import Form, Seconds, Strict, Unit, fault
from settings.models.cdn import HeaderName
from settings.models.routing import HeaderValue, Method, UrlPrefix

_EVERY_BROWSERS = "mozilla/5.0 ("


def _somebodys(text: str) -> str:
    if text.lower() in _EVERY_BROWSERS:
        raise fault("stands in the User-Agent of every browser", "write more of what is meant")
    return text


AgentText = Annotated[
    str,
    Form(
        r"[A-Za-z0-9 ._/+;:()-]{3,100}",
        "is no part of a User-Agent",
        "write three characters or more of its name, such as BadBot/",
    ),
    AfterValidator(_somebodys),
]


class Rate(Strict):
    """How often one client may ask."""

    requests: int = Field(ge=1, le=1_000_000)
    """Requests of one client within `seconds`; more are answered with 429."""
    seconds: Seconds = Field(default=10, ge=1, le=3600)
    """The time over which they are counted."""


class Sources(Strict):
    """From where requests are answered: by the visitor's address, behind the CDN too, which names
    visitors by IPv6 whether it calls by it or not."""

    allow: list[AnySubnet] = Field(default_factory=list)
    """Whose requests are answered; everybody else's with 403. Empty: everybody's."""
    deny: list[AnySubnet] = Field(default_factory=list)
    """Whose requests are answered with 403, allowed or not."""


class Filter(Strict):
    """Which requests are not passed on."""

    methods: list[Method] = Field(default_factory=list)
    """The methods that are; others are answered with 405. Empty: any."""
    denied_paths: list[UrlPrefix] = Field(default_factory=list)
    """Paths with all below them, in small letters or capitals: answered with 403."""
    denied_agents: list[AgentText] = Field(default_factory=list)
    """Parts of the User-Agent, in small letters or capitals: answered with 403."""
    max_body: Annotated[int, Unit("KiB")] | None = Field(default=None, ge=1, le=1_073_741_824)
    """KiB of a request's body: more is answered with 413, and with 411 who does not tell the length
    (POST, PUT and PATCH; over HTTP/1.1 any method)."""


class Hsts(Strict):
    """Strict-Transport-Security (RFC 6797), on what is answered over TLS."""

    seconds: int = Field(default=31_536_000, ge=0, le=63_072_000)
    """How long browsers remember to come by HTTPS alone; 0 makes them forget it."""
    subdomains: bool = False
    """Whether it holds for all names below."""
    preload: bool = False
    """Whether browsers may carry it in their own list."""


class Answers(Strict):
    """What is written over the header fields of every answer, the balancers' own included."""

    hsts: Hsts | None = None
    """Browsers come by HTTPS alone; null leaves it to applications."""
    set: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Fields and their values, such as X-Content-Type-Options and nosniff."""
    remove: list[HeaderName] = Field(default_factory=list)
    """Fields that are taken out, such as Server."""
