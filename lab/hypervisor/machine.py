"""Machines: started, stopped and reached.

A virtual machine of the lab is a systemd that systemd-nspawn booted: the image's files below an
overlay, a network namespace with the NICs its configuration names, control groups of its own. One
supervisor process per machine stands for the KVM process of a real host: as long as it lives the
machine runs, and whoever restarts the API finds the machine by what the supervisor wrote.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.hypervisor import cgroups
from lab.hypervisor.layout import VOLUMES, Layout, MachineDir
from lab.hypervisor.seed import SEED_DIR, Seed
from lab.hypervisor.settings import Settings
from lab.hypervisor.spec import MachineError, MachineSpec, Running
from lab.network import Network, faults
from lab.network.ip import NetworkError
from lab.processes import Process, detached, identify, wait_until

START_SECONDS = 30.0
STOP_SECONDS = 30.0
POWEROFF_SIGNAL = signal.SIGRTMIN + 4
"""What systemd(1) takes as "power off" when it is a container's first process."""


class NspawnDriver:
    """Machines as booted systemd-nspawn containers.

    Args:
        layout: where they lie.
        settings: the lab's prefix and topology.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        self.layout = layout
        self.settings = settings
        self.network = Network(settings.topology, layout.state_dir)

    # ---------------------------------------------------------------- power

    def start(self, spec: MachineSpec, seed: Seed | None) -> None:
        """Boot a machine and return once its first process runs.

        Raises:
            MachineError: it already runs, or it did not come up; with the supervisor's words.
        """
        folder = self.layout.machine(spec.vmid)
        if self.running(spec.vmid):
            raise MachineError(f"VM {spec.vmid} already running")
        self._clean(spec.vmid)
        for directory in (folder.upper, folder.work, folder.mountpoint):
            directory.mkdir(parents=True, exist_ok=True)
        for inside in VOLUMES:
            (folder.volumes / Path(inside).name).mkdir(parents=True, exist_ok=True)
        _write_seed(folder, seed)
        folder.spec.write_text(spec.to_json())
        self._launch(spec.vmid)

    def stop(self, vmid: int) -> None:
        """Pull the plug: every process of the machine is killed at once. Stopped is fine.

        Raises:
            MachineError: something of it would not die.
        """
        self._power_off(vmid)
        self._clean(vmid)

    def shutdown(self, vmid: int, seconds: float) -> bool:
        """Press the power button and wait (seconds); returns whether it went off."""
        found = self.running(vmid)
        if found is None:
            return True
        found.leader.signal(POWEROFF_SIGNAL)
        if not wait_until(lambda: self.running(vmid) is None, seconds):
            return False
        self._clean(vmid)
        return True

    def reset(self, vmid: int) -> None:
        """Press the reset button: off without warning, on again as it was."""
        self._power_off(vmid)
        self._clean(vmid)
        self._launch(vmid)

    def restart(self, vmid: int) -> None:
        """Switch a machine that is off on again, as it was when it last ran.

        Raises:
            MachineError: it runs, or it never did.
        """
        if self.running(vmid):
            raise MachineError(f"VM {vmid} already running")
        if not self.layout.machine(vmid).spec.exists():
            raise MachineError(f"VM {vmid} was never started; start it through the API")
        self._clean(vmid)
        self._launch(vmid)

    def destroy(self, vmid: int) -> None:
        """Remove a machine with its disk, whatever state it is in."""
        self.stop(vmid)
        shutil.rmtree(self.layout.machine(vmid).root, ignore_errors=True)

    # ---------------------------------------------------------------- state

    def running(self, vmid: int) -> Running | None:
        """The running machine, or None."""
        try:
            found = Running.from_json(self.layout.machine(vmid).run.read_text())
        except (OSError, ValueError, TypeError):
            return None
        return found if found.supervisor.alive and found.leader.alive else None

    def memory_bytes(self, vmid: int) -> int:
        """Memory in use, by its control group; 0 when off."""
        try:
            usage = cgroups.ROOT / "memory" / self.group(vmid) / "memory.usage_in_bytes"
            return int(usage.read_text())
        except OSError:
            return 0

    def known(self) -> list[int]:
        """Numbers of every machine that has files here."""
        if not self.layout.machines.is_dir():
            return []
        return sorted(int(p.name) for p in self.layout.machines.iterdir() if p.name.isdigit())

    def group(self, vmid: int) -> str:
        """The name of its control groups."""
        return f"{self.settings.topology.prefix}vm-{vmid}"

    # --------------------------------------------------------------- inside

    def argv_inside(
        self,
        vmid: int,
        argv: Sequence[str],
        *,
        tty: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> list[str]:
        """A command line that runs `argv` as a transient unit inside the machine.

        A unit, because a process that merely enters the namespaces would keep the control group
        it came from, and so see no service address of a cluster that runs there.

        Raises:
            MachineError: it does not run.
        """
        found = self.running(vmid)
        if found is None:
            raise MachineError(f"VM {vmid} not running")
        enter = ["nsenter", "--target", str(found.leader.pid), "--all", "--wd=/"]
        how = ["--pty"] if tty else ["--pipe"]
        extra = [f"--setenv={key}={value}" for key, value in (env or {}).items()]
        return [*enter, "systemd-run", "--quiet", "--wait", "--collect", *how, *extra, "--", *argv]

    # ------------------------------------------------------------ internals

    def _launch(self, vmid: int) -> None:
        folder = self.layout.machine(vmid)
        argv = [sys.executable, "-m", "lab.hypervisor.supervisor"]
        argv += [str(self.layout.state_dir), str(vmid)]
        supervisor = detached(argv, folder.log, {"PYTHONDONTWRITEBYTECODE": "1"})
        deadline = time.monotonic() + START_SECONDS
        while self.running(vmid) is None:
            if supervisor.poll() is not None or time.monotonic() > deadline:
                self._power_off(vmid)
                self._clean(vmid)
                raise MachineError(f"start failed: {_tail(folder.log)}")
            time.sleep(0.05)

    def _power_off(self, vmid: int) -> None:
        folder = self.layout.machine(vmid)
        self._unplug(vmid)
        try:
            found = Running.from_json(folder.run.read_text())
        except (OSError, ValueError, TypeError):
            found = None
        if found:
            # The supervisor first, or it would take the end for a reboot it should follow.
            for process in (found.supervisor, found.nspawn, found.leader):
                process.kill()
        else:
            _kill_lock_holder(folder)
        if not cgroups.kill(self.group(vmid)):
            left = sorted(cgroups.members(self.group(vmid)))
            raise MachineError(f"VM {vmid}: processes {left} do not end")

    def _unplug(self, vmid: int) -> None:
        # First: this kernel would go on answering and forwarding for a machine whose processes end.
        try:
            spec = MachineSpec.from_json(self.layout.machine(vmid).spec.read_text())
        except (OSError, ValueError, TypeError):
            return
        with suppress(NetworkError):
            faults.pull(
                self.settings.topology, *(port_of(vmid, index) for index in range(len(spec.nics)))
            )

    def _clean(self, vmid: int) -> None:
        self.layout.machine(vmid).run.unlink(missing_ok=True)
        clean_machine(self.network, self.group(vmid), vmid)


def clean_machine(network: Network, group: str, vmid: int) -> None:
    """End what is left of a machine that is off, and remove its groups, NICs and namespace."""
    cgroups.kill(group)
    cgroups.remove(group)
    network.remove_namespace(namespace_of(vmid))
    for leftover in Path("/run/systemd/nspawn").glob(f"*/{group}"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def namespace_of(vmid: int) -> str:
    """The machine's network namespace, without the lab's prefix."""
    return f"vm-{vmid}"


def port_of(vmid: int, index: int) -> str:
    """The switch's end of the machine's NIC of that number."""
    return f"tap{vmid}i{index}"


def lock(folder: MachineDir) -> Any:
    """Take the machine's lock for the life of the process; raises `MachineError` when held."""
    folder.root.mkdir(parents=True, exist_ok=True)
    handle = folder.lock.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        raise MachineError("another supervisor holds this machine") from err
    handle.truncate(0)
    mine = identify(os.getpid())
    assert mine is not None
    handle.write(json.dumps(asdict(mine)))
    handle.flush()
    return handle


def _kill_lock_holder(folder: MachineDir) -> None:
    """End a supervisor that has not yet written what it runs."""
    try:
        holder = Process(**json.loads(folder.lock.read_text()))
    except (OSError, ValueError, TypeError):
        return
    holder.kill()


def _write_seed(folder: MachineDir, seed: Seed | None) -> None:
    shutil.rmtree(folder.seed, ignore_errors=True)
    target = folder.seed / SEED_DIR
    if seed is None:
        folder.seed.mkdir(parents=True)
        return
    target.mkdir(parents=True)
    target.chmod(0o700)
    for name, text in seed.files().items():
        (target / name).touch(mode=0o600)
        (target / name).write_text(text)


def _tail(path: Path, lines: int = 8) -> str:
    try:
        text = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        text = []
    return "\n".join(text[-lines:]) or "it said nothing"
