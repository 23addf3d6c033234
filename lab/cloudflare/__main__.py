"""Starts the small Cloudflare: `python -m lab.cloudflare --listen 198.18.0.4:8787 ...`."""

from __future__ import annotations

import os
import secrets
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from lab.cloudflare.app import Api
from lab.cloudflare.state import State


def token_of(path: Path) -> str:
    """The API token in the file; a random one is written there (mode 0600) when it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(30))
    return path.read_text().strip()


def main(
    listen: Annotated[str, typer.Option(help="ADDRESS:PORT")],
    state: Annotated[Path, typer.Option(help="the file that keeps zones and certificates")],
    ranges: Annotated[list[str], typer.Option(help="a network of the CDN's; may be repeated")],
    zone: Annotated[list[str], typer.Option(help="a zone to have; may be repeated")] = ["lab.test"],  # noqa: B006
    token_file: Annotated[
        Path | None, typer.Option(help="the API token; default: FILE.token beside the state")
    ] = None,
) -> None:
    """Serves until it is ended."""
    token = token_of(token_file or state.with_name(f"{state.name}.token"))
    api = Api(State(state, zone), token, [ip_network(each) for each in ranges])
    address, _, port = listen.rpartition(":")
    web.run_app(
        api.application(),
        host=address.strip("[]"),
        port=int(port),
        access_log=None,
        print=lambda *_: print(f"listening on {listen}", flush=True),
    )


if __name__ == "__main__":
    typer.run(main)
