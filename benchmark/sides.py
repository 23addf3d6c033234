"""Who is measured: this program, and ansible-core as it comes and tuned. Each side knows its
command lines; that a command did what it should, the hosts say (`truth`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from benchmark.hosts import Running
from benchmark.ours import Spec
from benchmark.playbook import configuration, inventory, known, playbook, sources
from benchmark.record import AGAIN, ASKED, CHANGE, NO_OP, OURS, PLAIN, TUNED
from benchmark.wish import HAPROXY, pieces
from lab.paths import CHECKOUT


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command line, where it runs and what its environment is."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]


class Side(Protocol):
    """`operations` are done in this order in every round, each by a command of its own."""

    operations: ClassVar[Sequence[str]]

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    def job(self, what: str, seconds: int) -> Job:
        """The command that does it; `seconds` is what the line says afterwards."""
        ...


def environment() -> dict[str, str]:
    """For both sides: the user's own, and what Python compiles is kept from run to run."""
    mine = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**mine, "LC_ALL": "C.UTF-8"}


@dataclass
class Ours:
    """This program. A no-op asks no host, since the engine knows what it pushed: so two more are
    measured that ask every one, `asked` (what differs from what was pushed?) and `again` (the same
    is pushed to all once more, and put right what differs)."""

    folder: Path
    running: Sequence[Running]
    key: Path
    epoch: int = 1
    name: str = field(default=OURS, init=False)
    operations: ClassVar[Sequence[str]] = (CHANGE, NO_OP, ASKED, AGAIN)

    def job(self, what: str, seconds: int) -> Job:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.epoch += what == AGAIN
        spec = Spec(
            state=str(self.folder / "engine"),
            key=str(self.key),
            hosts=tuple(each.host for each in self.running),
            seconds=seconds,
            epoch=str(self.epoch),
        )
        (self.folder / "spec.json").write_text(spec.to_json())
        verb = "check" if what == ASKED else "up"
        argv = [sys.executable, "-m", "benchmark.ours", verb, str(self.folder / "spec.json")]
        return Job(argv=argv, cwd=CHECKOUT, env=environment())


@dataclass
class Ansible:
    """ansible-playbook of the environment `venv`: as it comes, or with `forks` and pipelining."""

    folder: Path
    running: Sequence[Running]
    key: Path
    venv: Path
    forks: int | None = None
    operations: ClassVar[Sequence[str]] = (CHANGE, NO_OP)

    @property
    def name(self) -> str:
        """What the table calls it."""
        return PLAIN if self.forks is None else TUNED

    def job(self, what: str, seconds: int) -> Job:
        wanted, hosts = pieces(seconds), [each.host for each in self.running]
        texts = {
            **sources(wanted),
            "known_hosts": known(hosts),
            "hosts.json": inventory(
                hosts, key=self.key, known_hosts=self.folder / "known_hosts"
            ),
            "playbook.yaml": playbook(wanted),
            "ansible.cfg": configuration(self.folder, forks=self.forks),
        }  # fmt: skip
        for name, text in texts.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        env = {
            **environment(),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
        }
        argv = [str(self.venv / "bin" / "ansible-playbook"), "playbook.yaml"]
        return Job(argv=argv, cwd=self.folder, env=env)


OPERATIONS: Mapping[str, Sequence[str]] = {
    OURS: Ours.operations,
    PLAIN: Ansible.operations,
    TUNED: Ansible.operations,
}
"""What each does in a round."""


class Untrue(RuntimeError):
    """A host is not as a command should have left it."""


Seen = Mapping[str, frozenset[int]]
"""HAProxy's processes of every host."""


def seen(running: Sequence[Running]) -> Seen:
    """How the hosts are before a command."""
    return {each.host.name: each.processes("haproxy") for each in running}


def truth(what: str, running: Sequence[Running], seconds: int, before: Seen) -> None:
    """Hold every host against what the command was to do there.

    Raises:
        Untrue: a file has another text; a change reloaded nothing, or anything else something.
    """
    wanted = pieces(seconds)
    for each in running:
        name = each.host.name
        for piece in wanted:
            if each.text(piece.path) != piece.text:
                raise Untrue(f"{name}: after {what}, {piece.path} is not what was pushed")
        fresh = each.processes("haproxy") - before[name]
        if bool(fresh) != (what == CHANGE):
            did = "reloaded HAProxy" if fresh else f"left HAProxy with the old {HAPROXY}"
            raise Untrue(f"{name}: {what} {did}")
