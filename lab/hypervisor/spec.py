"""Machines as data: what to boot, what runs, and what the API asks of whoever boots it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Protocol

from lab.hypervisor.seed import Seed
from lab.processes import Process


class MachineError(RuntimeError):
    """A machine could not be started, stopped or reached; the text says what it said."""


@dataclass(frozen=True, kw_only=True)
class NicSpec:
    """A NIC to plug in before boot. `mtu` in bytes."""

    interface: str
    mac: str
    bridge: str
    mtu: int
    link_up: bool = True


@dataclass(frozen=True, kw_only=True)
class MachineSpec:
    """Everything needed to boot one machine; as JSON it is the supervisor's input."""

    vmid: int
    name: str
    uuid: str
    image: str
    memory_bytes: int
    cores: int
    nics: tuple[NicSpec, ...] = field(default_factory=tuple)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> MachineSpec:
        data = json.loads(text)
        data["nics"] = tuple(NicSpec(**nic) for nic in data["nics"])
        return cls(**data)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A running machine: its supervisor, nspawn, its first process, and when it started.

    `started_at` is in seconds since the epoch; `boots` counts the reboots from inside, too.
    """

    supervisor: Process
    nspawn: Process
    leader: Process
    started_at: float
    boots: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Running:
        data = json.loads(text)
        for key in ("supervisor", "nspawn", "leader"):
            data[key] = Process(**data[key])
        return cls(**data)


class Driver(Protocol):
    """What the API needs of the machines behind it; the tests bring one without machines."""

    def start(self, spec: MachineSpec, seed: Seed | None) -> None: ...
    def stop(self, vmid: int) -> None: ...
    def shutdown(self, vmid: int, seconds: float) -> bool: ...
    def reset(self, vmid: int) -> None: ...
    def destroy(self, vmid: int) -> None: ...
    def running(self, vmid: int) -> Running | None: ...
    def memory_bytes(self, vmid: int) -> int: ...
