"""What a terminal shows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ops.checks.model import LAYERS, Seen
from ops.judge import Row, about

GREEN, RED, DIM, BOLD, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
_LONGEST = 12
"""Sentences of one row that are shown."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def plain(text: str) -> str:
    """A text of a machine's without what would move a terminal's cursor or colour it."""
    return _CONTROL.sub(" ", text)


def check(rows: Sequence[Row], *, colour: bool) -> Iterator[str]:
    """A tick or a cross for each row, layer by layer; with what is wrong what to do about it."""

    def painted(code: str, text: str) -> str:
        return f"{code}{text}{PLAIN}" if colour else text

    for layer in LAYERS:
        mine = [row for row in rows if row.layer == layer]
        if mine:
            yield painted(BOLD, layer)
        for row in mine:
            result = row.result
            if result.ok:
                detail = painted(DIM, plain(result.detail))
                yield f"  {painted(GREEN, '✓')} {result.name}: {detail}"
                continue
            yield f"  {painted(RED, '✗')} {result.name}"
            yield from (f"      {plain(each)}" for each in row.wrong[:_LONGEST])
            if len(row.wrong) > _LONGEST:
                yield f"      and {len(row.wrong) - _LONGEST} more (--json has all)"
            yield f"      do: {row.remedy}"
            yield f"      see: {row.page}"
    broken = [row for row in rows if not row.result.ok]
    yield ""
    yield f"{len(rows) - len(broken)} of {len(rows)} hold" if broken else f"all {len(rows)} hold"


def status(seen: Seen, rows: Sequence[Row], *, colour: bool) -> Iterator[str]:
    """The whole stack on one screen: a line for each layer, one for each machine, one for each
    thing that is wrong."""

    def mark(well: bool) -> str:
        sign, code = ("✓", GREEN) if well else ("✗", RED)
        return f"{code}{sign}{PLAIN}" if colour else sign

    yield f"{seen.site.name}, {seen.now:%Y-%m-%d %H:%M} UTC"
    for layer in LAYERS:
        mine = [row for row in rows if row.layer == layer]
        broken = [row for row in mine if not row.result.ok]
        told = "all well" if not broken else f"{len(broken)} of {len(mine)} do not hold"
        yield f"{mark(not broken)} {layer:<10} {told}"
    yield ""
    width = max((len(each.name) for each in seen.site.machines), default=0)
    for machine in seen.site.machines:
        answers = seen.machines[machine.name]
        wrong = len(about(rows, machine.name))
        told = plain(answers.silent) if answers.silent else f"{wrong} found" if wrong else "well"
        well = not wrong and (answers.silent is None or not machine.python)
        where = machine.host or "physical"
        yield f"{mark(well)} {machine.name:<{width}}  {machine.role:<13} {where:<10} {told}"
    broken = [row for row in rows if not row.result.ok]
    if broken:
        yield ""
        yield from (f"{mark(False)} {row.result.name}: {plain(row.wrong[0])}" for row in broken)
