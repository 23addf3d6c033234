"""Commands in texts, held against what there is: targets of make, modules and their own parsers,
files, keys of a stack."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Final
from unittest import mock

import typer

from settings.keys import SECRETS
from settings.problems import NAMESPACE
from settings.reference import find

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("settings", "components", "policy", "ops", "lab", "benchmark", "tests")
_COMMAND = re.compile(r"(?:^|(?<=[\s|;&('/]))(?:python -m |make )[^|;&<>\n)]*")
_PATH = re.compile(rf"(?:(?:{'|'.join(PACKAGES)}|docs|\.github)/[\w./-]+|Pulumi\.[\w-]+\.yaml)")
_KEY = re.compile(rf"{NAMESPACE}:([A-Za-z_][\w.\[\]]*)")
_ELSEWHERE: Final = {"lab": "lab.cli", "ops": "ops.cli"}
"""Where the parser of a module is, when the module itself runs as soon as it is imported."""


def lines(text: str) -> Iterator[str]:
    """The command lines of a block: continued ones joined, comments and here-documents left out."""
    whole = iter(text.replace("\\\n", " ").splitlines())
    for line in whole:
        if here := re.search(r"<<-? *['\"]?(\w+)", line):
            for inner in whole:
                if inner.strip() == here[1]:
                    break
        if bare := re.sub(r"(?:^|\s+)#.*", "", line).strip():
            yield bare


def wrong(line: str, *, mention: bool = False) -> Iterator[str]:
    """What is wrong with a command line. A mention, within a sentence, may leave arguments out."""
    for found in _COMMAND.findall(line.replace("$(make -s python)", "python")):
        words = _words(found.strip())
        program, *rest = words
        yield from _make(rest) if program == "make" else _python(rest[1], rest[2:], mention)
        yield from _paths(rest)
    yield from keys(line)


def keys(text: str) -> Iterator[str]:
    """Keys of a stack in the text that no stack has."""
    for found in _KEY.findall(text):
        name = found.rstrip(".")
        if name not in SECRETS and find(name) is None:
            yield f"{NAMESPACE}:{name} is no key of a stack (python -m settings tables)"


def not_there(code: str) -> Iterator[str]:
    """What a piece of Python imports of ours, and cannot."""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        yield f"no Python: {error}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            try:
                module = importlib.import_module(str(node.module))
            except ModuleNotFoundError as error:
                yield str(error)
                continue
            for each in node.names:
                if not hasattr(module, each.name):
                    yield f"{node.module} has no {each.name}"


def no_file(span: str) -> str | None:
    """What is wrong with code within a line that is a path of the checkout, if it is one."""
    if not _PATH.fullmatch(span) or _placeholder(span) or (ROOT / span).exists():
        return None
    return f"there is no {span}"


def _words(command: str) -> list[str]:
    """The words; `[--json]`, a choice of the reader's, counts as there."""
    command = re.sub(r"\[(--?[^\]]+)\]", r"\1", command)
    try:
        return shlex.split(command)
    except ValueError:  # the end of a text in quotes, as of what ssh is given
        return shlex.split(command.replace("'", "").replace('"', ""))


def _placeholder(word: str) -> bool:
    """Whether some of it is the reader's to write; `foo` is what is new in the recipes."""
    return re.search(r"(?<![A-Za-z])[A-Z][A-Z-]+(?![a-z])|foo|…|\*", word) is not None


def _paths(words: list[str]) -> Iterator[str]:
    for word in words:
        if said := no_file(word):
            yield said


def _make(words: list[str]) -> Iterator[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE))
    variables = set(re.findall(r"^([A-Z0-9]+) \?=", text, flags=re.MULTILINE))
    stacks = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    profiles = {path.stem for path in (ROOT / "lab" / "profiles").glob("*.yaml")}
    for word in words:
        name, sign, value = word.partition("=")
        if word.startswith("-"):
            continue
        if not sign and word not in targets:
            yield f"make {word}: there is no such target"
        if sign and name not in variables:
            yield f"make {word}: the Makefile has no {name}"
        for wanted, known in (("STACK", stacks), ("PROFILE", profiles)):
            if sign and name == wanted and not _placeholder(value) and value not in known:
                yield f"make {word}: there are {', '.join(sorted(known))}"


def _python(module: str, words: list[str], mention: bool) -> Iterator[str]:
    if module.partition(".")[0] not in PACKAGES:
        return
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None:
        yield f"python -m {module}: there is no such module"
        return
    start = f"{module}.__main__" if spec.submodule_search_locations else module
    if find_spec(start) is None:
        yield f"python -m {module}: a package that does not run"
        return
    if said := _refused(importlib.import_module(_ELSEWHERE.get(module, start)), words, mention):
        yield f"python -m {module} {' '.join(words)}: {said}"


def _refused(module: Any, words: list[str], mention: bool) -> str | None:
    """Why the module's own parser refuses the words; None where it does not, or has none."""
    if isinstance(app := getattr(module, "app", None), typer.Typer):
        return _refused_by_typer(app, words, mention)
    if "argparse" in inspect.getsource(module) and hasattr(module, "main"):
        return _refused_by_argparse(module.main, words, mention)
    if any(word.startswith("--") for word in words):
        return "takes no options"
    return None


def _refused_by_typer(app: typer.Typer, words: list[str], mention: bool) -> str | None:
    command: Any = typer.main.get_command(app)
    context: Any = None
    try:
        while True:
            context = command.make_context(command.name or "", words, parent=context)
            if not hasattr(command, "resolve_command"):
                return None
            words = [*context._protected_args, *context.args]
            if not words:
                return None
            _, command, words = command.resolve_command(context, words)
    except Exception as error:  # typer's and click's own share no base that both releases have
        if type(error).__name__ in ("MissingParameter", "NoArgsIsHelpError") and mention:
            return None
        if not hasattr(error, "format_message"):
            raise
        return str(error.format_message()).partition("\n")[0]


class _Parsed(Exception):
    """The words were taken."""


class _Refused(Exception):
    """The words were not."""


def _refused_by_argparse(
    main: Callable[..., object], words: list[str], mention: bool
) -> str | None:
    parse = argparse.ArgumentParser.parse_args

    def only_parse(parser: Any, given: Any = None, namespace: Any = None) -> None:
        parse(parser, given, namespace)
        raise _Parsed

    def refuse(_: Any, message: str) -> None:
        raise _Refused(message)

    parser = argparse.ArgumentParser
    with (
        mock.patch.object(parser, "parse_args", only_parse),
        mock.patch.object(parser, "error", refuse),
        mock.patch.object(sys, "argv", ["", *words]),
        redirect_stdout(StringIO()),
        redirect_stderr(StringIO()),
    ):
        try:
            main(words) if inspect.signature(main).parameters else main()
        except (_Parsed, SystemExit):  # the latter is --help's
            return None
        except _Refused as refused:
            lacking = str(refused).startswith("the following arguments are required")
            return None if mention and lacking else str(refused)
    return None
