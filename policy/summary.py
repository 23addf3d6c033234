"""A plan as a comment on a pull request: what goes first, then what moves, then the counts.

Plain functions over what `policy.plan` reads from the engine's JSON, and the faults of the rules.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policy.judge import NoPlan, read
from policy.plan import GOES, Change, changes
from policy.rules import COMMAND, RECORD, RELEASE, VM
from policy.table import Fault, judged

ROUTERS: Final = "layered-cloud:routers:Routers"
_CERTIFICATE = re.compile(r"(?i)cert(ificate|request)?$")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?\b")
_ROUTE = re.compile(r"^\s*(use_backend|default_backend|backend|server|acl|http-request|timeout)\b")
_CHART = re.compile(r"^(chart|version|repositoryOpts\.repo): ")
_PORT = re.compile(r"\b(dport|bind|port|listen|public_ports)\b")
_MOST = 40
"""Lines of one resource's details."""


def comment(plan: Mapping[str, Any], stack: str) -> str:
    """The comment in Markdown. A secret is never in it: the engine's JSON has none."""
    done = changes(plan)
    moved = [each for each in done if each.did != "same"]
    sections = [
        ("Stopped by policy", [f"- **{_text(each)}**" for each in judged(plan)]),
        ("Machines that go", list(_going(done))),
        ("What moves", list(_moving(moved))),
    ]
    counted = Counter(each.did for each in done)
    order = ("created", "updated", "replaced", "deleted", "same")
    counts = ", ".join(f"{counted[did]} {did}" for did in order if counted[did])
    lines = [f"### Plan of `{stack}`"]
    for title, body in sections:
        if body:
            lines += ["", f"**{title}**", "", *body]
    lines += ["", f"**Counts**: {counts or 'nothing there'}"]
    if moved:
        lines += ["", "<details><summary>Every change</summary>", ""]
        for each in moved:
            lines += list(_details(each))
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _text(fault: Fault) -> str:
    return str(fault)


def _going(done: Sequence[Change]) -> Iterator[str]:
    for each in sorted(done, key=lambda one: (one.did, one.resource.name)):
        if each.did in GOES and each.resource.type == VM:
            why = f", because of {', '.join(f'`{path}`' for path in each.paths)}"
            yield f"- `{each.resource.name}` is **{each.did}**{why if each.paths else ''}"


def _moving(moved: Sequence[Change]) -> Iterator[str]:
    """A line for each chart, address, port, route or certificate that differs, by kind."""
    found: dict[str, list[str]] = {}
    for each in moved:
        for kind, what in _of(each):
            line = f"- {kind}: {what} (`{each.resource.name}`)"
            if line not in found.setdefault(kind, []):
                found[kind].append(line)
    for kind in ("chart", "address", "port", "route", "certificate"):
        lines = found.get(kind, [])
        yield from lines[:_MOST]
        if len(lines) > _MOST:
            yield f"- {kind}: {len(lines) - _MOST} more"


def _of(change: Change) -> Iterator[tuple[str, str]]:
    type_ = change.resource.type
    if _CERTIFICATE.search(type_):
        yield "certificate", change.did
        return
    if type_ not in (VM, RECORD, RELEASE, ROUTERS, COMMAND):
        return
    for sign, line in _lines(change):
        shown = f"`{sign} {line.strip()}`"
        if type_ == RELEASE:
            if _CHART.match(line):
                yield "chart", shown
        elif type_ in (VM, RECORD):
            if _ADDRESS.search(line):
                yield "address", shown
        elif _ROUTE.search(line):
            yield "route", shown
        elif _PORT.search(line) or "publicPorts" in line:
            yield "port", shown
        elif _ADDRESS.search(line):
            yield "address", shown


def _lines(change: Change) -> Iterator[tuple[str, str]]:
    """What differs, a line at a time: `-` or `+`, and the text."""
    old, new = (_spelt(each.properties if each else {}) for each in (change.old, change.new))
    for line in difflib.unified_diff(old, new, lineterm="", n=0):
        if line[:1] in "+-" and not line.startswith(("+++", "---")):
            yield line[0], line[1:]


def _spelt(value: Any, path: str = "") -> list[str]:
    """Properties as lines; a text of several lines, or JSON, is taken apart."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return [f"{path}: {value}"]
    if isinstance(value, Mapping):
        return [line for key in sorted(value) for line in _spelt(value[key], _join(path, key))]
    if isinstance(value, list):
        if all(not isinstance(each, Mapping | list) for each in value):
            return [f"{path}: {', '.join(map(str, value))}"]
        return [line for at, each in enumerate(value) for line in _spelt(each, f"{path}[{at}]")]
    if isinstance(value, str) and "\n" in value:
        return value.splitlines()
    return [f"{path}: {value}"]


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _details(change: Change) -> Iterator[str]:
    yield f"`{change.resource.name}` ({change.resource.type}): {change.did}"
    both = change.old is not None and change.new is not None
    lines = [f"{sign} {line}" for sign, line in _lines(change)] if both else []
    if lines:
        # A fence longer than any within.
        yield "````diff"
        yield from lines[:_MOST]
        if len(lines) > _MOST:
            yield f"… {len(lines) - _MOST} more lines"
        yield "````"
    yield ""


def main(arguments: list[str]) -> int:
    """`PLAN.json STACK`: prints the comment; 2 when there is no plan to read."""
    if len(arguments) != 2:
        sys.stderr.write("python -m policy.summary PLAN.json STACK\n")
        return 2
    try:
        sys.stdout.write(comment(read(arguments[0]), arguments[1]))
    except NoPlan as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
