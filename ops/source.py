"""Where a stack's settings and outputs come from: its file, and the stock Pulumi's own command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.site import Site, site
from settings.files import load_stack

PULUMI_SECONDS = 120


class NotGiven(RuntimeError):
    """Settings or outputs cannot be had; the text says why, and what to do next."""


def given(stack: str | None, settings: Path | None, outputs: str | None) -> Site:
    """The site of a stack.

    Args:
        stack: its name, as Pulumi takes it (`prod`, `ORGANISATION/PROJECT/prod`).
        settings: its file, in place of `Pulumi.NAME.yaml` here.
        outputs: a file with its outputs as JSON, `-` for standard input, in place of asking Pulumi.

    Raises:
        NotGiven: something cannot be had.
        Lacking: an output is not there.
        SettingsError: the file has problems.
    """
    if stack is None and (settings is None or outputs is None):
        raise NotGiven(
            "which stack? next: --stack NAME, or both --settings FILE and --outputs FILE"
        )
    name = (stack or _named(settings)).rpartition("/")[2]
    path = settings or Path(f"Pulumi.{name}.yaml")
    try:
        read = load_stack(path)
    except OSError as problem:
        raise NotGiven(
            f"{path}: {problem.strerror}; next: run it where that file is, or --settings FILE"
        ) from None
    return site(name, read, _outputs(outputs) if outputs else _of_pulumi(str(stack)))


def _named(settings: Path | None) -> str:
    stem = settings.name if settings else ""
    return stem.removeprefix("Pulumi.").removesuffix(".yaml") or "stack"


def _outputs(file: str) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as problem:
        raise NotGiven(f"{file}: {problem.strerror}; next: name a file of outputs") from None
    return _object(text, file)


def _of_pulumi(stack: str) -> Mapping[str, Any]:
    argv = ["pulumi", "stack", "output", "--json", "--show-secrets", "--non-interactive"]
    try:
        done = subprocess.run(
            [*argv, "--stack", stack],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PULUMI_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NotGiven("pulumi is not on PATH; next: install it, or --outputs FILE") from None
    except subprocess.TimeoutExpired:
        raise NotGiven(f"pulumi did not answer within {PULUMI_SECONDS} s") from None
    if done.returncode:
        raise NotGiven(f"pulumi stack output: {done.stderr.strip()}; next: pulumi stack ls")
    return _object(done.stdout, "pulumi stack output")


def _object(text: str, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotGiven(
            f"{where} is no JSON object of outputs; next: "
            "pulumi stack output --json --show-secrets --stack NAME"
        )
    return found
