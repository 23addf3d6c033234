"""Failures of a run, told with the words of whoever failed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MARKUP = re.compile(r"<\{%[^%]*%\}>")
_ECHO = re.compile(
    r"^(update|preview|destroy|refresh|one or more .*) (failed|errors? occurred)", re.I
)


class EngineError(Exception):
    """A run that failed. The text is for people: the words of what failed first, then which
    resource it was, then where the whole log is."""

    human = True

    def __init__(self, text: str, *, log: Path | None = None) -> None:
        super().__init__(text if log is None else f"{text}\n\nThe whole log: {log}")
        self.text = text
        self.log = log


class EngineCancelled(EngineError):
    """A run that the user cancelled; what was under way was ended in good order."""


_COMMAND = re.compile(
    r"^(?P<how>[^\n\"]*?): running (?P<command>\"(?:[^\"\\]|\\.)*\"):\n(?P<said>.*)$", re.DOTALL
)
"""How the command provider words a failed command; the same for local and remote ones."""
_LONGEST_COMMAND = 100


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, a provider or the program; `urn` is empty for the stack's own."""

    severity: str
    message: str
    urn: str = ""

    @property
    def where(self) -> str:
        """The resource as people call it: `NAME (type)`."""
        if not self.urn:
            return ""
        parts = self.urn.split("::")
        return f"{parts[-1]} ({parts[2].rsplit('$', 1)[-1]})"


def plain(message: str) -> str:
    """A diagnostic's text without the engine's colour markup."""
    return _MARKUP.sub("", message).strip()


def failure_text(diagnostics: Iterable[Diagnostic], fallback: str) -> str:
    """The errors among the diagnostics, each once, or else what the command line said."""
    told: dict[str, str] = {}
    for each in diagnostics:
        if each.severity != "error":
            continue
        text = plain(each.message)
        if text.startswith("error: "):
            text = text.removeprefix("error: ")
        text = text.removeprefix("an unhandled error occurred: ")
        text = text.removeprefix("python inline source runtime error: ")
        if not text or _ECHO.match(text):
            continue
        told.setdefault(_own_words_first(text), each.where)
    if not told:
        return fallback.strip() or "the engine failed without a word"
    return "\n\n".join(
        f"{text}\n  in {where}" if where and not _is_stack(where) else text
        for text, where in told.items()
    )


def _own_words_first(text: str) -> str:
    """A failed command's own words before what was run and how it ended."""
    found = _COMMAND.match(text)
    if not found or not found["said"].strip():
        return text
    command = found["command"]
    if len(command) > _LONGEST_COMMAND:
        command = f'{command[: _LONGEST_COMMAND - 2]}…"'
    return f"{found['said'].strip()}\n  ({found['how']}: {command})"


def _is_stack(where: str) -> bool:
    return where.endswith("(pulumi:pulumi:Stack)")


def diagnostic_of(event: Any) -> Diagnostic | None:
    """The diagnostic in an engine event, if it is one."""
    found = event.diagnostic_event
    if found is None:
        return None
    return Diagnostic(found.severity, found.message, found.urn or "")
