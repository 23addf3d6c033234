"""The commands: check, status, report, inspect."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from ops import terminal
from ops.checks.table import CHECKS
from ops.inspect.archive import archive
from ops.inspect.bundle import bundle
from ops.inspect.questions import asked as inspected
from ops.judge import Row, rows
from ops.look import look
from ops.masking import unspoken, without
from ops.report.figures import asked
from ops.report.page import page
from ops.site import Lacking, Site
from ops.source import NotGiven, given, secrets
from settings.problems import SettingsError

INSPECT_SECONDS = 180.0
"""That a machine may take for all that a bug report wants."""
UNASKED = 2
"""Exit status where nothing could be asked, or what was found cannot be written."""
_SIGNALLED = 128


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all holds, 1 something does not, 2 nothing could be asked or written."""
    parser = argparse.ArgumentParser(
        prog="python -m ops",
        description="Looks at a stack that runs, over the management network; changes nothing.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.__doc__)
        one.add_argument("--stack", metavar="NAME", help="the stack, as Pulumi calls it")
        one.add_argument(
            "--settings", metavar="FILE", type=Path, help="its file, in place of Pulumi.NAME.yaml"
        )
        one.add_argument(
            "--outputs",
            metavar="FILE",
            help="its outputs with secrets as JSON (-: standard input), in place of asking Pulumi",
        )
        one.add_argument(
            "--json", action="store_true", help="a list of {name, ok, seconds, detail}"
        )
        if command in (report, inspect):
            one.add_argument("--to", metavar="FILE", type=Path, help="what is written")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # The deploy key's file goes on the way out, whoever ends this.
    signal.signal(signal.SIGTERM, _ended)
    try:
        site = given(options.stack, options.settings, options.outputs)
    except (NotGiven, Lacking, SettingsError) as problem:
        sys.stderr.write(f"{problem}\n")
        return UNASKED
    try:
        return COMMANDS[options.command](site, options)
    except BrokenPipeError:
        # Whoever read it (`| head`) has enough; nothing is left to be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _SIGNALLED + signal.SIGPIPE
    except KeyboardInterrupt:
        return _SIGNALLED + signal.SIGINT
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        sys.stderr.write(f"{where}{problem.strerror}; next: --to FILE where there is room\n")
        return UNASKED


def _ended(number: int, _: FrameType | None) -> None:
    sys.exit(_SIGNALLED + number)


def check(site: Site, options: argparse.Namespace) -> int:
    """every promise of the stack: a tick each, or what is wrong and what to do"""
    found = without(site, rows(look(site, CHECKS), CHECKS))
    if options.json:
        sys.stdout.write(_json(found))
    else:
        lines = terminal.check(found, colour=sys.stdout.isatty())
        sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if all(row.result.ok for row in found) else 1


def _json(found: Sequence[Row]) -> str:
    return json.dumps([row.result.as_dict() for row in found], indent=1) + "\n"


def status(site: Site, options: argparse.Namespace) -> int:
    """the whole stack on one screen"""
    if options.json:
        return check(site, options)
    seen = look(site, CHECKS)
    found = without(site, rows(seen, CHECKS))
    lines = terminal.status(seen, found, colour=sys.stdout.isatty())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if all(row.result.ok for row in found) else 1


def report(site: Site, options: argparse.Namespace) -> int:
    """the whole stack as one HTML file, with the chain, figures and ages"""
    seen = look(site, CHECKS, further=asked(site))
    found = without(site, rows(seen, CHECKS))
    path = options.to or Path(f"{site.name}-report.html")
    path.write_text(page(unspoken(seen), found), encoding="utf-8")
    if options.json:
        sys.stdout.write(_json(found))
    else:
        sys.stdout.write(f"{path}\n")
    return 0 if all(row.result.ok for row in found) else 1


def inspect(site: Site, options: argparse.Namespace) -> int:
    """what a bug report needs, every secret taken out: one archive"""
    try:
        given_secrets = [] if options.outputs else secrets(options.stack)
    except NotGiven as problem:
        sys.stderr.write(f"{problem}\n")
        return UNASKED
    site = replace(site, secrets=given_secrets)
    further = {
        each.name: [*asked(site)[each.name], *inspected(site, each)] for each in site.machines
    }
    seen = look(site, CHECKS, further=further, seconds=INSPECT_SECONDS, redacted=True)
    found = rows(seen, CHECKS)
    path = options.to or Path(f"{site.name}-inspect.tar.gz")
    archive(path, f"{site.name}-inspect", bundle(seen, found), seen.now)
    sys.stdout.write(_json(without(site, found)) if options.json else f"{path}\n")
    return 0


COMMANDS: Mapping[str, Callable[[Site, argparse.Namespace], int]] = {
    "check": check,
    "status": status,
    "report": report,
    "inspect": inspect,
}
