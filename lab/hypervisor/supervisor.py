"""One machine's supervisor: boots it, follows its reboots, and cleans up when it goes off.

Run as `python -m lab.hypervisor.supervisor STATE_DIR VMID`. It is to its machine what the KVM
process is on a real host: killing it powers the machine off (the kernel ends the process
namespace that nspawn and the machine run in).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab.hypervisor import cgroups
from lab.hypervisor.layout import VOLUMES, Layout, MachineDir
from lab.hypervisor.machine import NspawnDriver, clean_machine, lock, namespace_of, port_of
from lab.hypervisor.settings import Settings
from lab.hypervisor.spec import MachineSpec, Running
from lab.network.ip import NETNS_DIR
from lab.processes import Process, children, identify, wait_until

REBOOT = 133
"""systemd-nspawn(1): the exit status that asks the caller to start the container again."""

LEADER_SECONDS = 20.0
HERE = Path(__file__).parent
PR_SET_PDEATHSIG = 1


def nspawn_argv(spec: MachineSpec, folder: MachineDir, name: str, netns: Path) -> list[str]:
    """The container manager's command line for a machine."""
    binds = [f"--bind={folder.volumes / Path(inside).name}:/{inside}" for inside in VOLUMES]
    # It runs in the machine's network namespace itself, or /sys would show this machine's NICs.
    return [
        "nsenter",
        f"--net={netns}",
        "systemd-nspawn",
        "--quiet",
        f"--directory={folder.mountpoint}",
        f"--machine={name}",
        f"--uuid={spec.uuid}",
        "--boot",
        "--register=no",
        "--keep-unit",
        f"--network-namespace-path={netns}",
        "--capability=all",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=read-only",
        "--system-call-filter=@keyring bpf perf_event_open",
        *binds,
    ]


def power_on(driver: NspawnDriver, spec: MachineSpec) -> subprocess.Popen[bytes]:
    """Fresh NICs and control groups, then nspawn in a mount namespace of its own."""
    folder, group = driver.layout.machine(spec.vmid), driver.group(spec.vmid)
    clean_machine(driver.network, group, spec.vmid)
    cgroups.create(group, spec.memory_bytes)
    namespace = driver.network.add_namespace(namespace_of(spec.vmid))
    for index, nic in enumerate(spec.nics):
        driver.network.plug(
            nic.bridge,
            namespace,
            interface=nic.interface,
            port=port_of(spec.vmid, index),
            mac=nic.mac,
            mtu=nic.mtu,
            up=False,
            linked=nic.link_up,
        )
    layers = ":".join(map(str, (folder.seed, driver.layout.firmware, spec.image)))
    options = f"lowerdir={layers},upperdir={folder.upper},workdir={folder.work}"
    # A process namespace around it all: with its first process every other one ends.
    unshare = ["unshare", "--mount", "--propagation", "slave", "--mount-proc"]
    unshare += ["--pid", "--fork", "--kill-child", "--", "sh", str(HERE / "boot.sh")]
    inner = nspawn_argv(spec, folder, group, NETNS_DIR / namespace)
    with folder.console.open("ab") as console:
        return subprocess.Popen(
            [*unshare, group, options, str(folder.mountpoint), *inner],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            # Its lock files would outlive it; the supervisor holds a lock of its own.
            env={**os.environ, "SYSTEMD_NSPAWN_LOCK": "0"},
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )


def leader_of(nspawn: int) -> Process | None:
    """The container's first process: the descendant that is number 1 in its own namespace."""
    seen = [nspawn]
    for pid in seen:
        for child in children(pid):
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{child}/status").read_text()
                numbers = next(ln for ln in status.splitlines() if ln.startswith("NSpid:")).split()
                if len(numbers) > 2 and numbers[-1] == "1" and _executed(child):
                    return identify(child)
            seen.append(child)
    return None


def supervise(layout: Layout, vmid: int) -> int:
    """Run a machine until it goes off; returns the exit status."""
    driver = NspawnDriver(layout, Settings.read(layout))
    folder, group = layout.machine(vmid), driver.group(vmid)
    held = lock(folder)
    # Out of the groups of whoever started it: a machine outlives the API.
    cgroups.join(f"{driver.settings.topology.prefix}supervisors")
    started_at, boots = time.time(), 0
    me = identify(os.getpid())
    assert me is not None
    while True:
        spec = MachineSpec.from_json(folder.spec.read_text())
        nspawn = power_on(driver, spec)
        boots += 1
        up = wait_until(functools.partial(_decided, nspawn), LEADER_SECONDS)
        leader, outer = leader_of(nspawn.pid), identify(nspawn.pid)
        if not up or leader is None or outer is None:
            nspawn.kill()
            status = nspawn.wait()
            print(f"VM {vmid} did not come up (nspawn's exit status {status}):")
            print(folder.console.read_text(errors="replace")[-2000:])
            break
        run = Running(
            supervisor=me, nspawn=outer, leader=leader, started_at=started_at, boots=boots
        )
        _replace(folder.run, run.to_json())
        status = nspawn.wait()
        print(f"VM {vmid} ended with exit status {status}", flush=True)
        cgroups.kill(group)
        if status != REBOOT:
            break
    cgroups.kill(group)
    clean_machine(driver.network, group, vmid)
    folder.run.unlink(missing_ok=True)
    held.close()
    return 0 if boots else 1


def _decided(nspawn: subprocess.Popen[bytes]) -> bool:
    """Whether nspawn has either ended or brought its first process up."""
    return nspawn.poll() is not None or leader_of(nspawn.pid) is not None


def _executed(pid: int) -> bool:
    """Whether it has become the container's init and is no longer nspawn's stub."""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name in ("systemd", "init")
    except OSError:
        return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(supervise(Layout(Path(sys.argv[1])), int(sys.argv[2])))
