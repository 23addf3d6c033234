"""Rules at a managed CDN's edge: which requests it refuses, how often one client may ask, and what
it keeps. And what each plan has of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from settings.models.base import Name, Strict, Unit
from settings.models.expressions import Expression

PlanName = Literal["free", "pro", "business", "enterprise"]

WholeSeconds = Annotated[int, Unit("seconds")]
"""As Cloudflare counts: it takes no part of one."""

CHALLENGES: Final = ("managed_challenge", "js_challenge", "challenge")
"""Actions that let a client go on when it solves something."""


class FirewallRule(Strict):
    """A WAF custom rule. They are asked in their order; the first that ends a request ends it."""

    name: Name
    """Shown in Cloudflare's dashboard; unique among these rules."""
    when: Expression
    """Which requests, in Cloudflare's Rules language."""
    action: Literal["block", "managed_challenge", "js_challenge", "challenge", "log", "skip"]
    """What becomes of them. `skip` spares them what `skip` lists."""
    skip: list[Literal["firewall", "rate_limits", "managed", "bots"]] = Field(default_factory=list)
    """With the action `skip`: the other rules of this list, the rate limits, the managed rules,
    Super Bot Fight Mode."""
    enabled: bool = True
    """Whether it is in force."""


class RateLimitRule(Strict):
    """How often one client may ask for something, counted by each of the CDN's data centres."""

    name: Name
    """Shown in Cloudflare's dashboard; unique among these rules."""
    when: Expression
    """Which requests, in Cloudflare's Rules language."""
    requests: int = Field(ge=1, le=1_000_000)
    """Requests of one client within `period`; with more, `action` begins."""
    period: WholeSeconds = Field(default=10, ge=10, le=65_535)
    """The time over which they are counted; which values there are depends on the plan."""
    action: Literal["block", "managed_challenge", "js_challenge", "challenge", "log"] = "block"
    """What becomes of further requests."""
    timeout: WholeSeconds = Field(default=10, ge=0, le=86_400)
    """For how long; which values there are depends on the plan. 0: only while there are too many,
    which a challenge always does below Enterprise."""
    per: Literal["ip", "visitor"] = "ip"
    """What a client is: an address, or a visitor among several behind one address."""
    counting: Expression | None = None
    """Which requests and answers are counted; null: those of `when`."""
    origin_only: bool = False
    """Whether only those are counted that the CDN does not answer from its cache."""
    enabled: bool = True
    """Whether it is in force."""


class CacheRule(Strict):
    """What the CDN keeps. All rules that match count, a later one over an earlier."""

    name: Name
    """Shown in Cloudflare's dashboard; unique among these rules."""
    when: Expression
    """Which requests, in Cloudflare's Rules language."""
    cache: bool
    """Whether answers may be kept; `false` goes to the balancers each time."""
    edge_ttl: WholeSeconds | None = Field(default=None, ge=1, le=31_536_000)
    """How long the CDN keeps an answer, whatever the answer says; null goes by the answer. The
    least depends on the plan."""
    browser_ttl: WholeSeconds | None = Field(default=None, ge=1, le=31_536_000)
    """How long browsers are told to keep it; null goes by the answer."""
    enabled: bool = True
    """Whether it is in force."""


Rule = FirewallRule | RateLimitRule | CacheRule


class CdnRules(Strict):
    """Rules of the whole zone, one list a phase; whichever has rules is this stack's alone."""

    plan: PlanName = "free"
    """The zone's plan, by whose limits the rules are judged."""
    firewall: list[FirewallRule] = Field(default_factory=list)
    """WAF custom rules, in their order."""
    rate_limits: list[RateLimitRule] = Field(default_factory=list)
    """Rate limiting rules, in their order."""
    cache: list[CacheRule] = Field(default_factory=list)
    """Cache rules, in their order."""

    @property
    def traits(self) -> PlanTraits:
        """Of its plan."""
        return PLANS[self.plan]

    def lists(self) -> Iterator[tuple[str, Sequence[Rule]]]:
        """Each list by its key."""
        yield "firewall", self.firewall
        yield "rate_limits", self.rate_limits
        yield "cache", self.cache


_PERIODS: Final = (
    *(10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1200, 1800, 2400, 3600),
    *(65_535, 86_400),
)
_OF_ENTERPRISE: Final = frozenset(("http.request.headers", "http.cookie", "http.referer"))
_OF_BUSINESS: Final = frozenset(("http.request.method", "ip.src", "http.user_agent"))
_OF_PRO: Final = frozenset(
    ("http.host", "http.request.uri", "http.request.full_uri", "http.request.uri.query")
)


@dataclass(frozen=True, kw_only=True)
class PlanTraits:
    """What a plan has, as Cloudflare's documentation says in August 2026: "Custom rules", "Rate
    limiting rules" (availability), "Cache Rules" and "Edge and Browser Cache TTL"."""

    called: str
    most: Mapping[str, int]
    """Rules, by the list's key."""
    periods: Sequence[int]
    """Seconds over which a rate may be counted."""
    timeouts: Sequence[int]
    """Seconds for which an action may last; none listed: any number."""
    edge_ttl: int
    """The least seconds that the edge keeps an answer by a rule."""
    regex: bool = False
    """Whether regular expressions are taken."""
    visitors: bool = False
    """Whether visitors behind one address are told apart, and answers counted."""
    everything: bool = False
    """Whether requests may be logged alone, and any action throttled or lengthened."""
    lacking: frozenset[str] = frozenset()
    """Fields that a rate limit's expression may not name."""


def _most(firewall: int, rate_limits: int, cache: int) -> Mapping[str, int]:
    return MappingProxyType({"firewall": firewall, "rate_limits": rate_limits, "cache": cache})


def _up_to(seconds: int) -> tuple[int, ...]:
    return tuple(each for each in _PERIODS if each <= seconds)


PLANS: Final[Mapping[str, PlanTraits]] = MappingProxyType(
    {
        "free": PlanTraits(
            called="Free",
            most=_most(5, 1, 10),
            periods=_up_to(10),
            timeouts=_up_to(10),
            edge_ttl=7200,
            lacking=_OF_PRO | _OF_BUSINESS | _OF_ENTERPRISE,
        ),
        "pro": PlanTraits(
            called="Pro",
            most=_most(20, 2, 25),
            periods=_up_to(60),
            timeouts=_up_to(3600),
            edge_ttl=3600,
            lacking=_OF_BUSINESS | _OF_ENTERPRISE,
        ),
        "business": PlanTraits(
            called="Business",
            most=_most(100, 5, 50),
            periods=_up_to(600),
            timeouts=tuple(each for each in _PERIODS if each != 65_535),
            edge_ttl=1,
            regex=True,
            visitors=True,
            lacking=_OF_ENTERPRISE,
        ),
        "enterprise": PlanTraits(
            called="Enterprise",
            most=_most(1000, 100, 300),
            periods=_up_to(65_535),
            timeouts=(),
            edge_ttl=1,
            regex=True,
            visitors=True,
            everything=True,
        ),
    }
)
"""By the word of `cdn.rules.plan`."""
