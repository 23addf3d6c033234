"""Records that were never measured, for tests of what becomes of them."""

from __future__ import annotations

from typing import Any

from benchmark.cost import Cost
from benchmark.record import Bench, Record

BENCH = Bench(
    cores=2,
    cpu="A Processor (family 6, model 7)",
    memory_gib=24,
    distribution="Debian GNU/Linux 12 (bookworm)",
    kernel="6.1.0",
    pulumi="3.259.0, SDK 3.272.0",
    command="1.2.1, real",
    ansible="2.19.14",
    python="3.11.2",
)


def run(what: str, who: str, seconds: float, **over: Any) -> Record:
    """One run, that took so long; `over` is anything else of it."""
    cost = Cost(seconds=seconds, cpu=2 * seconds, hosts_cpu=3 * seconds, memory=100.0)
    given: dict[str, Any] = {
        "what": what,
        "who": who,
        "size": 10,
        "cost": cost,
        "load": 0.5,
        "commit": "abc1234",
        "at": seconds,
        "bench": BENCH,
    }
    return Record(**{**given, **over})
