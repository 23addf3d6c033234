"""The machines' clocks: who sets each, whether chrony says that it is right, and this one beside
it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.checks.model import Check, Seen, Verdict, plural, texts
from ops.question import Answers, Machine, Question, command
from ops.site import Site

LIMIT = 1.0
"""Seconds that a clock may be off: certificates, leases and two logs read together bear that."""
DAEMONS = ("chronyd", "ntpd", "systemd-timesyn")
"""What sets a clock, as the kernel names the process (15 characters at most): chrony, the three
`ntpd`s (ntp, ntpsec, openntpd), and systemd-timesyncd."""
PROCESSES = ("ps", "-eo", "comm=")
TRACKING = ("chronyc", "-c", "-n", "tracking")
_FIELDS = 14

RUNNING = command("processes", *PROCESSES)
CHRONY = command("chrony", *TRACKING)


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """chrony's word: the leap status, and how far off the clock may be at most (seconds)."""

    leap: str
    error: float

    def wrong(self) -> str | None:
        """Why the clock is not in sync, or None; an announced leap second is no reason."""
        if self.leap == "Not synchronised":
            return "chrony is not synchronised: see 'chronyc sources' there"
        if self.error > LIMIT:
            return f"chrony's clock may be {self.error:.1f} s off: see 'chronyc tracking' there"
        return None


def tracking(line: str) -> Tracking:
    """What `chronyc -c tracking` says. The error is at most the clock's offset, the root dispersion
    and half the root delay (chronyc(1), tracking).

    Raises:
        ValueError: the line is no such report.
    """
    fields = line.strip().split(",")
    if len(fields) != _FIELDS:
        raise ValueError(f"chronyc tracking says {line.strip()!r}")
    offset, delay, dispersion = (float(fields[number]) for number in (4, 10, 11))
    return Tracking(leap=fields[13], error=abs(offset) + dispersion + delay / 2)


def strangers(processes: Mapping[str, str], servers: Sequence[object]) -> list[str]:
    """A sentence for each daemon that sets a clock and was not asked to; `processes` are the names
    that run on each machine, `servers` the stack's `networks.ntp`."""
    allowed = ["chronyd"] if servers else []
    asked = "chrony" if allowed else "the hypervisor (networks.ntp is empty)"
    return [
        f"{name}: {daemon} sets the clock, which the stack leaves to {asked}"
        for name, text in processes.items()
        for daemon in sorted(set(text.split()).intersection(DAEMONS).difference(allowed))
    ]


def apart(least: float, most: float, whose: str) -> str | None:
    """How far a clock certainly is beyond the limit, or None: it is between `least` and `most`
    seconds ahead of one that is called `whose`."""
    if least > LIMIT:
        return f"its clock is {least:.1f} s or more ahead of {whose}"
    if most < -LIMIT:
        return f"its clock is {-most:.1f} s or more behind {whose}"
    return None


def _asks(site: Site, _: Machine) -> Sequence[Question]:
    return (RUNNING, CHRONY) if site.stack.networks.ntp else (RUNNING,)


def judge(seen: Seen) -> Verdict:
    """Of every machine that answers."""
    running, wrong = texts(seen, RUNNING.name)
    servers = seen.site.stack.networks.ntp
    wrong += strangers(running, servers)
    reports, silent = texts(seen, CHRONY.name)
    wrong += [each.replace(": ", ": chrony does not answer: ", 1) for each in silent]
    error = 0.0
    for name, text in reports.items():
        try:
            found = tracking(text)
        except ValueError as problem:
            wrong.append(f"{name}: {problem}")
            continue
        error = max(error, found.error)
        if said := found.wrong():
            wrong.append(f"{name}: {said}")
    clocks = [each for each in seen.machines.values() if each.silent is None]
    wrong += [
        f"{name}: {said}"
        for name, each in seen.machines.items()
        if each.silent is None and (said := apart(each.least, each.most, "this machine's"))
    ]
    word = f"chrony in sync, at most {error:.3f} s off" if servers else "networks.ntp is empty"
    bound = max(map(_bound, clocks), default=0.0)
    said = f"{plural(len(clocks), 'machine')}: {word}; within {bound:.1f} s of this clock"
    return Verdict(wrong=tuple(wrong), said=said)


def _bound(each: Answers) -> float:
    return max(abs(each.least), abs(each.most))


CHECK = Check(
    name="clocks are right",
    layer="machines",
    asks=_asks,
    judge=judge,
    remedy="read `chronyc sources` there: whether a server of networks.ntp answers; is this "
    "machine's own clock right?",
    page="docs/host.md#what-every-machine-gets",
)
