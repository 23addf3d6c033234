"""Where a stack's settings and outputs come from: its file, and the stock Pulumi's own command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ops.site import Site, site
from settings.files import parse_stack
from settings.reader import read_bytes

PULUMI_SECONDS = 120
_WORDS = 800
"""Characters of Pulumi's own words that are told."""


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
        config = read_bytes(path.read_bytes(), str(path))
    except OSError as problem:
        raise NotGiven(
            f"{path}: {problem.strerror}; next: run it where that file is, or --settings FILE"
        ) from None
    read = parse_stack(config, source=str(path))
    found = site(name, read, _outputs(outputs) if outputs else _of_pulumi(str(stack)))
    return replace(found, config=config)


def secrets(stack: str) -> list[str]:
    """The secret values of a stack's configuration, as Pulumi decrypts them.

    Raises:
        NotGiven: they cannot be had.
    """
    rows = _asked(["config", "--json", "--show-secrets", "--stack", stack])
    if not all(isinstance(row, Mapping) for row in rows.values()):
        raise NotGiven(
            "pulumi config tells its values in another form than is known here; next: "
            "--outputs FILE, which does without them"
        )
    return [str(row.get("value") or "") for row in rows.values() if row.get("secret")]


def _named(settings: Path | None) -> str:
    stem = settings.name if settings else ""
    return stem.removeprefix("Pulumi.").removesuffix(".yaml") or "stack"


def _outputs(file: str) -> Mapping[str, Any]:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as problem:
        raise NotGiven(f"{file}: {problem.strerror}; next: name a file of outputs") from None
    return _object(data, "standard input" if file == "-" else file)


def _of_pulumi(stack: str) -> Mapping[str, Any]:
    return _asked(["stack", "output", "--json", "--show-secrets", "--stack", stack])


def _asked(words: Sequence[str]) -> Mapping[str, Any]:
    name = f"pulumi {' '.join(word for word in words[:2] if not word.startswith('-'))}"
    try:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PULUMI_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NotGiven("pulumi is not on PATH; next: install it, or --outputs FILE") from None
    except OSError as problem:
        raise NotGiven(
            f"pulumi cannot be run: {problem.strerror}; next: `pulumi version`, or --outputs FILE"
        ) from None
    except subprocess.TimeoutExpired:
        raise NotGiven(
            f"pulumi did not answer within {PULUMI_SECONDS} s; next: `pulumi whoami`, does its "
            "backend answer? or --outputs FILE"
        ) from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[-_WORDS:]
        raise NotGiven(f"{name}: {said or f'status {done.returncode}'}; next: pulumi stack ls")
    return _object(done.stdout, name)


def _object(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotGiven(
            f"{where} is no JSON object of outputs; next: "
            "pulumi stack output --json --show-secrets --stack NAME"
        )
    return found
