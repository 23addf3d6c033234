"""Stack files read without an engine: for editors, pre-commit, tests and the lab.

The engine reads YAML 1.2 (Go's yaml.v3), PyYAML reads 1.1: `off`, `yes`, `12:30` and dates are
text to the one and something else to the other. `_Loader` reads them as the engine does, and
refuses a key given twice, as the engine does.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from settings.checks import check
from settings.keys import SECRETS, SECTIONS, split
from settings.models.stack import Stack
from settings.problems import ABSENT, NAMESPACE, Problem, SettingsError
from settings.translate import nearest, translate


class _Loader(yaml.SafeLoader):
    """YAML as the engine reads it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for name, _ in node.value:
            if name.tag != "tag:yaml.org,2002:merge" and isinstance(name, yaml.ScalarNode):
                if name.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {name.value} stands twice", problem_mark=name.start_mark
                    )
                seen.add(name.value)
        return super().construct_mapping(node, deep=deep)


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


def load_stack(source: Path | str) -> Stack:
    """The stack in a file (a path) or in a file's text (a string with a line break).

    Raises `SettingsError` with every problem at once, led by the file's name.
    """
    if isinstance(source, str) and "\n" in source:
        return parse_stack(read_config(source, "stack"), source="stack")
    path = Path(source)
    return parse_stack(read_config(path.read_text(encoding="utf-8"), str(path)), source=str(path))


def read_config(text: str, source: str) -> dict[str, Any]:
    """The `config:` mapping of a stack file: whole keys, namespaces included.

    Raises `SettingsError` when it is not YAML or not shaped as a stack file.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "file"
        words = getattr(error, "problem", None) or str(error)
        raise SettingsError(
            [Problem(key=where, wrong=f"not YAML: {words}", right="correct the file")], source
        ) from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise SettingsError(
            [
                Problem(
                    key="config",
                    wrong="is missing",
                    right=f"write `config:` with keys such as {NAMESPACE}:networks",
                )
            ],
            source,
        )
    return {str(key): value for key, value in config.items()}


def parse_stack(config: Mapping[str, Any], source: str = "") -> Stack:
    """The stack in a configuration: whole keys to plain values (or `secure:` objects).

    Raises `SettingsError` with every problem at once: of every key, then of the whole.
    """
    stack, problems = inspect(config)
    if problems or stack is None:
        raise SettingsError(problems, source)
    return stack


def inspect(config: Mapping[str, Any]) -> tuple[Stack | None, list[Problem]]:
    """The stack, if every section is readable, and every problem found.

    Whole-stack checks run as soon as the sections they look at are readable, so that an error in
    one section does not hide a collision between two others.
    """
    problems = _keys(config)
    given = {
        name: config[f"{NAMESPACE}:{name}"] for name in SECTIONS if f"{NAMESPACE}:{name}" in config
    }
    sealed = [name for name in given if is_sealed(given[name])]
    readable = {name: value for name, value in given.items() if name not in sealed}
    broken = set(sealed)
    parsed: Stack | None = None
    try:
        parsed = Stack.model_validate(readable)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            broken.add(str(each["loc"][0]))
            if each["loc"][0] not in sealed:
                problems.append(translate(each))
    if parsed is None:
        problems += check(_partial(readable, broken), without=broken)
        return None, problems
    problems += check(parsed)
    return parsed, problems


_SECTION_READERS = {
    name: TypeAdapter[Any](annotation)
    for name, annotation in get_type_hints(Stack, include_extras=True).items()
    if name in SECTIONS
}


def _partial(readable: Mapping[str, Any], broken: set[str]) -> Stack:
    whole: dict[str, Any] = {}
    for name, field in Stack.model_fields.items():
        if name in broken:
            continue
        if name in readable:
            whole[name] = _SECTION_READERS[name].validate_python(readable[name])
        else:
            whole[name] = field.get_default(call_default_factory=True)
    return Stack.model_construct(**whole)


def is_sealed(value: object) -> bool:
    """Whether a value is ciphertext, as `pulumi config set --secret` writes it."""
    return isinstance(value, dict) and set(value) == {"secure"}


def _keys(config: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    valid = (*SECTIONS, *SECRETS)
    for key, value in config.items():
        name = split(key)
        if name is None:
            if ":" not in key:
                right = f"write {NAMESPACE}:{key}" if key in valid else nearest(key, valid)
                found.append(Problem(key=key, wrong="has no namespace", right=right))
        elif name in SECRETS:
            if not is_sealed(value):
                found.append(
                    Problem(
                        key=key,
                        value=ABSENT,
                        wrong="is a secret in clear text",
                        right=f"remove it, then: pulumi config set --secret {key}",
                    )
                )
        elif name in SECTIONS:
            if is_sealed(value):
                found.append(
                    Problem(
                        key=key,
                        wrong="is encrypted",
                        right=f"write it in clear; only these are secret: {', '.join(SECRETS)}",
                    )
                )
        else:
            path, dot, _ = name.partition(".")
            right = (
                f"write it as a key inside {NAMESPACE}:{path}"
                if dot and path in SECTIONS
                else nearest(name, valid)
            )
            found.append(Problem(key=key, wrong="is not a key here", right=right))
    return found
