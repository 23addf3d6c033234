"""What one run of the engine does, as its events tell."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from pulumi.automation._server import LanguageServer

from lab.engine.errors import Diagnostic, diagnostic_of, plain
from lab.engine.process import Line


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run did: operations by kind (`create`, `update`, `replace`, `delete`, `same`, ...),
    seconds, the engine's own text, warnings, and the whole log."""

    changes: Mapping[str, int]
    seconds: float
    text: str
    log: Path
    warnings: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    """What a run did to each resource: `op`, `urn`, `type`, `diff` (paths that changed)."""

    @property
    def changed(self) -> int:
        """How many resources the run changed (or, of a preview, would change)."""
        return sum(count for kind, count in self.changes.items() if kind not in ("same", "read"))


PATIENCE = 10.0
"""Seconds that a program is given to see that its engine has ended."""


def await_programs() -> None:
    """A program outlives an engine that ended by an error, for a moment, and shares with the next
    one what the SDK keeps for a process: the next would ask the engine that is gone."""
    end = time.monotonic() + PATIENCE
    while programs() and time.monotonic() < end:
        time.sleep(0.02)


def programs() -> int:
    """How many programs run in this process now."""
    running = 0
    for frame in sys._current_frames().values():
        at: FrameType | None = frame
        while at is not None:
            running += at.f_code is LanguageServer.Run.__code__
            at = at.f_back
    return running


def bury_coroutines() -> None:
    # A program that ends with an error leaves the SDK's own coroutine behind; Python complains
    # about it in the middle of whatever is printed next.
    before = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        gc.collect()
    finally:
        sys.unraisablehook = before


class Run:
    """Watches the events of one run."""

    def __init__(self, log: Path, on_event: Line | None) -> None:
        self._log = log
        self._on_event = on_event
        self._started = time.monotonic()
        self._changes: dict[str, int] = {}
        self._steps: list[dict[str, Any]] = []
        self.diagnostics: list[Diagnostic] = []
        self.result: Result

    def see(self, event: Any) -> None:
        """Takes one engine event (called from another thread)."""
        found = diagnostic_of(event)
        if found:
            self.diagnostics.append(found)
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if step and str(step.op.value) not in ("same", "read"):
            paths = sorted(step.detailed_diff or step.diffs or ())
            self._steps.append(
                {"op": step.op.value, "urn": step.urn, "type": step.type, "diff": paths}
            )
        if event.summary_event:
            counted = event.summary_event.resource_changes or {}
            self._changes = {str(getattr(op, "value", op)): count for op, count in counted.items()}
        if self._on_event:
            self._on_event(event)

    def finish(self, text: str) -> None:
        """The run ended well."""
        self.result = Result(
            changes=self._changes,
            seconds=time.monotonic() - self._started,
            text=text,
            log=self._log,
            warnings=[
                plain(each.message) for each in self.diagnostics if each.severity == "warning"
            ],
            steps=self._steps,
        )
