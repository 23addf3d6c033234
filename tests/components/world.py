"""A few network namespaces with real daemons in them, for tests of what rendered files do.

Everything carries the prefix `lc-test-PID-`, nothing has a link out of it, and leaving the context
removes all of it, daemons included.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.components import distribution

T = TypeVar("T")

_CHROOT = r"""
set -eu
tree=$1 top=$2 archive=$3 script=$4
mount -t tmpfs -o mode=0755 tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$top/upper,workdir=$top/work" "$top/root"
tar -x -p -C "$top/root" -f "$archive"
mount -t proc proc "$top/root/proc"
mount -t sysfs sysfs "$top/root/sys"
mount -t tmpfs -o mode=0755 tmpfs "$top/root/run"
mkdir -p "$top/root/run/lock" "$top/root/run/haproxy"
for node in null zero full random urandom tty; do
    [ -e "$top/root/dev/$node" ] || : >"$top/root/dev/$node"
    mount --bind "/dev/$node" "$top/root/dev/$node"
done
exec chroot "$top/root" /bin/sh -c "$script"
"""


def lacking() -> str | None:
    """Why a world cannot be made here, or None."""
    return distribution.lacking()


def until(ask: Callable[[], T], what: str, seconds: float = 15.0) -> T:
    """Ask until the answer is true; fails naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s (last: {answer!r})"
        time.sleep(0.05)


class World:
    """Network namespaces joined by bridges; names are given without the prefix."""

    def __init__(self) -> None:
        self.prefix = f"lc-test-{os.getpid()}-"
        self._spaces: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._files = tempfile.TemporaryDirectory(prefix=self.prefix)
        self._ports: dict[tuple[str, str], tuple[str, str]] = {}

    def __enter__(self) -> Self:
        try:
            self.space("switch")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._processes):
            self.stop(process)
        for name in reversed(self._spaces):
            subprocess.run(["ip", "netns", "delete", self.prefix + name], check=False)
        self._files.cleanup()

    def ip(self, space: str, *arguments: str) -> str:
        """`ip ARGUMENTS` in a namespace; what it printed."""
        argv = ["ip", "-n", self.prefix + space, *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
        return done.stdout

    def space(self, name: str) -> None:
        """A namespace with its loopback up and no IPv6 chatter of its own."""
        subprocess.run(["ip", "netns", "add", self.prefix + name], check=True)
        self._spaces.append(name)
        self.ip(name, "link", "set", "lo", "up")

    def bridge(self, name: str) -> None:
        """A segment."""
        self.ip("switch", "link", "add", name, "type", "bridge")
        self.ip("switch", "link", "set", name, "up")

    def plug(self, space: str, interface: str, bridge: str, *addresses: str) -> str:
        """A leg of `space` on a segment; returns the name of its port on the switch."""
        port = f"p{len(self._ports) + 1}"
        self._ports[space, interface] = (port, bridge)
        self.ip(
            *("switch", "link", "add", port, "type", "veth"),
            *("peer", "name", interface, "netns", self.prefix + space),
        )
        self.ip("switch", "link", "set", port, "master", bridge, "up")
        self.ip(space, "link", "set", interface, "up")
        for address in addresses:
            self.ip(space, "addr", "add", address, "dev", interface)
        return port

    def cut(self, space: str, interface: str) -> None:
        """A leg that is lost behind its port on the switch: its own link stays up."""
        port, _ = self._ports[space, interface]
        self.ip("switch", "link", "set", port, "nomaster")

    def mend(self, space: str, interface: str) -> None:
        """The leg is back."""
        port, bridge = self._ports[space, interface]
        self.ip("switch", "link", "set", port, "master", bridge)

    def run(
        self, space: str, argv: Sequence[str], seconds: float = 20.0
    ) -> subprocess.CompletedProcess[str]:
        """A program of this machine inside a namespace, to its end."""
        return subprocess.run(
            ["ip", "netns", "exec", self.prefix + space, *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def python(self, space: str, script: str, *arguments: str) -> str:
        """A Python script inside a namespace; what it printed, or its error."""
        done = self.run(space, [sys.executable, "-c", script, *arguments])
        return (done.stdout or done.stderr.strip().rpartition("\n")[2]).strip()

    def start(self, space: str, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """A program of this machine inside a namespace, until the world ends."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.prefix + space, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def daemons(
        self, space: str, files: Mapping[str, str], script: str, modes: Mapping[str, int]
    ) -> subprocess.Popen[bytes]:
        """`script` inside a namespace and a fresh Debian tree with `files` laid over it.

        Its processes live in a process namespace of their own and die with the returned process.
        What the script prints goes to the log of the space.
        """
        top = Path(self._files.name) / f"{space}-{len(self._processes)}"
        top.mkdir()
        archive = top.with_suffix(".tar")
        archive.write_bytes(_archive(files, modes))
        with self.log(space).open("ab") as log:
            process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", self.prefix + space),
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                    *("--propagation", "private", "sh", "-c", _CHROOT, "daemons"),
                    *(str(distribution.tree()), str(top), str(archive), script),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def file(self, name: str, text: str) -> Path:
        """A file that lives as long as the world, readable by its owner only."""
        path = Path(self._files.name) / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return path

    def log(self, space: str) -> Path:
        """Where the daemons of a space write."""
        return Path(self._files.name) / f"{space}.log"

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a process and everything below it, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _archive(files: Mapping[str, str], modes: Mapping[str, int]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(data), modes.get(path, 0o644)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A world, removed in the end."""
    with World() as made:
        yield made
