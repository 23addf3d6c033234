"""What is said of a stack file that is no YAML: where, and what would be right."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import yaml

from settings.problems import NAMESPACE, Problem

_KEY = re.compile(rf" {{0,4}}[\"']?({NAMESPACE}:[A-Za-z]+)[\"']?:")
NO_NUMBER: Final = "a number that stands for nothing"
"""What YAML is told of a character or a version that there is not."""
_HINTS: Final = (
    ("'\\t'", "indent with blanks, not tabs"),
    ("mapping values are not allowed", "indent keys alike, and quote a value that holds `: `"),
    ("cannot start any token", "quote the value"),
    ("found undefined alias", "quote a value that starts with *"),
    ("expected the node content", "close what was opened, or quote the value"),
    ("expected alphabetic or numeric", "quote a value that starts with * or &"),
    ("unhashable key", "write keys as text, and quote a value that starts with {"),
    (NO_NUMBER, "write a character as it is, and no escape or directive"),
    ("is not read", "write the value without a tag, and secrets as the engine seals them"),
    ("for merging", "write <<: *NAME, of a mapping that has &NAME in front"),
    ("another document", "write one document: no line of dashes between"),
    ("stands twice", "leave one of the two"),
)


def not_yaml(error: yaml.YAMLError, text: str) -> Problem:
    """What is wrong with a text that YAML refused with `error`, where, and what would be right."""
    mark = getattr(error, "problem_mark", None)
    where = "file" if mark is None else _place(text, mark.line, mark.column)
    words = str(getattr(error, "problem", None) or error)
    if (other := _of_others(text, 0 if mark is None else mark.line)) is not None:
        return other
    right = next((right for sign, right in _HINTS if sign in words), "correct the file")
    return Problem(key=where, wrong=f"not YAML: {words}", right=right)


def _of_others(text: str, line: int) -> Problem | None:
    """What neither YAML nor the operator wrote: Git's marks of a conflict, and blanks that look
    like others, at a line (counted from 0) that cannot be read or the one above."""
    lines = text.split("\n")
    for number, each in enumerate(lines):
        if re.match(r"(<{7}|>{7}) ", each):
            wrong, right = "holds a conflict that Git left", "keep one side, without the marks"
            return Problem(key=f"line {number + 1}", wrong=wrong, right=right)
    for number in range(max(line - 1, 0), min(line + 1, len(lines))):
        for column, each in enumerate(lines[number]):
            if each != " " and unicodedata.category(each) == "Zs":
                return Problem(
                    key=_place(text, number, column),
                    wrong=f"not YAML: U+{ord(each):04X} ({unicodedata.name(each)}) indents nothing",
                    right="write an ordinary blank",
                )
    return None


def _place(text: str, line: int, column: int) -> str:
    """A place in the file (counted from 0), with the key that it belongs to."""
    above = [_KEY.match(each) for each in text.split("\n")[: line + 1]]
    keys = [found[1] for found in above if found is not None]
    inside = f" ({keys[-1]})" if keys else ""
    return f"line {line + 1}, column {column + 1}{inside}"


def unprintable(text: str, position: int) -> Problem:
    """A character that no text has, at a position of it."""
    line = text.count("\n", 0, position)
    column = position - text.rfind("\n", 0, position) - 1
    code = f"U+{ord(text[position]):04X}"
    name = unicodedata.name(text[position], "a control character")
    return Problem(
        key=_place(text, line, column),
        wrong=f"not YAML: {code} ({name}) is no text",
        right="remove it",
    )
