"""`python3 -m legwatch CONFIG` watches for ever; `--check CONFIG` only reads the file."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .judge import PATIENCE, SILENT_ROUNDS, Judge, Leg, Peer, Rules
from .wire import FAREWELL, Adverts, Segment, told, understood
from .wire import Path as Way

FAVOURED = -15
"""Nice value: a watcher that gets no time sees nobody."""
SETTLED = 3.0
"""Seconds without a fault until keepalived's checks, which count successes, have passed too."""


class Watcher:
    """One machine's legs, its peer, and the file that keepalived reads the verdict from."""

    def __init__(self, config: Mapping[str, Any], source: Path) -> None:
        """Raises `KeyError`, `TypeError` or `ValueError` for a file that is not one of ours."""
        self.source = source
        self.rules = Rules(
            interval=float(config["interval"]),
            fall=int(config["fall"]),
            hold=float(config["hold"]),
            rank=int(config["rank"]),
            drains=bool(config["drains"]),
        )
        self.grace = float(config["grace"])
        self.legs = [
            Leg(
                name=each["name"],
                weight=int(each["weight"]),
                elects=bool(each["elects"]),
                targets=tuple(each["targets"]),
            )
            for each in config["legs"]
        ]
        self.segments = [
            Segment(interface=each["interface"], address=each["address"]) for each in config["legs"]
        ]
        self.shared = [tuple(each["vips"]) for each in config["legs"]]
        self.ways = [Way(port=int(config["port"]), **each) for each in config["paths"]]
        self.adverts = [Adverts(**each) for each in config["adverts"]]
        self.verdict = Path(config["verdict"])
        self.pid = Path(config["pid"])
        self.faults = [Path(each) for each in config["faults"]]
        self.judge = Judge(rules=self.rules, legs=self.legs, why="starting", waits=self._yielded())
        self.peer: Peer | None = None
        self.heard: dict[str, float] = {way.name: float("-inf") for way in self.ways}
        self.held_at = self.unfit_at = float("-inf")
        self.met, self.left = self._note("met").exists(), False
        self.written: str | None = None
        self.rounds = 0

    def _yielded(self) -> bool:
        """Whether an earlier process of ours had decided so: a leg that is back must still hold."""
        return _number(self.verdict) != 0

    def _note(self, name: str) -> Path:
        return self.verdict.with_suffix(f".{name}")

    def watch(self) -> None:
        """Rounds of probes until the configuration has gone."""
        due = time.monotonic()
        while self.source.exists():
            self._ask(time.monotonic())
            due = max(due + self.rules.interval, time.monotonic())
            self._listen(due)
            for leg in self.legs:
                leg.end(self.rules)
            self.rounds += 1
            if self.rounds >= self.rules.fall:
                self._decide()
            notify("WATCHDOG=1")
        for way in self.ways:
            way.send(FAREWELL)

    def _ask(self, now: float) -> None:
        for leg, segment, vips in zip(self.legs, self.segments, self.shared, strict=True):
            missed = {target for target in leg.targets if target not in leg.answered}
            leg.begin(now)
            segment.ask(leg.targets, missed)
            if not self.met:
                segment.ask(vips, vips)
        message = told(
            now,
            self.legs,
            [leg.seen(self.rules) for leg in self.legs],
            [name for name, at in self.heard.items() if now - at < self._silence],
            fit=self._fit(),
            yields=bool(self.judge.why),
            takes=self._takes(now),
        )
        for way in self.ways:
            way.send(message)

    @property
    def _silence(self) -> float:
        return SILENT_ROUNDS * self.rules.interval

    def _listen(self, until: float) -> None:
        """What comes in until then, and whatever waits already: never judged by a stalled clock."""
        while True:
            doors: list[socket.socket] = [
                *(each.link for each in self.segments if each.link is not None),
                *(each.door for each in self.ways if each.door is not None),
            ]
            wanted = max(0.0, until - time.monotonic())
            began = time.monotonic()
            ready, _, _ = select.select(doors, [], [], wanted)
            # Overslept: what lies there came some time since, at the earliest when sleep began.
            late = max(0.0, time.monotonic() - began - wanted)
            self._take(time.monotonic() - late)
            if not ready and time.monotonic() >= until:
                return
            if time.monotonic() >= until + self.rules.interval:
                return

    def _take(self, now: float) -> None:
        for leg, segment, vips in zip(self.legs, self.segments, self.shared, strict=True):
            for address in segment.answers():
                if address in vips:
                    self.held_at = now
                elif address in leg.targets:
                    leg.answered.add(address)
        for way in self.ways:
            for message in way.messages():
                said = understood(message, now)
                self.heard[way.name] = now
                if said is not None:
                    self.peer, self.left = said, False
                elif message == FAREWELL:
                    self.peer, self.left, self.met = None, True, False
                    # It reloads right then, and is without the addresses for a moment.
                    self.held_at = now
                    self._note("met").unlink(missing_ok=True)
        if not self.met:
            self._meet()

    def _meet(self) -> None:
        """Once the two speak VRRP with each other, that decides who holds the addresses. Known to
        later processes of ours: a peer that hangs, and still answers ARP, must not stop us."""
        if not self.left and any(each.heard() for each in self.adverts):
            self.met = True
            self._note("met").touch()
            for each in self.adverts:
                each.close()

    def _decide(self) -> None:
        now = time.monotonic()
        before = self.judge.why
        held = not self.met and now - self.held_at < PATIENCE
        why = self.judge.decide(now, self.peer, self.heard, held=held)
        if why != before:
            say(f"yields: {why}" if why else "may hold the addresses")
        text = "1\n" if why else "0\n"
        if text != self.written:
            replace(self.verdict, text)
            self.written = text
        if why != before or self.rounds == self.rules.fall:
            replace(self._note("why"), f"{why}\n" if why else "")
        if self.rounds == self.rules.fall:
            notify("READY=1")

    def _fit(self) -> bool:
        """Whether keepalived runs and nothing else of ours keeps it in FAULT."""
        process = _number(self.pid)
        if process <= 0 or any(_number(each) for each in self.faults):
            return False
        try:
            os.kill(process, 0)
        except OSError:
            return False
        return True

    def _takes(self, now: float) -> bool:
        """Whether keepalived would take the addresses the moment that the peer leaves them."""
        if not self._fit():
            self.unfit_at = now
        if self.rules.drains or self.judge.why or now - self.unfit_at < SETTLED:
            return False
        try:
            return _age(_number(self.pid)) >= self.grace
        except (IndexError, OSError, ValueError):
            return False


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii").strip() or "0")
    except (OSError, ValueError):
        return 0


def _age(process: int) -> float:
    """Seconds since a process began; raises `OSError` when there is none (proc(5), stat)."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    began = int(stat.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    since_boot = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    return float(since_boot) - began


def say(text: str) -> None:
    """One line for the journal."""
    sys.stderr.write(f"{text}\n")


def replace(path: Path, text: str) -> None:
    """Never a file that is half written: keepalived reads it at any time."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def notify(state: str) -> None:
    """Tell systemd (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door, contextlib.suppress(OSError):
        door.sendto(state.encode(), address.replace("@", "\0", 1))


def main(arguments: list[str]) -> int:
    """The exit status: 0 when the configuration went (or was checked), 2 when it is none."""
    source = Path(arguments[-1])
    try:
        watcher = Watcher(json.loads(source.read_text(encoding="utf-8")), source)
    except (KeyError, OSError, TypeError, ValueError) as error:
        say(f"{source}: {type(error).__name__}: {error}")
        return 2
    if arguments[0] == "--check":
        return 0
    with contextlib.suppress(OSError):
        os.nice(FAVOURED)
    watcher.watch()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
