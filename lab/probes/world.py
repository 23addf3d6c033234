"""The running lab as a probe sees it: places to run something, and what the stack decided.

Nothing here reaches into a machine by other ways than a user has: namespaces for those outside,
SSH over the management network, with the host keys the stack made, for the machines.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from lab.network.ip import argv_in
from lab.network.topology import Topology
from lab.paths import state_dir
from settings.models import MachineSpec, Stack


class Unreachable(RuntimeError):
    """A command could not be run where it was asked for; the text carries the reason."""

    human = True


def script(name: str) -> str:
    """The text of one of the scripts that run anywhere."""
    return (files("lab.probes.scripts") / f"{name}.py").read_text()


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The CDN's edge that stands in front: where visitors reach it, and the authority (PEM) of the
    certificates that it shows them."""

    address: str
    authority: str

    @classmethod
    def of(cls, topology: Topology, folder: Path) -> Edge:
        """The edge that keeps its files in a folder."""
        address = topology.nodes["edge"].address_on("users")
        return cls(address=str(address), authority=(folder / "edge-ca.pem").read_text())


@dataclass(frozen=True, kw_only=True)
class World:
    """One running lab.

    Attributes:
        stack: its settings.
        topology: its namespaces.
        outputs: the stack's plain outputs.
        access: folder with `deploy_key`, `known_hosts` and `kubeconfig` (mode 0600).
        profile: the name of what is laid over its stack file, if anything is.
        edge: the CDN's edge, where one stands in front; else visitors call the public VIPs.
    """

    stack: Stack
    topology: Topology
    outputs: Mapping[str, Any]
    access: Path = field(default_factory=lambda: state_dir() / "access")
    profile: str = ""
    edge: Edge | None = None

    @cached_property
    def machines(self) -> dict[str, MachineSpec]:
        """Every machine of the stack by name, in the order of the chain."""
        return {spec.name: spec for _, spec in self.stack.machines()}

    def role(self, wanted: str) -> list[str]:
        """Names of the machines of one role."""
        return [spec.name for role, spec in self.stack.machines() if role == wanted]

    @property
    def nodes(self) -> list[str]:
        """Control planes and workers."""
        return [*self.role("control_plane"), *self.role("worker")]

    def argv(self, place: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` at `place`: a machine's name or a namespace's."""
        if place in self.machines:
            return [*self.ssh(place), _quoted(argv)]
        return argv_in(self.topology.namespace(place), argv)

    def ssh(self, machine: str, person: bool = False) -> list[str]:
        """The ssh(1) command line for a machine, run from the runner's namespace; for a `person`,
        with a terminal."""
        argv = [
            *("ssh", *(["-t"] if person else []), "-F", "/dev/null"),
            *("-i", str(self.access / "deploy_key")),
            *("-o", f"UserKnownHostsFile={self.access / 'known_hosts'}"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", f"BatchMode={'no' if person else 'yes'}"),
            *("-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"),
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
            f"root@{self.machines[machine].management}",
        ]
        return argv_in(self.topology.namespace("runner"), argv)

    def run(
        self, place: str, argv: Sequence[str], stdin: str = "", seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command at a place and return what it said, whatever its exit status.

        Raises:
            Unreachable: it did not end within `seconds`, or SSH failed (status 255).
        """
        done = _run(self.argv(place, argv), stdin, seconds, place)
        if done.returncode == 255:
            raise Unreachable(f"{place}: {done.stderr.strip() or 'ssh failed'}")
        return done

    def text(self, place: str, argv: Sequence[str], stdin: str = "", seconds: float = 60) -> str:
        """The standard output of a command that must succeed.

        Raises:
            Unreachable: it failed; the text carries its words.
        """
        return _output(self.run(place, argv, stdin, seconds), place)

    def local(self, argv: Sequence[str], stdin: str = "", seconds: float = 60) -> str:
        """The standard output of a whole command line that must succeed.

        Raises:
            Unreachable: it failed; the text carries its words.
        """
        return _output(_run(argv, stdin, seconds, argv[-2]), argv[-2])

    def ask(self, place: str, name: str, spec: Mapping[str, Any], seconds: float = 120) -> Any:
        """Run one of the scripts at a place and return its JSON answer."""
        argv = ["python3", "-", json.dumps(spec)]
        return json.loads(self.text(place, argv, script(name), seconds))

    def addresses(self, machine: str) -> set[str]:
        """Every IPv4 address a machine holds at this moment."""
        rows = json.loads(self.text(machine, ["ip", "-json", "-4", "address"], seconds=15))
        return {info["local"] for row in rows for info in row["addr_info"]}

    @property
    def control_plane(self) -> str:
        """A control plane that answers; of one alone nobody asks whether it does.

        Raises:
            Unreachable: none of several does.
        """
        names = self.role("control_plane")
        if len(names) == 1:
            return names[0]
        silent = []
        for name in names:
            try:
                self.run(name, ["true"], seconds=10)
            except Unreachable as error:
                silent.append(str(error))
            else:
                return name
        raise Unreachable(f"no control plane answers: {'; '.join(silent)}")

    def kubectl(self, *words: str, seconds: float = 30) -> str:
        """kubectl on a control plane's machine, as the administrator."""
        config = "--kubeconfig=/etc/kubernetes/admin.conf"
        return self.text(self.control_plane, ["kubectl", config, *words], seconds=seconds)


def _run(
    argv: Sequence[str], stdin: str, seconds: float, place: str
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            list(argv), input=stdin, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{place}: no answer within {seconds:.0f} s") from None


def _output(done: subprocess.CompletedProcess[str], place: str) -> str:
    if done.returncode:
        words = done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}"
        raise Unreachable(f"{place}: {words}")
    return done.stdout


def _quoted(argv: Sequence[str]) -> str:
    # ssh hands the remote shell one string.
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in argv)
