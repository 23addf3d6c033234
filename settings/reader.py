"""The YAML of a stack file, read as the engine reads it or refused.

The engine reads YAML 1.2 (Go's yaml.v3), PyYAML reads 1.1: `off`, `yes`, `12:30` and dates are
text to the one and something else to the other. Here they are what they are to the engine; what
the two would read as different numbers (`010`), and what no stack needs (tags, cycles), is refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterator
from typing import Any, Final

import yaml

from settings.problems import NAMESPACE, Problem, SettingsError
from settings.unreadable import NO_NUMBER, not_yaml, unprintable

Location = tuple[str | int, ...]
"""Where a value stands: the whole key, then keys and indexes inside."""

LARGEST_FILE: Final = 1_048_576
"""Bytes."""
_MOST_VALUES = 20_000
_DEEPEST = 60
_LONGEST_NUMBER = 400
_STR = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_KEYS = ("config", "secretsprovider", "encryptedkey", "encryptionsalt", "environment")
"""Of a stack file (pulumi's ProjectStack)."""

_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_OTHER_NUMBER = re.compile(
    r"[-+]?(0b_*[01][01_]*|0o_*[0-7][0-7_]*_[0-7_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*_[0-9a-fA-F_]*|[1-9][0-9]*_[0-9_]*)"
)


class Config(dict[str, Any]):
    """The `config:` mapping of a stack file: whole keys, namespaces included.

    `numbers` are the numbers as they were written, such as `1.20`; `ambiguous` are those that YAML
    readers disagree about: each as written, and what it may have meant.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[Location, str] = {}
        self.ambiguous: dict[Location, tuple[str, str]] = {}


class _Loader(yaml.SafeLoader):
    """YAML 1.2's words, and no tags."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)
        if tag is not None and tag != _STR:
            raise yaml.MarkedYAMLError(
                problem=f"the tag {tag} is not read", problem_mark=event.start_mark
            )
        # Told before the rest is read: the 300,000 that a file has room for take ten seconds.
        self._values = getattr(self, "_values", 0) + 1
        if self._values > _MOST_VALUES:
            raise _too_many(event.start_mark)
        self._depth = getattr(self, "_depth", 0) + 1
        if self._depth > _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"more than {_DEEPEST} levels, one inside the other",
                problem_mark=event.start_mark,
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode):
                if name.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {name.value} stands twice", problem_mark=name.start_mark
                    )
                seen.add(name.value)
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node))
        if len(text) > _LONGEST_NUMBER:
            raise yaml.MarkedYAMLError(
                problem=f"a number of {len(text)} digits", problem_mark=node.start_mark
            )
        plain = re.match(r"[-+]?0[0-9]", text) is not None
        return int(text, 10 if plain else 0)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?([0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)$", "-+0123456789"),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?)$", "-+0123456789."),
    ("null", r"^(~|null|Null|NULL|)$", "~nN\0"),
    ("merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(_pattern),
        ["", *_first] if _tag == "null" else list(_first),
    )


def read_config(text: str, source: str) -> Config:
    """The configuration in a stack file's text; `source` leads every line of an error.

    Raises `SettingsError` when it is not YAML or not shaped as a stack file.
    """
    try:
        return _config(text)
    except _Refused as refused:
        raise SettingsError(refused.problems, source) from None
    except yaml.YAMLError as error:
        raise SettingsError([not_yaml(error, text)], source) from None


def read_bytes(data: bytes, source: str) -> Config:
    """As `read_config`, from a file's bytes."""
    if len(data) > LARGEST_FILE:
        wrong = f"{len(data)} bytes are more than a stack file has ({LARGEST_FILE})"
        raise SettingsError([Problem(key="file", wrong=wrong, right="name a stack file")], source)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        wrong = f"is not UTF-8 text: byte 0x{data[error.start]:02x}"
        raise SettingsError(
            [Problem(key=f"line {line}", wrong=wrong, right="save the file as UTF-8")], source
        ) from None
    return read_config(text, source)


