"""python -m lab.software: build the lab's software into the cache, and see what is there."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab.software import goitems
from lab.software.progress import Progress
from lab.software.software import ensure, items, stale
from lab.software.store import BuildError, ensure_item, remove_tree, stamp_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def build(
    only: Annotated[
        list[str] | None, typer.Option(help="An item's name, as `status` shows it; repeatable.")
    ] = None,
) -> None:
    """Build what the cache lacks; an interrupted build goes on where it stopped."""
    try:
        ensure(only or None, Progress())
    except BuildError as error:
        print(f"{error}\nNext: repair that, then run the same command again.", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        raise typer.Exit(2) from None


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def run(name: str, arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run one of the tools that check the project, built first when the cache lacks it."""
    tools = {tool.name: tool for tool in goitems.TOOLS}
    if name not in tools:
        print(f"{name} is no tool; there are: {', '.join(tools)}", file=sys.stderr)
        raise typer.Exit(2)
    try:
        ensure_item(tools[name].item, Progress())
    except BuildError as error:
        print(f"{error}\nNext: repair that, then run the same command again.", file=sys.stderr)
        raise typer.Exit(1) from None
    program = str(tools[name].executable(name))
    os.execv(program, [program, *(arguments or [])])  # noqa: S606 - a program of our own cache


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What is built, what it took, and where it lies."""
    rows = []
    for item in items().values():
        stamp = stamp_of(item) if item.ready else {}
        row = {"name": item.name, "key": item.key, "ready": item.ready, "path": str(item.path)}
        rows.append(row | {"seconds": stamp.get("seconds")})
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("", "item", "key", "seconds")
    for row in rows:
        mark = "[green]✓[/]" if row["ready"] else "[yellow]–[/]"
        took = "" if row["seconds"] is None else str(row["seconds"])
        table.add_row(mark, str(row["name"]), str(row["key"]), took)
    Console().print(table)


@app.command()
def prune() -> None:
    """Remove from the cache what earlier versions left there."""
    for path in stale():
        remove_tree(path)
        print(f"removed {path.parent.name} {path.name}")


if __name__ == "__main__":
    app()
