"""A machine that really boots (systemd-nspawn over a Debian tree of the lab's), for tests.

It has no network but its own loopback, or lives in a network namespace that the test made. A
session of sshd's is stood in for by a process entering its namespaces with the same command line
and the same standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.host import payload

TOOLS = ("systemd-nspawn", "nsenter", "unshare", "mount", "tar")


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str


class Booted:
    """One running machine, its init's process id on this side, and the root of its tree."""

    def __init__(self, init: int, root: Path) -> None:
        self.init = init
        self.root = root

    def start(self, *argv: str, stdin: str = "") -> subprocess.Popen[str]:
        """Start a command inside, in a process group of its own, with its input waiting."""
        entered = [f"--{ns}" for ns in ("mount", "uts", "ipc", "net", "pid", "cgroup")]
        with tempfile.TemporaryFile("w+") as waiting:
            waiting.write(stdin)
            waiting.seek(0)
            return subprocess.Popen(
                ["nsenter", "--target", str(self.init), *entered, "--root", "--wd", "--", *argv],
                stdin=waiting,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"},
            )

    def run(self, *argv: str, stdin: str = "", seconds: float = 120) -> Answer:
        process = self.start(*argv, stdin=stdin)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Answer(process.returncode, out, err)

    def sh(self, text: str) -> str:
        """What a shell line prints; fails the test when it fails."""
        answer = self.run("bash", "-c", text)
        assert answer.status == 0, f"{text}: {answer.err}{answer.out}"
        return answer.out.strip()

    def session(self, verb: payload.Verb, request: dict[str, Any]) -> subprocess.Popen[str]:
        return self.start("sh", "-c", payload.command_line(verb), stdin=payload.document(request))

    def ask(self, verb: payload.Verb, request: dict[str, Any]) -> Answer:
        """One request over a session of its own, to its end."""
        line = payload.command_line(verb)
        return self.run("sh", "-c", line, stdin=payload.document(request))

    def check(self) -> list[dict[str, Any]]:
        answer = self.run("sh", "-c", payload.command_line("check"), stdin=payload.check_request())
        assert answer.status == 0, answer.err
        return list(json.loads(answer.out))

    def text(self, path: str) -> str | None:
        file = self.root / path.lstrip("/")
        return file.read_text() if file.exists() else None


def poll(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until `condition` gives something true, and give that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def base_tree() -> Path:
    """The unpacked bare Debian; skips the test, with the reason, when it is not built."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to boot a machine")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, to boot a machine")
    from lab.paths import cache_dir
    from lab.software import base

    item = base.item()
    if not item.ready:
        pytest.skip("needs the lab's base image in its cache; `make up` builds it")
    return base.unpack(item.path / base.IMAGE, cache_dir() / "trees")


@contextlib.contextmanager
def booted(
    name: str,
    *,
    tree: Path | None = None,
    network: Path | None = None,
    files: Mapping[str, str] | None = None,
    modes: Mapping[str, int] | None = None,
) -> Iterator[Booted]:
    """Boot a machine called `name`; gone, with its mounts and processes, at the end.

    `tree` is the Debian it boots, the bare one when left out; `network` the namespace it lives in;
    `files` are laid over the tree first, with `modes` where they are not 0644.
    """
    lower = tree or base_tree()
    from lab.hypervisor import cgroups

    area = Path("/var/tmp") / f"{name}-{uuid.uuid4().hex[:8]}"
    area.mkdir(mode=0o700)
    root = area / "root"
    _mount("-t", "tmpfs", "-o", "size=512m", "tmpfs", str(area))
    for part in ("root", "upper", "work"):
        (area / part).mkdir()
    layers = f"lowerdir={lower},upperdir={area}/upper,workdir={area}/work"
    _mount("-t", "overlay", "-o", layers, "overlay", str(root))
    for path, text in (files or {}).items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod((modes or {}).get(path, 0o644))
    door = "--private-network" if network is None else f"--network-namespace-path={network}"
    process = None
    group = area.name
    try:
        with (area / "console").open("wb") as console:
            process = subprocess.Popen(
                [
                    *("systemd-nspawn", "--quiet", "--directory", str(root), "--boot"),
                    *("--machine", group, "--register=no", "--keep-unit", door),
                    *("--capability=all", "--link-journal=no", "--console=pipe"),
                    "--resolv-conf=off",
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Groups of its own: machines that share them end each other's services.
                preexec_fn=partial(cgroups.join, group),  # noqa: PLW1509 - joins, nothing else
            )
        try:
            init = poll(lambda: _init_of(process.pid), 20, "the machine's init")
        except AssertionError as late:
            raise AssertionError(f"{late}; {(area / 'console').read_text()}") from None
        machine = Booted(init, Path(f"/proc/{init}/root"))
        try:
            poll(lambda: _is_up(machine), 120, f"{name} booted")
        except AssertionError as late:
            jobs = machine.run("systemctl", "list-jobs").out
            raise AssertionError(f"{late}; its jobs:\n{jobs}") from None
        yield machine
    finally:
        if process is not None:
            _end(process)
        cgroups.kill(group)
        cgroups.remove(group)
        subprocess.run(["umount", "--lazy", str(root)], check=False)
        subprocess.run(["umount", "--lazy", str(area)], check=False)
        shutil.rmtree(area, ignore_errors=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _init_of(nspawn: int) -> int | None:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
    return None


def _is_up(machine: Booted) -> bool:
    said = machine.run("systemctl", "is-active", "multi-user.target", seconds=20)
    return said.out.strip() == "active"


def _end(process: subprocess.Popen[bytes]) -> None:
    init = _init_of(process.pid)
    if init is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(init, signal.SIGKILL)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