class _Refused(Exception):
    """Read, but no stack file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def _config(text: str) -> Config:
    text = text.removeprefix("\ufeff")
    if (bad := yaml.reader.Reader.NON_PRINTABLE.search(text)) is not None:
        raise _Refused([unprintable(text, bad.start())])
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        _measured(root, {}, [])
        document = loader.construct_document(root) if root is not None else None
    except (ValueError, OverflowError):  # of a character or a version that there is not
        mark = loader.get_mark()
        raise yaml.MarkedYAMLError(problem=NO_NUMBER, problem_mark=mark) from None
    finally:
        loader.dispose()
    found = _stray(document) if isinstance(document, dict) else []
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        missing = Problem(
            key="config",
            wrong="is missing",
            right=f"write `config:` with keys such as {NAMESPACE}:networks",
        )
        meant = any(
            "mean config?" in each.right or "under `config:`" in each.right for each in found
        )
        raise _Refused(found if meant else [*found, missing])
    if found:
        raise _Refused(found)
    read = Config()
    read.update({str(key): value for key, value in config.items()})
    for location, node in _scalars(_child(root, "config"), ()):
        if node.style is None and node.tag != _STR:
            read.numbers[location] = node.value
        if node.style is None and (number := _ambiguous(node.value)) is not None:
            read.ambiguous[location] = (node.value, number)
    return read


def _measured(
    node: yaml.Node | None, known: dict[int, tuple[int, int]], above: list[int]
) -> tuple[int, int]:
    """How many values a node has when its aliases are written out, and how deep; refuses too many,
    too deep, and a node that holds itself."""
    if node is None:
        return 0, 0
    if id(node) in above:
        raise yaml.MarkedYAMLError(
            problem="a value that holds itself", problem_mark=node.start_mark
        )
    if id(node) not in known:
        above.append(id(node))
        count, depth = 1, 1
        for child in _children(node):
            more, deep = _measured(child, known, above)
            count, depth = count + more, max(depth, deep + 1)
        above.pop()
        known[id(node)] = (count, depth)
    count, depth = known[id(node)]
    if count > _MOST_VALUES:
        raise _too_many(node.start_mark)
    if depth + len(above) > 2 * _DEEPEST:
        raise yaml.MarkedYAMLError(problem="too deep", problem_mark=node.start_mark)
    return known[id(node)]


def _too_many(mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=f"more than {_MOST_VALUES} values", problem_mark=mark)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The last one, as the constructor has it."""
    found = None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                found = value
    return found


def _scalars(node: yaml.Node | None, here: Location) -> Iterator[tuple[Location, yaml.ScalarNode]]:
    if isinstance(node, yaml.ScalarNode):
        yield here, node
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _scalars(child, (*here, index))
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield from _scalars(child, (*here, str(key.value)))


def _ambiguous(text: str) -> str | None:
    """What a number that readers disagree about may have meant; None when they agree."""
    if _LEADING_ZERO.fullmatch(text):
        digits = text.replace("_", "").lstrip("+-")
        plain = digits.lstrip("0") or "0"
        if set(digits) <= set("01234567") and int(digits, 8) != int(digits, 10):
            return f"{plain}, or {int(digits, 8)} if octal was meant"
        return plain
    if _OTHER_NUMBER.fullmatch(text):
        return str(int(text.replace("_", ""), 0))
    return None


def _stray(document: dict[Any, Any]) -> list[Problem]:
    found = []
    for key in document:
        if key in _KEYS:
            continue
        text = str(key)
        if text.partition(":")[0] == NAMESPACE:
            right = "indent it under `config:`"
        else:
            close = difflib.get_close_matches(text.lower(), _KEYS, n=1)
            valid = f"valid here: {', '.join(_KEYS)}"
            right = f"did you mean {close[0]}? {valid}" if close else valid
        found.append(Problem(key=text, wrong="is not a key of a stack file", right=right))
    return found
