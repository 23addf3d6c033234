"""`python -m lab.hypervisor COMMAND`: the API's process, and a few hands-on commands."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.hypervisor.hypervisor import Hypervisor
from lab.hypervisor.layout import Layout
from lab.hypervisor.serve import serve as serve_api
from lab.hypervisor.spec import MachineError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(state_dir: Path) -> None:
    """Serve the API in the foreground (used by `up`)."""
    asyncio.run(serve_api(Layout(state_dir)))


@app.command()
def up(base_image: Path) -> None:
    """Bring networks, hosts and API up."""
    print(Hypervisor().up(base_image).endpoint)


@app.command()
def down() -> None:
    """Remove machines, hosts and networks."""
    Hypervisor().down()


@app.command()
def status() -> None:
    """Hosts and machines, as JSON."""
    print(json.dumps(Hypervisor().status().to_dict(), indent=1))


@app.command("power-off")
def power_off(name: str) -> None:
    """Pull a machine's plug."""
    Hypervisor().power_off(name)


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(name: str, argv: Annotated[list[str], typer.Argument()]) -> None:
    """Run a command in a machine."""
    hypervisor = Hypervisor()
    inside = hypervisor.driver.argv_inside(hypervisor.vmid(name), argv)
    sys.exit(subprocess.run(inside, check=False).returncode)


@app.command()
def shell(name: str) -> None:
    """A shell in a machine, or in a node's network namespace."""
    sys.exit(Hypervisor().shell(name))


if __name__ == "__main__":
    try:
        app()
    except MachineError as err:
        sys.exit(str(err))
