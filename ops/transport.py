"""The way to the machines: ssh(1) over the management network, with the stack's own deploy key.

The key lies in a file of mode 0600, in a folder of its own, only while questions are asked. Host
keys are the inventory's, and checked. The command line is one constant; what is asked goes in on
standard input.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ops.pipe import Silent, said
from ops.question import Answer, Answers, Machine, Question

CONNECT_SECONDS = 8
"""Until a machine is taken for dead."""
WHOLE_SECONDS = 60.0
"""That a machine may take for all its answers."""
ABREAST = 32
"""Machines asked at the same time, at most."""
COMMAND = """python3 -c 'import json,sys;r=json.load(sys.stdin);exec(r["program"],r)'"""
NO_PYTHON = "an appliance without Python: nothing more is asked of it"


@dataclass(frozen=True, kw_only=True)
class Access:
    """Files that log in: the deploy key and the hosts that are known."""

    folder: Path

    def argv(self, machine: Machine) -> list[str]:
        """The whole command line that asks a machine."""
        return [
            *("ssh", "-F", "/dev/null", "-T", "-i", str(self.folder / "deploy_key")),
            *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
            *("-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes"),
            *("-o", f"ConnectTimeout={CONNECT_SECONDS}", "-o", "LogLevel=ERROR"),
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
            *("-p", str(machine.port), "-l", machine.user, "--", machine.address, COMMAND),
        ]


@contextmanager
def access(deploy_key: str, machines: Sequence[Machine]) -> Iterator[Access]:
    """The files, gone at the end. They lie in memory where the system has a place for that
    (`XDG_RUNTIME_DIR`)."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    place = runtime if runtime and Path(runtime).is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="layered-cloud-ops-", dir=place))
    try:
        known = "".join(f"{_door(each)} {each.host_key.strip()}\n" for each in machines)
        for name, text in (("deploy_key", f"{deploy_key.strip()}\n"), ("known_hosts", known)):
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(text)
        yield Access(folder=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _door(machine: Machine) -> str:
    # sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
    return machine.address if machine.port == 22 else f"[{machine.address}]:{machine.port}"


def program(name: str = "answer") -> str:
    """What runs on a machine."""
    return (files("ops.scripts") / f"{name}.py").read_text(encoding="utf-8")


STORES = ("/var/lib/layered-cloud/*/secrets.json",)
KEYS = (
    *("/etc/haproxy/tls/*", "/etc/kubernetes/*.conf", "/etc/ssh/ssh_host_*_key"),
    *("/etc/kubernetes/pki/*.key", "/etc/kubernetes/pki/etcd/*.key", "/var/lib/kubelet/pki/*"),
)
"""Where machines keep secrets."""


def ask(
    way: Access,
    machine: Machine,
    questions: Sequence[Question],
    seconds: float = WHOLE_SECONDS,
    *,
    redacted: bool = False,
) -> Answers:
    """What a machine answers; it says itself why where it does not. With `redacted` it takes out
    the secrets that it keeps itself before it answers."""
    if not machine.python:
        return Answers(silent=NO_PYTHON)
    redact = {"program": program("redact"), "stores": STORES, "keys": KEYS} if redacted else None
    request = {
        "questions": {each.name: each.as_dict() for each in questions},
        "seconds": seconds,
        "redact": redact,
    }
    given = json.dumps({"program": program(), "request": request})
    begun, clock = time.time(), time.monotonic()
    try:
        status, out, err = said(way.argv(machine), given.encode(), seconds)
    except Silent as why:
        return Answers(silent=str(why), seconds=round(time.monotonic() - clock, 3))
    except OSError as problem:
        return Answers(silent=f"ssh cannot be run here: {problem.strerror}; install OpenSSH")
    now, took = time.time(), round(time.monotonic() - clock, 3)
    if status:
        return Answers(silent=_words(err) or f"status {status}", seconds=took)
    try:
        told = json.loads(out)
        answers = {key: _answer(each) for key, each in told["answers"].items()}
        least, most = _number(told["ended"]) - now, _number(told["begun"]) - begun
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        words = out[:200].decode(errors="replace")
        return Answers(silent=f"its answer cannot be read: {words!r}", seconds=took)
    return Answers(answers=answers, seconds=took, least=least, most=most)


def _words(err: bytes) -> str:
    """What ssh complains of, without the frames that it draws."""
    lines = (line.strip() for line in err.decode(errors="replace").splitlines())
    return " ".join(line for line in lines if line and not line.startswith("@"))[-800:]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _answer(row: Any) -> Answer:
    """Raises KeyError or TypeError for what no answer is."""
    status, out, err = row["status"], row["out"], row["err"]
    if not (isinstance(status, int) and isinstance(out, str) and isinstance(err, str)):
        raise TypeError
    return Answer(status=status, out=out, err=err, seconds=_number(row["seconds"]))


def ask_all(
    way: Access,
    asked: Mapping[str, tuple[Machine, Sequence[Question]]],
    seconds: float = WHOLE_SECONDS,
    *,
    redacted: bool = False,
) -> dict[str, Answers]:
    """Every machine side by side: nobody waits for one that does not answer."""
    with ThreadPoolExecutor(max_workers=ABREAST) as pool:
        futures = {
            name: pool.submit(ask, way, machine, questions, seconds, redacted=redacted)
            for name, (machine, questions) in asked.items()
        }
        return {name: future.result() for name, future in futures.items()}
