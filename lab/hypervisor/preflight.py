"""Can this machine be a datacentre? Asked before anything is made, answered within seconds.

Every lack is named at once, with what to do about it. Nothing is left behind: devices are tried
in a namespace that ends with the process that made it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.hypervisor import cgroups
from lab.hypervisor.layout import Layout
from lab.paths import state_dir
from lab.prerequisites import missing

GIB = 1 << 30
MEMORY_BYTES = 10 * GIB
"""Available memory below which seven machines and a cluster's pods do not fit."""
DISK_BYTES = 15 * GIB
STANDING_MEMORY_BYTES, STANDING_DISK_BYTES = 1 * GIB, 2 * GIB
"""What a lab that stands already still wants: its machines have taken theirs."""
CAPABILITIES = {
    0: "CAP_CHOWN",
    5: "CAP_KILL",
    12: "CAP_NET_ADMIN",
    13: "CAP_NET_RAW",
    18: "CAP_SYS_CHROOT",
    19: "CAP_SYS_PTRACE",
    21: "CAP_SYS_ADMIN",
    27: "CAP_MKNOD",
    39: "CAP_BPF",
}
"""Bit to name (capability.h); CAP_SYS_RESOURCE is not needed."""
CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "devices", "freezer", "systemd", "unified")
DEVICES = ("veth", "bridge", "vxlan")
STEP_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Lack:
    """One thing that is missing: its name, what was found, what to do."""

    name: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.found}; {self.remedy}"


def check(state: Path, *, memory: int | None = None, disk: int | None = None) -> list[Lack]:
    """Everything this machine lacks; empty when the lab can run here.

    Args:
        state: where machines' disks will lie; it need not exist yet.
        memory, disk: least bytes wanted; by default less when a lab stands there already.
    """
    stands = any(Layout(state).machines.glob("*/run.json"))
    if memory is None:
        memory = STANDING_MEMORY_BYTES if stands else MEMORY_BYTES
    if disk is None:
        disk = STANDING_DISK_BYTES if stands else DISK_BYTES
    if sys.platform != "linux":
        return [Lack(name="system", found=sys.platform, remedy="run the lab on Linux")]
    if os.geteuid() != 0:
        return [Lack(name="root", found=f"user {os.geteuid()}", remedy="run as root (sudo)")]
    # On a Debian machine what is not installed is installed next: it is no reason to refuse.
    tools = [] if shutil.which("apt-get") else _tools()
    lacks = [*tools, *_capabilities(), *_cgroups(), *_memory(memory), *_disk(state, disk)]
    if not lacks:
        lacks += [*_devices(), *_overlay(state), *_bpf()]
    return lacks


def _tools() -> list[Lack]:
    lacking = missing()
    packages = " ".join(sorted(set(lacking.values())))
    return [
        Lack(name=f"tool {tool}", found="not installed", remedy=f"apt-get install {packages}")
        for tool in lacking
    ]


def _capabilities() -> list[Lack]:
    status = Path("/proc/self/status").read_text()
    have = int(next(ln for ln in status.splitlines() if ln.startswith("CapEff:")).split()[1], 16)
    without = [name for bit, name in CAPABILITIES.items() if not have >> bit & 1]
    remedy = "run on a whole machine or a privileged container"
    return [
        Lack(name="capabilities", found=f"without {', '.join(without)}", remedy=remedy)
        for _ in without[:1]
    ]


def _cgroups() -> list[Lack]:
    if not cgroups.ROOT.is_dir():
        return [Lack(name="cgroups", found="nothing at /sys/fs/cgroup", remedy="mount them")]
    present = {path.name for path in cgroups.hierarchies()}
    without = [name for name in CONTROLLERS if name not in present]
    if not without:
        return []
    single = (cgroups.ROOT / "cgroup.controllers").exists()
    found = "version 2 only" if single else f"without {', '.join(without)}"
    remedy = (
        "boot with systemd.unified_cgroup_hierarchy=0 (the hybrid layout: version 1 controllers "
        "at /sys/fs/cgroup/NAME and an empty version 2 at /sys/fs/cgroup/unified)"
    )
    return [Lack(name="cgroup layout", found=found, remedy=remedy)]


def _memory(wanted: int) -> list[Lack]:
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    have = int(lines["MemAvailable"].split()[0]) * 1024
    if have >= wanted:
        return []
    found = f"{have / GIB:.1f} GiB available"
    remedy = f"free memory up to {wanted / GIB:.0f} GiB, or use a bigger machine"
    return [Lack(name="memory", found=found, remedy=remedy)]


def _disk(state: Path, wanted: int) -> list[Lack]:
    place = _existing(state)
    have = shutil.disk_usage(place).free
    if have >= wanted:
        return []
    found = f"{have / GIB:.1f} GiB free at {place}"
    remedy = f"free {wanted / GIB:.0f} GiB there, or set LAYERED_CLOUD_STATE to another place"
    return [Lack(name="disk", found=found, remedy=remedy)]


def _devices() -> list[Lack]:
    lacks = []
    for kind in DEVICES:
        words = ["id", "7", "dev", "lo", "dstport", "4789"] if kind == "vxlan" else []
        words += ["peer", "name", "lc-b"] if kind == "veth" else []
        said = _run(["unshare", "--net", "ip", "link", "add", "lc-a", "type", kind, *words])
        if said is not None:
            remedy = f"use a kernel that has it (modprobe {kind})"
            lacks.append(Lack(name=f"device type {kind}", found=said, remedy=remedy))
    if not Path("/dev/net/tun").exists():
        remedy = "use a kernel that has it (modprobe tun)"
        lacks.append(Lack(name="device type tun", found="no /dev/net/tun", remedy=remedy))
    return lacks


def _overlay(state: Path) -> list[Lack]:
    """An overlay over the file system the machines' disks will really lie on."""
    script = (
        'cd "$1" && mkdir l u w m && touch l/x && '
        "mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w m && touch m/y && rm m/x"
    )
    with tempfile.TemporaryDirectory(prefix=".lc-preflight-", dir=_existing(state)) as place:
        said = _run(["unshare", "--mount", "sh", "-c", script, "sh", place])
    if said is None:
        return []
    remedy = "set LAYERED_CLOUD_STATE to a place on ext4 or xfs"
    return [Lack(name="overlay", found=said, remedy=remedy)]


def _bpf() -> list[Lack]:
    script = "mount -t bpf bpf /mnt"
    said = _run(["unshare", "--mount", "sh", "-c", script])
    if said is None:
        return []
    return [
        Lack(name="eBPF file system", found=said, remedy="use a kernel with CONFIG_BPF_SYSCALL")
    ]


def _run(argv: list[str]) -> str | None:
    """None when it worked, else what it said."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        return str(err)
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"exit status {done.returncode}"


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def main() -> int:
    """Print every lack, and what to do; exit status 1 when there is one."""
    lacks = check(state_dir())
    for lack in lacks:
        print(lack, file=sys.stderr)
    if lacks:
        print("This machine cannot run the lab. Next: see above.", file=sys.stderr)
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
