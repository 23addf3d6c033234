"""A cable to a booted machine: an interface of its, whose other end the test holds."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.components.host.booted import Booted


@dataclass(frozen=True)
class Far:
    """The far end of a machine's cables, in a network namespace of its own with no way out."""

    machine: Booted
    namespace: str

    def ip(self, *words: str) -> None:
        subprocess.run(["ip", "-n", self.namespace, *words], check=True, timeout=20)

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        entered = ["ip", "netns", "exec", self.namespace, *argv]
        return subprocess.run(entered, capture_output=True, text=True, timeout=60, check=False)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        entered = ["ip", "netns", "exec", self.namespace, *argv]
        return subprocess.Popen(entered, stdout=subprocess.PIPE, text=True)

    def plug(self, interface: str, address: str) -> None:
        """Give the machine `interface`; this end of it, `x-INTERFACE`, has `address`."""
        end = f"x-{interface}"
        peer = ("peer", "name", interface, "netns", str(self.machine.init))
        self.ip("link", "add", end, "type", "veth", *peer)
        self.ip("address", "add", address, "dev", end)
        self.ip("link", "set", end, "up")

    def carrier(self, interface: str, there: bool) -> None:
        """Take the carrier of the machine's interface away, or give it back."""
        self.ip("link", "set", f"x-{interface}", "up" if there else "down")


def netplan(machine: Booted, interface: str, address: str, more: Sequence[str] = ()) -> None:
    """Write what netplan renders for networkd at boot."""
    lines = [
        *("[Match]", f"Name={interface}", "", "[Network]", "LinkLocalAddressing=no"),
        *("IPv6AcceptRA=no", f"Address={address}", *more, ""),
    ]
    path = f"/run/systemd/network/10-netplan-{interface}.network"
    done = machine.run("install", "-D", "-m", "644", "/dev/stdin", path, stdin="\n".join(lines))
    assert done.status == 0, done.err


@contextlib.contextmanager
def far(machine: Booted) -> Iterator[Far]:
    """The far end; gone with its cables at the end."""
    name = f"lc-test-{os.getpid()}-far-{uuid.uuid4().hex[:6]}"
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=20)
    try:
        yield Far(machine, name)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, timeout=20)
