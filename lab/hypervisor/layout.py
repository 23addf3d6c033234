"""Where the hypervisor keeps things below the lab's state directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

VOLUMES = ("var/lib/containerd", "var/lib/etcd", "var/lib/kubelet")
"""Directories of every machine that lie outside its overlay: an overlay cannot be the upper
directory of another one (containerd), and etcd and the kubelet want plain file systems."""


@dataclass(frozen=True)
class MachineDir:
    """The files of one virtual machine.

    `upper` is its disk; `volumes` the parts of it outside the overlay; `seed` its cloud-init
    drive; `spec` what to boot; `run` exists while it runs; `console` what it printed.
    """

    root: Path

    @property
    def spec(self) -> Path:
        return self.root / "spec.json"

    @property
    def run(self) -> Path:
        return self.root / "run.json"

    @property
    def disk(self) -> Path:
        return self.root / "disk"

    @property
    def upper(self) -> Path:
        return self.disk / "upper"

    @property
    def work(self) -> Path:
        return self.disk / "work"

    @property
    def volumes(self) -> Path:
        return self.disk / "volumes"

    @property
    def mountpoint(self) -> Path:
        return self.root / "root"

    @property
    def seed(self) -> Path:
        return self.root / "seed"

    @property
    def console(self) -> Path:
        return self.root / "console.log"

    @property
    def log(self) -> Path:
        return self.root / "supervisor.log"

    @property
    def lock(self) -> Path:
        return self.root / "lock"


@dataclass(frozen=True)
class Layout:
    """The hypervisor's part of the state directory."""

    state_dir: Path

    @property
    def root(self) -> Path:
        return self.state_dir / "hypervisor"

    @property
    def settings(self) -> Path:
        """What every process of the hypervisor must agree on (JSON)."""
        return self.root / "settings.json"

    @property
    def machines(self) -> Path:
        return self.root / "machines"

    @property
    def firmware(self) -> Path:
        return self.root / "firmware"

    @property
    def pve_state(self) -> Path:
        """The API's memory: guests, storages, tokens (JSON)."""
        return self.root / "pve.json"

    def machine(self, vmid: int) -> MachineDir:
        return MachineDir(self.machines / str(vmid))

    def node(self, name: str) -> Path:
        """A Proxmox host's own files: certificate, host key, `vz` (its /var/lib/vz)."""
        return self.root / "nodes" / name

    def vz(self, name: str) -> Path:
        return self.node(name) / "vz"
