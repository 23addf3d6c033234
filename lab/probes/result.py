"""What a probe or a drill answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from lab.probes.world import World
from ops.result import Result

__all__ = ["Broken", "Probe", "Result", "promise", "run", "until"]


class Broken(AssertionError):
    """A promise does not hold; the text says what was seen instead."""


T = TypeVar("T")

Probe = Callable[[World], str]
"""Returns what it saw; raises `Broken` (or any error) when the promise does not hold."""


def promise(holds: bool, otherwise: str) -> None:
    """Raise `Broken` unless the promise holds."""
    if not holds:
        raise Broken(otherwise)


def run(world: World, probes: dict[str, Probe]) -> Iterator[Result]:
    """Run probes one after another; a broken one never stops the next."""
    for name, probe in probes.items():
        started = time.monotonic()
        try:
            ok, detail = True, probe(world)
        except Exception as problem:
            ok, detail = False, f"{problem}" or type(problem).__name__
        yield Result(name, ok, round(time.monotonic() - started, 3), detail)


def until(what: Callable[[], T | None], seconds: float, otherwise: str) -> T:
    """Poll until `what` returns something true.

    Raises:
        Broken: `seconds` passed; the text is `otherwise` and the last error.
    """
    deadline = time.monotonic() + seconds
    last = ""
    while time.monotonic() < deadline:
        try:
            if value := what():
                return value
        except Exception as problem:
            last = f": {problem}"
        time.sleep(0.2)
    raise Broken(f"{otherwise} after {seconds:.0f} s{last}")
