"""Where the metrics of a machine's parts are read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from components.host.machine import Machine
from components.host.part import Exporter
from components.host.target import Target


def targets(machine: Machine, exporters: Iterable[Exporter]) -> list[Target]:
    """Every exporter of a machine; `KeyError` for a leg the machine does not have."""
    return [
        Target(
            name=each.name,
            machine=machine.name,
            role=machine.role,
            endpoint=f"{machine.address(each.network)}:{each.port}",
            path=each.path,
        )
        for each in exporters
    ]


def urls(machine: Machine, exporters: Iterable[Exporter]) -> list[str]:
    """The address of each exporter, `http://ADDRESS:PORT/PATH`; `KeyError` for a leg the machine
    does not have."""
    return [f"http://{machine.address(each.network)}:{each.port}{each.path}" for each in exporters]


def gathered(sources: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Machine to the addresses of all its exporters; a machine without any is left out."""
    found: dict[str, list[str]] = {}
    for source in sources:
        for machine, addresses in source.items():
            if addresses:
                found.setdefault(machine, []).extend(addresses)
    return found
