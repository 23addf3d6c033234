"""A machine's programs, answered in memory, so that the agent's decisions can be tried anywhere.

What they really do is tried on booted machines (test_push*.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.host.agent import (
    clock,
    dpkg,
    packages,
    requests,
    restore,
    services,
    transaction,
    view,
)
from components.host.agent.run import Outcome
from components.host.agent.store import Store

OK = Outcome(0, "")
MODULES = (clock, dpkg, packages, requests, restore, services, transaction, view)


@dataclass
class Unit:
    active: bool = False
    enabled: bool = False
    can_reload: bool = True


@dataclass
class FakeSystem:
    """`fails` maps the first words of a command line to what it then says."""

    store: Store
    units: dict[str, Unit] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    """dpkg's state of the packages that are not whole."""
    offered: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    addresses: list[str] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    journal: str = ""
    checker: Callable[[Path], str] = lambda staged: ""
    """What the daemon's checker says of the staged files; nothing when it accepts them."""
    calls: list[str] = field(default_factory=list)

    def did(self, start: str) -> list[str]:
        return [call for call in self.calls if call.startswith(start)]

    def run(self, argv: Sequence[str], seconds: float = 60, **more: Any) -> Outcome:
        del seconds, more
        line = " ".join(argv)
        self.calls.append(line)
        for start, said in self.fails.items():
            if line.startswith(start):
                return Outcome(1, said)
        handler = getattr(self, f"_{Path(argv[0]).name.replace('-', '_')}", None)
        return handler(list(argv)) if handler else OK

    def _systemctl(self, argv: list[str]) -> Outcome:
        verb, name = argv[1], argv[-1].removesuffix(".service")
        unit = self.units.get(name)
        if verb == "show":
            shown = {
                "LoadState": "loaded" if unit else "not-found",
                "ActiveState": "active" if unit and unit.active else "inactive",
                "CanReload": "yes" if unit and unit.can_reload else "no",
                "UnitFileState": "enabled" if unit and unit.enabled else "disabled",
            }
            return Outcome(0, "".join(f"{key}={value}\n" for key, value in shown.items()))
        if unit is not None:
            unit.active = {"start": True, "restart": True, "stop": False}.get(verb, unit.active)
            unit.enabled = {"enable": True, "disable": False}.get(verb, unit.enabled)
            if "--now" in argv:
                unit.active = False
        return OK

    def _journalctl(self, argv: list[str]) -> Outcome:
        return Outcome(0, self.journal if "-o" in argv else "")

    def _ip(self, argv: list[str]) -> Outcome:
        del argv
        links = [{"addr_info": [{"local": each} for each in self.addresses]}, {}]
        return Outcome(0, json.dumps(links))

    def _unshare(self, argv: list[str]) -> Outcome:
        said = self.checker(Path(json.loads(argv[-1])["staged"]))
        return Outcome(1 if said else 0, said)

    def _dpkg_query(self, argv: list[str]) -> Outcome:
        known = [name for name in argv[4:] or self.packages if name in self.packages]
        lines = [f"{n} {self.states.get(n, 'ii')} {self.packages[n]}\n" for n in known]
        lines += [
            f"dpkg-query: no packages found matching {n}\n" for n in argv[4:] if n not in known
        ]
        return Outcome(0 if len(known) >= len(argv[4:]) else 1, "".join(lines))

    def _dpkg(self, argv: list[str]) -> Outcome:
        if "--configure" in argv:
            self.states = {n: state for n, state in self.states.items() if state.endswith("R")}
        return Outcome(1 if self.states else 0, "dpkg: error processing it\n" * len(self.states))

    def _apt_mark(self, argv: list[str]) -> Outcome:
        if argv[1] == "showhold":
            return Outcome(0, "\n".join(self.held))
        (self.held.update if argv[1] == "hold" else self.held.difference_update)(argv[2:])
        return OK

    def _apt_get(self, argv: list[str]) -> Outcome:
        if "install" in argv:
            wanted = argv[argv.index("install") + 1 :]
            for word in (each for each in wanted if not each.startswith("-")):
                name = word.split("=")[0]
                if name not in self.offered:
                    return Outcome(100, f"Reading...\nE: Unable to locate package {name}\n")
                self.packages[name] = self.offered[name]
                self.states.pop(name, None)
                self.units.setdefault(name, Unit())
        return OK


def install(monkeypatch: pytest.MonkeyPatch, directory: Path) -> FakeSystem:
    """Put a fake under the agent; its own files go below `directory`."""
    system = FakeSystem(Store(directory / "state"))
    for module in MODULES:
        monkeypatch.setattr(module, "run", system.run)
    monkeypatch.setattr(restore, "BIN", directory / "state" / "bin")
    monkeypatch.setattr(restore, "BOOT_UNIT", directory / "recover.service")
    monkeypatch.setattr(dpkg, "POLICY", directory / "policy-rc.d")
    monkeypatch.setattr(dpkg, "LOCKS", ())
    monkeypatch.setattr(dpkg, "JOURNAL", directory / "updates")
    return system


OWNER = f"{os.getuid()}:{os.getgid()}"
