"""Hosts to push to: each a systemd that systemd-nspawn booted over the checkers' tree, with an own
sshd, HAProxy, network namespace and mounts.

They live in the namespaces of whoever calls `fleet`, which are private (`benchmark.inside`): their
bridge, their disks and their processes end with the caller, however it ends. What outlives it are
empty control groups (`sweep`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmark.playbook import Host
from benchmark.wish import FIRST, HAPROXY, pieces
from lab.hypervisor import cgroups
from lab.processes import wait_until
from lab.software import checkers

GROUP = "layered-cloud-benchmark"
"""The control group above everything that is made here."""
HOSTS = f"{GROUP}/hosts"
AREA = Path("/run/benchmark")
"""Where their disks lie: within a mount of the caller's own."""
NETWORK = IPv4Network("198.18.0.0/16")
BRIDGE = "benchmark0"
ABREAST = 4
"""Hosts that boot at a time."""
BOOT_SECONDS = 300.0
MEBIBYTES = 96
"""A host may write, at most."""


class HostsError(RuntimeError):
    """Hosts that cannot be had; the text says why, with their own words."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A host that runs; `root` is its file system as it sees it."""

    host: Host
    root: Path
    console: Path

    @property
    def group(self) -> str:
        """Its control group."""
        return f"{HOSTS}/{self.host.name}"

    def text(self, path: str) -> str:
        """A file of it."""
        return (self.root / path.lstrip("/")).read_text()

    def processes(self, unit: str) -> frozenset[int]:
        """The processes of a unit of its systemd."""
        found: set[int] = set()
        top = cgroups.ROOT / "systemd" / self.group
        for listed in top.glob(f"**/{unit}.service/cgroup.procs"):
            with suppress(OSError):
                found |= {int(word) for word in listed.read_text().split()}
        return frozenset(found)


def key() -> tuple[str, str]:
    """A fresh key pair as OpenSSH writes them: private, public."""
    made = Ed25519PrivateKey.generate()
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode()


def addresses(count: int) -> list[IPv4Address]:
    """The hosts' addresses; the first of the network is the bridge's."""
    return [NETWORK[10 + index] for index in range(count)]


UNIT = """\
[Unit]
Description=The host's address
DefaultDependencies=no
Before=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip link set lo up
ExecStart=/usr/sbin/ip address add {address}/{bits} dev host0
ExecStart=/usr/sbin/ip link set host0 up
"""
TARGET = """\
[Unit]
Description=What a host of the benchmark runs
Requires=basic.target
After=basic.target
Wants=address.service dbus.service ssh.service haproxy.service
"""
SSHD = "UsePAM no\n"
"""No login sessions: nobody here logs in but whoever pushes."""


def files(name: str, address: IPv4Address, host_key: tuple[str, str], user: str) -> dict[str, str]:
    """What is laid over the tree: the host's identity, and what it boots into. `host_key` is its
    key pair, `user` the public key that is let in."""
    units = "/etc/systemd/system"
    return {
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n{address} {name}\n",
        "/etc/ssh/ssh_host_ed25519_key": host_key[0],
        "/etc/ssh/ssh_host_ed25519_key.pub": f"{host_key[1]}\n",
        "/etc/ssh/sshd_config.d/00-host.conf": SSHD,
        "/root/.ssh/authorized_keys": f"{user}\n",
        HAPROXY: next(each.text for each in pieces(FIRST) if each.path == HAPROXY),
        f"{units}/address.service": UNIT.format(address=address, bits=NETWORK.prefixlen),
        f"{units}/benchmark.target": TARGET,
        # Newer than /usr: nothing is brought up to date at the first boot.
        "/etc/.updated": "",
        "/var/.updated": "",
    }


MASKED = ("timers.target", "getty.target", "systemd-networkd-wait-online.service")
"""Nothing begins by itself while others are measured."""


