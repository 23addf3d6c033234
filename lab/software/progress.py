"""What a person sees while things are built: a line an item, with its time and what it does now."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text


class Progress:
    """Prints what is being made. On a terminal every running item is a changing line.

    May be used by several threads, each making one item at a time.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}
        self._details: dict[int, str] = {}
        self._threads: dict[str, int] = {}
        self._live: Live | None = None

    @contextlib.contextmanager
    def item(self, name: str, version: str) -> Iterator[None]:
        """Show that an item is being made, and in the end how long it took."""
        started = time.monotonic()
        self._begin(name, version, started)
        try:
            yield
            took = time.monotonic() - started
            self._console.print(
                Text.assemble(("✓ ", "green"), f"{name} {version} ", (f"{took:.1f} s", "dim"))
            )
        finally:
            self._end(name)

    def _begin(self, name: str, version: str, started: float) -> None:
        with self._lock:
            self._running[name] = started
            self._threads[name] = threading.get_ident()
            self._details[threading.get_ident()] = ""
            if not self._console.is_terminal:
                self._console.print(f"  {name} {version} …", highlight=False)
            elif self._live is None:
                self._live = Live(self, console=self._console, transient=True)
                self._live.start()

    def _end(self, name: str) -> None:
        with self._lock:
            del self._running[name]
            live = self._live if not self._running else None
            if live is not None:
                self._live = None
        if live is not None:
            live.stop()

    def detail(self, text: str) -> None:
        """What this thread's item does at the moment (a package, a count): for a terminal."""
        self._details[threading.get_ident()] = text

    def note(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, highlight=False)

    def __rich__(self) -> Group:
        now = time.monotonic()
        lines = []
        for name, started in list(self._running.items()):
            detail = self._details.get(self._threads[name], "")
            seconds = (f" {now - started:.0f} s ", "dim")
            lines.append(Text.assemble(("… ", "yellow"), name, seconds, detail[:70]))
        return Group(*lines)


class Silent(Progress):
    """Shows nothing: for calls from programs and tests."""

    @contextlib.contextmanager
    def item(self, name: str, version: str) -> Iterator[None]:
        """Nothing is printed."""
        del name, version
        yield

    def note(self, text: str) -> None:
        """Nothing is printed."""
