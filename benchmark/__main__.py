"""python -m benchmark: this program beside its peers, measured on this machine."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from benchmark import bench, inside, page, peers, previews, record
from benchmark.cost import CommandError
from benchmark.record import EVERYBODY, OURS
from lab.engine import find_cli
from lab.paths import CHECKOUT, cache_dir
from lab.probes.drills.record import commit

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
Runs = Annotated[int, typer.Option(help="rounds; of each thing the newest five are shown", min=1)]
PAGE = CHECKOUT / "docs" / "benchmark.md"


@app.callback()
def measured() -> None:
    """Each command writes what it measured to docs/benchmark.md and docs/benchmark.json."""


@app.command()
def pushes(
    hosts: Annotated[
        list[int] | None, typer.Option(help="how many; repeatable (10 and 50)", min=1, max=200)
    ] = None,
    runs: Runs = record.SHOWN,
    only: Annotated[
        list[str] | None, typer.Option(help=f"not all of: {'; '.join(EVERYBODY)}; repeatable")
    ] = None,
) -> None:
    """One changed line pushed to hosts, and nothing to do, by this program and by ansible-core.

    What was measured with this commit is not measured again, so that a run that was cut off goes
    on.
    """
    with _alone():
        who = tuple(only or EVERYBODY)
        if others := set(who) - set(EVERYBODY):
            _refuse(f"--only {others.pop()}: there are {'; '.join(EVERYBODY)}")
        plan = _plan(who)
        for size in hosts or [10, 50]:
            if lacks := inside.lacking(size):
                _refuse(f"this machine lacks: {'; '.join(lacks)}")
            try:
                inside.enter(replace(plan, size=size, runs=runs))
            except inside.Failed as failed:
                _refuse(f"{failed}; next: see to what it says, then run the same: it goes on")
            rewrite()


@app.command("previews")
def large(
    workers: Annotated[
        list[int] | None,
        typer.Option(help="how many; repeatable (10 and 100)", min=1, max=1000),
    ] = None,
    runs: Runs = record.SHOWN,
) -> None:
    """A preview of stacks of many workers, and an update of them that finds nothing to do.

    It goes on where it stopped, as `pushes` does. A thousand workers are minutes a run.
    """
    with _alone():
        plan = _plan((OURS,))
        for size in workers or [10, 100]:
            try:
                previews.measured(replace(plan, size=size, runs=runs), print)
            except CommandError as failed:
                _refuse(f"{failed}; next: see to it, then run the same: it goes on")
            rewrite()


@app.command("page")
def rewrite() -> None:
    """Write the page anew, from what was measured on this machine and what the page has."""
    beside = record.beside_the_page()
    old = record.shown(beside.read_text()) if beside.exists() else []
    records = record.keep([*old, *record.read(record.path())])
    beside.write_text(record.dumped(records))
    PAGE.write_text(page.written(PAGE.read_text(), records))
    print(f"{PAGE.relative_to(CHECKOUT)} is written, from {len(records)} runs")


def _plan(who: tuple[str, ...]) -> record.Plan:
    """Everything but how much is measured."""
    cli = find_cli()
    if cli is None:
        _refuse("there is no Pulumi command line; next: python -m lab.software build --only pulumi")
    try:
        venv = "" if who == (OURS,) else str(peers.ensure())
    except peers.PeersError as wrong:
        _refuse(str(wrong))
    return record.Plan(
        size=0, runs=0, who=who, bench=bench.bench(cli), commit=commit(), venv=venv,
        into=str(record.path()),
    )  # fmt: skip


def _refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(1)


@contextmanager
def _alone() -> Iterator[None]:
    """One measurement at a time: two would measure each other."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "benchmark.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _refuse("another benchmark is under way; next: wait for it or end it")
        yield


if __name__ == "__main__":
    app()
