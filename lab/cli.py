"""The lab's commands: up, down, status, check, drill, shell."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab import datacentre
from lab.paths import CHECKOUT
from lab.probes import result
from lab.steps import Steps

app = typer.Typer(
    help="A datacentre on one Linux machine.", no_args_is_help=True, pretty_exceptions_enable=False
)
Json = Annotated[bool, typer.Option("--json", help="a list of {name, ok, seconds, detail}")]


@contextmanager
def for_people() -> Iterator[None]:
    """Errors that are meant for people are shown as their text alone."""
    try:
        yield
    except Exception as problem:
        if getattr(type(problem), "human", False):
            Console(stderr=True).print(str(problem), style="red", markup=False, highlight=False)
            raise typer.Exit(1) from None
        raise


@app.command()
def up(profile: Annotated[str | None, typer.Option(help="lab/profiles/NAME.yaml")] = None) -> None:
    """Everything from a bare machine to a request answered through the whole chain."""
    steps = Steps()
    with for_people(), datacentre.alone():
        datacentre.up(profile, steps)
        steps.summary()
        steps.console.print("The lab is up. Next: make check, python -m lab drill, make down")


@app.command()
def down(
    quiet: Annotated[
        bool, typer.Option(help="without the stack's own destroy: for cleaning up")
    ] = False,
) -> None:
    """Destroy the stack and the lab; nothing is left."""
    steps = Steps()
    with for_people(), datacentre.alone():
        datacentre.down(steps, quiet)
        if not quiet:
            steps.summary()


def _report(rows: Iterable[result.Result], as_json: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    seen = []
    for row in rows:
        seen.append(row)
        if not as_json:
            mark = "[green]ok[/green]    " if row.ok else "[red]BROKEN[/red]"
            console.print(f"{mark} {row.name} ({row.seconds:.1f} s)")
            console.print(f"       {row.detail}", style="dim", markup=False)
    if as_json:
        print(json.dumps([row.as_dict() for row in seen], indent=1))
    broken = [row.name for row in seen if not row.ok]
    if broken:
        print(f"{len(broken)} of {len(seen)} broken: {', '.join(broken)}", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def check(
    as_json: Json = False,
    only: Annotated[str | None, typer.Option(help="probes whose name contains this")] = None,
) -> None:
    """Probe every promise of the running lab."""
    from lab.probes.catalogue import PROBES

    _probed(PROBES, only, as_json)


@app.command()
def rollout(
    as_json: Json = False,
    only: Annotated[str | None, typer.Option(help="rollouts whose name contains this")] = None,
) -> None:
    """Renew each part of the data path under 200 requests/s and 50 streams: nothing may be lost."""
    from lab.probes.rollouts import ROLLOUTS

    _probed(ROLLOUTS, only, as_json)


def _probed(probes: Mapping[str, result.Probe], only: str | None, as_json: bool) -> None:
    with for_people():
        chosen = {name: probe for name, probe in probes.items() if not only or only in name}
        _report(result.run(datacentre.world(), chosen), as_json)


@app.command()
def drill(
    as_json: Json = False,
    only: Annotated[str | None, typer.Option(help="drills whose name contains this")] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            help="how often each, those kept before with the same tree counted; then "
            "docs/failures.md is written, from all that were kept (0: only that)"
        ),
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="after each, see that an up changes 0")] = False,
) -> None:
    """Break things on purpose and measure how long it is felt."""
    from lab.probes.drills import DRILLS, record, run
    from lab.probes.drills.page import page, picture

    chosen = [each for name, each in DRILLS.items() if not only or only in name]
    try:
        if runs != 0:
            with for_people(), datacentre.alone():
                asked = run.changes_of_an_up if up else None
                found = run.drills(datacentre.world(), chosen, runs or 1, runs is not None, asked)
                _report(found, as_json)
    finally:
        if runs is not None:
            everything = list(DRILLS.values())
            kept = record.read()
            (CHECKOUT / "docs" / "failures.md").write_text(page(everything, kept))
            (CHECKOUT / "docs" / "failures.svg").write_text(picture(everything, kept))
            record.beside_the_page().write_text(record.keep(kept, list(DRILLS)))


@app.command()
def status(as_json: Json = False) -> None:
    """State of every layer."""
    from lab.layers import layers

    with for_people():
        rows = list(layers())
        if as_json:
            print(json.dumps([row.as_dict() for row in rows], indent=1))
        else:
            table = Table("layer", "state", "detail", box=None, pad_edge=False)
            for row in rows:
                table.add_row(row.name, "[green]ok" if row.ok else "[red]not ok", row.detail)
            Console(highlight=False).print(table)
        if not all(row.ok for row in rows):
            raise typer.Exit(1)


@app.command(context_settings={"allow_interspersed_args": False})
def shell(
    host: Annotated[str, typer.Argument(help="a machine's name, or client, stranger, runner …")],
    command: Annotated[list[str] | None, typer.Argument(help="instead of a shell")] = None,
) -> None:
    """A shell on a machine (over SSH, as its operators have it) or in a namespace."""
    # Options after HOST are the command's own, so the parser leaves the words as they are.
    if command and command[0] == "--":
        command = command[1:]
    with for_people():
        world = datacentre.world()
        if host in world.machines:
            argv = world.argv(host, command) if command else world.ssh(host, person=True)
        elif host in world.topology.nodes:
            argv = world.argv(host, command or [os.environ.get("SHELL", "bash")])
        else:
            known = ", ".join([*world.machines, *world.topology.nodes])
            raise datacentre.LabError(f"there is no {host}; there are {known}")
        os.execvp(argv[0], argv)  # noqa: S606
