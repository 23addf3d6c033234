"""Every timeout along the chain in one table: whoever stands further inside waits longer.

The one that gives up first is then the outermost, which tells the visitor why, and nobody sends on
a connection that the next one is about to close.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_NODES = "platform.cilium.values.extraConfig.bpf-ct-timeout-regular-tcp"
_CILIUMS: Final = 8000.0
"""Seconds a node tracks a silent connection (Cilium's command reference, cilium-agent)."""
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_APART: Final = 5.0
"""Seconds between two ends of an idle connection: they begin to count at different moments."""


@dataclass(frozen=True)
class Pair:
    """`inner` is at least `apart` seconds longer than `outer`; both are keys of a stack. `why` says
    what happens otherwise."""

    outer: str
    inner: str
    why: str
    apart: float = 0.0


TABLE: Final = (
    # An idle connection, kept to be used again.
    Pair(
        "cdn.limits.idle_timeout",
        "balancers.timeouts.http_keep_alive",
        "the CDN would send requests on connections that are just being closed (error 520)",
        _APART,
    ),
    Pair(
        "balancers.timeouts.http_keep_alive",
        "balancers.timeouts.client",
        "HAProxy 2.6 closes an idle HTTP/1.1 connection by whichever ends first",
    ),
    Pair(
        "balancers.timeouts.http_keep_alive",
        "platform.ingress.timeouts.idle",
        "the balancers would send requests on connections that the ingress is closing",
        _APART,
    ),
    # An answer.
    Pair(
        "balancers.timeouts.connect",
        "balancers.timeouts.server",
        "a connection is made faster than a request is answered",
    ),
    Pair(
        "cdn.limits.read_timeout",
        "balancers.timeouts.server",
        "an answer would be given up here (504) for which the CDN still waits",
    ),
    Pair(
        "cdn.limits.read_timeout",
        "balancers.timeouts.client",
        "a pause of the CDN would end its request here",
    ),
    Pair(
        "balancers.timeouts.server",
        "balancers.timeouts.hard_stop_after",
        "a reload would cut answers for which the balancers still wait",
    ),
    # A request with its body, and what is streamed.
    Pair(
        "balancers.timeouts.client",
        "platform.ingress.timeouts.read",
        "the ingress would end uploads, streams and downloads that go on",
    ),
    # A tunnel (WebSocket) outlives ordinary silence, which its own timeout replaces.
    Pair(
        "balancers.timeouts.client",
        "balancers.timeouts.tunnel",
        "a tunnel would be closed sooner than a request",
    ),
    Pair(
        "balancers.timeouts.server",
        "balancers.timeouts.tunnel",
        "a tunnel would be closed sooner than an answer is given up",
    ),
    Pair(
        "balancers.timeouts.tunnel",
        "routers.limits.established_timeout",
        "the routers would forget a silent tunnel and drop what comes after",
    ),
    Pair(
        "balancers.timeouts.tunnel",
        _NODES,
        "the nodes would forget a silent tunnel and drop what comes after",
    ),
)


def _sections(pair: Pair) -> frozenset[str]:
    return frozenset(key.partition(".")[0] for key in (pair.outer, pair.inner))


def _seconds(stack: Stack, key: str) -> float | None:
    """The value of a key; `None` is no limit, or one that cannot be read."""
    if key == _NODES:
        extra = stack.platform.cilium.values.get("extraConfig")
        given = extra.get(_NODES.rpartition(".")[2]) if isinstance(extra, dict) else None
        return _CILIUMS if given is None else _duration(str(given))
    if key.startswith("cdn.") and not stack.cdn.traits.present:
        return None
    value: object = stack
    for name in key.split("."):
        value = getattr(value, name)
    return float(value) if isinstance(value, int | float) else None


def _duration(text: str) -> float | None:
    """Go's time.ParseDuration, as far as anybody writes it here."""
    parts = re.findall(r"([0-9.]+)(h|ms|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _too_short(stack: Stack, pair: Pair) -> Iterator[Problem]:
    outer, inner = _seconds(stack, pair.outer), _seconds(stack, pair.inner)
    if outer is None or inner is None or inner >= outer + pair.apart:
        return
    least = outer + pair.apart
    if pair.inner == _NODES:
        # Its default stands in no stack, so the key that is there is the one to name.
        yield problem(
            pair.outer,
            outer,
            f"s is longer than {pair.inner} ({inner:g} s): {pair.why}",
            f"write {inner:g} or less, or raise the nodes' to {outer:g}s",
        )
        return
    less = f"less than {pair.apart:g} s longer" if inner >= outer else "shorter"
    yield problem(
        pair.inner,
        inner,
        f"s is {less} than {pair.outer} ({outer:g} s): {pair.why}",
        f"write {least:g} or more",
    )


def _rule(
    sections: frozenset[str], pairs: tuple[Pair, ...]
) -> Callable[[Stack], Iterator[Problem]]:
    def rule(stack: Stack) -> Iterator[Problem]:
        for pair in pairs:
            yield from _too_short(stack, pair)

    rule.__name__ = f"timeouts_of_{'_and_'.join(sorted(sections))}_nest"
    rule.__doc__ = "Outermost to innermost, by the table."
    return rule


for _each in sorted({_sections(pair) for pair in TABLE}, key=sorted):
    reads(*sorted(_each))(_rule(_each, tuple(pair for pair in TABLE if _sections(pair) == _each)))
