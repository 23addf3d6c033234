"""What BIRD tells of its sessions (BIRD user's guide: "Remote control", `show protocols all` and
`show bfd sessions`).

A protocol is a line of words, then indented ones until an empty line. Since when it is what it is,
BIRD tells by its own clock (`timeformat protocol`, "iso short"): the time of a day, and of what is
older than most of a day the date alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

from .session import Daemon, Session

_BIRDC = "/usr/sbin/birdc"
_DAY = 86400
_HEAD = re.compile(
    r"^\S+ +BGP +\S+ +\S+ +"
    r"(?P<since>\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?|\d\d:\d\d:\d\d)(?:\.\d+)?(?: |$)"
)
_DETAIL = re.compile(r"^ +(Description|BGP state|Neighbor address|Routes): +(.*?) *$")
_BFD = re.compile(r"^(\S+) +\S+ +(Up|Down|Init|AdminDown) ")
_READY = re.compile(r"^BIRD \S+ ready\.$", re.M)


def read(told: str, bfd: str | None, now: float) -> Iterator[Session]:
    """The sessions in the answer; see `Daemon.read`."""
    seen = None if bfd is None else _seen(bfd)
    _answered(told)
    for since, said in _blocks(told):
        yield _session(said, _moment(since, now), seen)


def _blocks(told: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Since when, and the details, of each protocol that speaks BGP."""
    since, said = "", dict[str, str]()
    for line in (*told.splitlines(), "end"):
        if detail := _DETAIL.match(line):
            said.setdefault(detail[1], detail[2])
        elif line and not line.startswith(" "):
            if since:
                yield since, said
            head = _HEAD.match(line)
            since, said = head["since"] if head else "", {}


def _session(said: Mapping[str, str], changed: float, seen: Mapping[str, bool] | None) -> Session:
    routes = said.get("Routes", "")
    return Session(
        peer=said["Neighbor address"],
        name=said.get("Description", ""),
        state=said["BGP state"],
        received=_count(routes, "imported"),
        announced=_count(routes, "exported"),
        changed=changed,
        bfd=None if seen is None else seen.get(said["Neighbor address"]),
    )


def _count(routes: str, what: str) -> int:
    """A session that is down has no routes at all."""
    match = re.search(rf"(\d+) {what}", routes)
    return int(match[1]) if match else 0


def _seen(bfd: str) -> dict[str, bool]:
    _answered(bfd)
    found = (_BFD.match(line) for line in bfd.splitlines())
    return {match[1]: match[2] == "Up" for match in found if match}


def _answered(told: str) -> None:
    if not _READY.search(told):
        raise ValueError("BIRD does not say that it is ready")


def _moment(since: str, now: float) -> float:
    """In Unix time; a time of a day is the last one that was."""
    if ":" not in since:
        return time.mktime(time.strptime(since, "%Y-%m-%d"))
    if "-" in since:
        return time.mktime(time.strptime(since, "%Y-%m-%d %H:%M:%S"))
    today = time.strftime("%Y-%m-%d", time.localtime(now))
    then = time.mktime(time.strptime(f"{today} {since}", "%Y-%m-%d %H:%M:%S"))
    # A second more: BIRD's clock may be read after ours.
    return then if then <= now + 1 else then - _DAY


DAEMON = Daemon(
    sessions=(_BIRDC, "show", "protocols", "all"),
    bfd=(_BIRDC, "show", "bfd", "sessions"),
    read=read,
)
