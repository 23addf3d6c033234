"""Serves the edge: `python -m lab.edge --address 198.51.100.80 --state FILE ...`."""

from __future__ import annotations

import json
import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated

import typer

from lab.edge.authority import Authority
from lab.edge.daemons import Daemons, Refused
from lab.edge.model import Zone, zones
from lab.edge.render import files

LOOKS = 0.2
"""Seconds between two looks at the state's file."""


def issued(authority: Authority, told: list[Zone]) -> dict[str, str]:
    """What visitors are shown, by zone: Cloudflare's universal certificate is for a zone and what
    is one label below it."""
    return {zone.name: authority.issue([zone.name, f"*.{zone.name}"]) for zone in told}


def main(
    address: Annotated[str, typer.Option(help="where visitors reach it; it calls from there too")],
    state: Annotated[Path, typer.Option(help="the file of lab.cloudflare")],
    tree: Annotated[Path, typer.Option(help="the tree that the daemons are installed in")],
    folder: Annotated[Path, typer.Option(help="where the daemons' files and the authority lie")],
) -> None:
    """Serves until it is ended."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, daemons = Authority(folder), Daemons(tree, folder)
    certificates: dict[str, str] = {}
    seen, serial, said = "", int(time.time()), ""
    while True:
        text = state.read_text()
        if text != seen:
            seen, serial = text, serial + 1
            whole = json.loads(text)
            told = zones(whole)
            lacking = [zone for zone in told if zone.name not in certificates]
            certificates |= issued(authority, lacking)
            left_out = "\n".join(line for zone in told for line in zone.left_out)
            if left_out and left_out != said:
                print(left_out, flush=True)
            said = left_out
            try:
                daemons.serve(
                    files(
                        told,
                        address=IPv4Address(address),
                        serial=serial,
                        origins=whole["ca"]["certificate"],
                        certificates=certificates,
                    )
                )
            except Refused as error:
                print(error, flush=True)
        daemons.watch()
        time.sleep(LOOKS)


if __name__ == "__main__":
    typer.run(main)