@contextmanager
def fleet(count: int, told: Callable[[str], object]) -> Iterator[tuple[str, list[Running]]]:
    """That many hosts, and the private key that they let in.

    Raises:
        HostsError: one does not come up; with the end of its console.
    """
    private, public = key()
    _network()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={max(2, count) * MEBIBYTES}m", "tmpfs", str(AREA)],
        check=True,
    )
    cgroups.create(GROUP)
    cgroups.create(HOSTS)
    begun: list[subprocess.Popen[bytes]] = []
    running: list[Running] = []
    try:
        for first in range(0, count, ABREAST):
            batch = []
            for index in range(first, min(first + ABREAST, count)):
                one, process = _boot(f"h{index + 1}", addresses(count)[index], public)
                begun.append(process)
                batch.append((one, process))
            for one, process in batch:
                _await(one, process)
                running.append(one)
            told(f"{len(running)} of {count} hosts are up")
        yield private, running
    finally:
        for process in begun:
            process.kill()
        if not cgroups.kill(HOSTS):
            told(f"processes of the hosts do not end: {sorted(cgroups.members(HOSTS))}")
        for process in begun:
            process.wait()
        for each in running:
            subprocess.run(["umount", "--lazy", str(each.root)], check=False)
        subprocess.run(["umount", "--lazy", str(AREA)], check=False)
        subprocess.run(["ip", "link", "delete", BRIDGE], check=False)
        sweep()


def sweep() -> None:
    """Remove the control groups that a run left, with whatever still runs in them."""
    if cgroups.present(GROUP):
        cgroups.kill(GROUP)
        cgroups.remove(GROUP)


def _network() -> None:
    AREA.mkdir(parents=True, exist_ok=True)
    for words in (
        ["link", "set", "lo", "up"],
        ["link", "add", BRIDGE, "type", "bridge"],
        ["address", "add", f"{NETWORK[1]}/{NETWORK.prefixlen}", "dev", BRIDGE],
        ["link", "set", BRIDGE, "up"],
    ):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostsError(f"{done.stderr.strip()} (from: ip {' '.join(words)})")


def _boot(name: str, address: IPv4Address, user: str) -> tuple[Running, subprocess.Popen[bytes]]:
    place, host_key = AREA / name, key()
    for part in ("upper", "work", "root"):
        (place / part).mkdir(parents=True)
    tree = checkers.item().path / "root"
    layers = f"lowerdir={tree},upperdir={place}/upper,workdir={place}/work"
    root = place / "root"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", str(root)], check=True)
    for path, text in files(name, address, host_key, user).items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(0o600 if path.endswith("_key") else 0o644)
    (root / "root/.ssh").chmod(0o700)
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    one = Running(
        host=Host(name=name, address=str(address), host_key=host_key[1]),
        root=root,
        console=place / "console",
    )
    with one.console.open("wb") as console:
        process = subprocess.Popen(
            [
                *("systemd-nspawn", "--quiet", "--boot", "--directory", str(root)),
                *("--machine", name, "--register=no", "--keep-unit", "--capability=all"),
                *("--network-bridge", BRIDGE, "--link-journal=no", "--resolv-conf=off"),
                *("--timezone=off", "--console=pipe", "systemd.unit=benchmark.target"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SYSTEMD_NSPAWN_LOCK": "0"},
            start_new_session=True,
            # A group of its own: hosts that share one end each other's services.
            preexec_fn=partial(cgroups.join, one.group),  # noqa: PLW1509 - joins, nothing else
        )
    return one, process


def _await(one: Running, process: subprocess.Popen[bytes]) -> None:
    def up() -> bool:
        ended = process.poll() is not None
        return ended or (_answers(one.host.address) and bool(one.processes("haproxy")))

    begun = time.monotonic()
    if not wait_until(up, BOOT_SECONDS) or process.poll() is not None:
        words = one.console.read_text(errors="replace")[-2000:]
        raise HostsError(
            f"{one.host.name} is not up after {time.monotonic() - begun:.0f} s; its console ends:\n"
            f"{words}"
        )


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as caller:
            return caller.recv(4) == b"SSH-"
    except OSError:
        return False
