"""`python -m settings check FILE...`, `explain KEY`, `init NAME`, `schema`, `tables`: no engine, no
Pulumi."""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from settings.checks import pending
from settings.document import tables
from settings.explain import explain
from settings.files import examine
from settings.init import command as init
from settings.keys import missing_secret, required_secrets
from settings.problems import NAMESPACE, Problem, SettingsError
from settings.reader import read_bytes
from settings.schema import stack_file_schema


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 nothing wrong, 1 errors found, 2 wrong usage (argparse)."""
    parser = argparse.ArgumentParser(prog="python -m settings", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checker = commands.add_parser("check", help="every error of stack files, one a line")
    checker.add_argument("files", nargs="+", metavar="FILE", type=Path)
    checker.add_argument(
        "--strict", action="store_true", help="warnings, and what only `up` needs, are errors"
    )
    explainer = commands.add_parser("explain", help="one key: meaning, values, what a change does")
    explainer.add_argument(
        "key", metavar="KEY", help="such as routers.vips[].wan_vrid, or a secret"
    )
    init.add_arguments(
        commands.add_parser(
            "init", help="a new stack file, from answers asked on a terminal or given as flags"
        )
    )
    commands.add_parser("schema", help="the JSON schema of a stack file")
    commands.add_parser("tables", help="the reference of all keys, as Markdown")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # Whatever stands in a file, a terminal that cannot show it is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if options.command == "tables":
        sys.stdout.write(tables())
        return 0
    if options.command == "schema":
        sys.stdout.write(json.dumps(stack_file_schema(), indent=2) + "\n")
        return 0
    if options.command == "explain":
        return _explain(options.key)
    if options.command == "init":
        asked = sys.stdin if sys.stdin.isatty() else None
        return init.init(options, Path(), asked, sys.stderr, sys.stdout)
    return max(_check(path, strict=options.strict) for path in options.files)


def _explain(key: str) -> int:
    try:
        sys.stdout.write(explain(key))
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    return 0


def _check(path: Path, *, strict: bool) -> int:
    try:
        config = read_bytes(path.read_bytes(), str(path))
    except SettingsError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stdout.write(f"{path}: cannot be read: {error.strerror}; name a stack file\n")
        return 1
    found = examine(config)
    doubts = [*found.warnings]
    blanks: list[Problem] = []
    if found.stack is not None:
        named = re.fullmatch(r"Pulumi\.(.+)\.ya?ml", path.name)
        name = named.group(1) if named else "STACK"
        unset = [
            missing_secret(each, name, found.stack)
            for each in required_secrets(found.stack)
            if f"{NAMESPACE}:{each}" not in config
        ]
        blanks = [*unset, *pending(found.stack)]
    for each in found.problems:
        sys.stdout.write(f"{path}: {each}\n")
    lines = [f"{each}" for each in doubts]
    lines += [f"{each} (needed before `pulumi up`)" for each in blanks]
    for line in lines:
        if strict:
            sys.stdout.write(f"{path}: {line}\n")
        else:
            sys.stderr.write(f"{path}: warning: {line}\n")
    return 1 if found.problems or (strict and lines) else 0


if __name__ == "__main__":
    sys.exit(main())
