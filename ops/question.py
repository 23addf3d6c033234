"""What a machine is asked, and what it answers. Pure.

A question only reads: a command line that is constant but for addresses of the stack's, files, a
certificate, a daemon's own socket. Its kinds are those of `ops.scripts.answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SECONDS = 20.0
"""That one question may take."""
MOST = 4_000_000
"""Bytes of one answer."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question; `name` is what its answer is called, the same text on every machine."""

    name: str
    kind: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """What its kind reads."""
    seconds: float = SECONDS
    most: int = MOST

    def as_dict(self) -> dict[str, Any]:
        """As the script on the machine takes it."""
        return {"kind": self.kind, "seconds": self.seconds, "most": self.most, **self.more}


def command(
    name: str, *argv: str, given: str = "", seconds: float = SECONDS, most: int = MOST
) -> Question:
    """A command line, without a shell; `given` is its standard input."""
    more = {"argv": list(argv), "given": given}
    return Question(name=name, kind="run", more=more, seconds=seconds, most=most)


def reading(name: str, *globs: str, names: bool = False, most: int = MOST) -> Question:
    """Files by absolute globs; with `names` only that they are there."""
    more = {"globs": list(globs), "names": names}
    return Question(name=name, kind="read", more=more, most=most)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An exit status (124 after its time, 127 for a missing program) and what was said."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def words(self) -> str:
        """Why there is no good answer, in the machine's words."""
        return self.err.strip() or self.out.strip() or f"status {self.status}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine of the stack as its output `inventory` has it; `python` says that it runs what it
    is asked with (an appliance does not)."""

    name: str
    role: str
    host: str | None
    address: str
    lan: str
    user: str
    port: int
    host_key: str
    python: bool


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one machine answered: by name of the question, or why it answered nothing at all.

    `least` and `most` are seconds that its clock is ahead of this one's, at least and at most.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    silent: str | None = None
    seconds: float = 0.0
    least: float = 0.0
    most: float = 0.0
