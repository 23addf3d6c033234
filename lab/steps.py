"""Steps of a command, shown as they go and added up at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Steps:
    """What was done and how long each took, in seconds."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    taken: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce, time and record one step; an error passes through, the step named."""
        self.console.print(f"[bold]{name}[/bold] …")
        started = time.monotonic()
        try:
            yield
        except BaseException:
            after = time.monotonic() - started
            self.console.print(f"[red]{name}: failed after {after:.1f} s[/red]")
            raise
        seconds = time.monotonic() - started
        self.taken.append((name, seconds))
        self.console.print(f"[green]{name}: {seconds:.1f} s[/green]")

    def summary(self) -> None:
        """Print every step with its time, and their sum."""
        table = Table("step", "seconds", box=None, pad_edge=False)
        table.columns[1].justify = "right"
        for name, seconds in self.taken:
            table.add_row(name, f"{seconds:.1f}")
        table.add_row("[bold]all[/bold]", f"[bold]{sum(s for _, s in self.taken):.1f}[/bold]")
        self.console.print(table)
