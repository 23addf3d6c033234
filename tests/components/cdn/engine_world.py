"""A stack thrown away at the end, with the real engine, beside a Cloudflare API of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from lab.engine.cli import find_cli
from lab.engine.engine import Engine, workspace
from tests.lab.cloudflare.api_host import Served, serve_cloudflare


class Programmed(Protocol):
    """What the engine runs."""

    def program(self) -> None: ...


W = TypeVar("W", bound=Programmed)


@contextmanager
def opened(tmp_path: Path, world: Callable[[Engine, Served], W]) -> Iterator[W]:
    """A world of the engine and the API; the engine runs its `program`. Skips without an engine."""
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    with serve_cloudflare(tmp_path / "cloudflare.json") as api:
        it: W

        def program() -> None:
            it.program()

        with workspace(
            "lab",
            program=program,
            cli=cli,
            throw_away=True,
            project={"name": "layered-cloud", "runtime": "python"},
            config={},
        ) as engine:
            it = world(engine, api)
            yield it
