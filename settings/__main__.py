"""`python -m settings check FILE...`, `schema`, `tables`: no engine, no Pulumi."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from settings.checks import pending
from settings.document import tables
from settings.files import inspect, read_config
from settings.keys import missing_secret, required_secrets
from settings.problems import NAMESPACE, Problem, SettingsError
from settings.schema import stack_file_schema


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 nothing wrong, 1 errors found, 2 wrong usage (argparse)."""
    parser = argparse.ArgumentParser(prog="python -m settings", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checker = commands.add_parser("check", help="every error of stack files, one a line")
    checker.add_argument("files", nargs="+", metavar="FILE", type=Path)
    commands.add_parser("schema", help="the JSON schema of a stack file")
    commands.add_parser("tables", help="the reference of all keys, as Markdown")
    options = parser.parse_args(arguments)
    if options.command == "tables":
        sys.stdout.write(tables())
        return 0
    if options.command == "schema":
        sys.stdout.write(json.dumps(stack_file_schema(), indent=2) + "\n")
        return 0
    return max(_check(path) for path in options.files)


def _check(path: Path) -> int:
    try:
        config = read_config(path.read_text(encoding="utf-8"), str(path))
    except SettingsError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        sys.stdout.write(f"{path}: cannot be read: {reason}; name a stack file\n")
        return 1
    stack, problems = inspect(config)
    for found in problems:
        sys.stdout.write(f"{path}: {found}\n")
    if stack is not None:
        named = re.fullmatch(r"Pulumi\.(.+)\.ya?ml", path.name)
        name = named.group(1) if named else "STACK"
        unset: list[Problem] = [
            missing_secret(each, name)
            for each in required_secrets(stack)
            if f"{NAMESPACE}:{each}" not in config
        ]
        for blank in [*unset, *pending(stack)]:
            sys.stderr.write(f"{path}: warning: {blank} (needed before `pulumi up`)\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
