"""What can be wrong with a stack, in a form people and editors can use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

NAMESPACE: Final = "layered-cloud"
_LONGEST = 80
_SENTENCE = 600


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""No value to show: the key is missing, or its value is a secret."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong: `KEY: VALUE WRONG; RIGHT`.

    `key` is the whole stack key with its namespace, such as
    `layered-cloud:routers.machines[0].lan`; `wrong` continues the value as a predicate ("is not
    inside ..."); `right` says what to write or do instead.
    """

    key: str
    wrong: str
    right: str
    value: object = ABSENT

    @property
    def section(self) -> str:
        """The section of the key, such as `routers`."""
        return self.key.partition(":")[2].partition(".")[0].partition("[")[0]

    def __str__(self) -> str:
        shown = "" if self.value is ABSENT else f"{shorten(self.value)} "
        line = f"{self.key}: {shown}{_cut(self.wrong, _SENTENCE)}; {_cut(self.right, _SENTENCE)}"
        # One line a problem, whatever stands in a key: control characters are escaped.
        return "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in line
        )


def problem(path: str, value: object, wrong: str, right: str) -> Problem:
    """A `Problem` at a path of the program's own namespace, such as `networks.wan.gateway`."""
    return Problem(key=f"{NAMESPACE}:{path}", value=value, wrong=wrong, right=right)


def dotted(location: Iterable[str | int]) -> str:
    """`("routers", "machines", 0, "lan")` as `layered-cloud:routers.machines[0].lan`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{shorten(step)}" if path else step
    return f"{NAMESPACE}:{path}"


def shorten(value: object) -> str:
    """The value as a person would write it in a stack file, on one line, cut when long."""
    if isinstance(value, str) and value and value.strip() == value and "\n" not in value:
        text = value
    elif isinstance(value, float):
        text = f"{value:g}"
    elif value is None or isinstance(value, str | bool | int | float | list | dict):
        text = json.dumps(value, default=str)
    else:
        text = str(value)
    return _cut(text, _LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


MOST_TOLD: Final = 300
"""Problems of one kind that a person reads before something is mended: to find a word for each of
thousands takes seconds."""


def untold(number: int) -> Problem:
    """What stands in place of so many more."""
    wrong = f"has {number} more errors, which are not told"
    return Problem(key="config", wrong=wrong, right="mend these first")


class SettingsError(Exception):
    """Everything wrong with a stack at once; its text is for people and needs no traceback."""

    human = True

    def __init__(self, problems: Sequence[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line a problem, each led by the source when there is one."""
        head = f"{self.source}: " if self.source else ""
        return [f"{head}{found}" for found in self.problems]
