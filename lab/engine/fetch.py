"""The provider plugins, fetched by the engine's own installer where the machine may."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.engine.cli import Cli
from lab.software.plugins import BUILT, NAMES, found, sdk_description, users_home

SECONDS = 300
"""How long one plugin may take."""


@dataclass(frozen=True)
class Fetched:
    """One provider's plugin: where it lies, or in the installer's words why it does not."""

    name: str
    version: str
    path: Path | None
    said: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.name} {self.version}: {self.path}"
        instead = "is built from its module" if self.name in BUILT else "the lab's stand-in serves"
        return f"{self.name} {self.version}: not fetched ({self.said}); {instead}"


def command(cli: Cli, name: str) -> list[str]:
    """The installer's command line for a provider, in the version that its SDK asks for."""
    about = sdk_description(name)
    server = ["--server", str(about["server"])] if about.get("server") else []
    version = str(about["version"])
    return [str(cli.path), "plugin", "install", "resource", name, version, *server]


def fetch(cli: Cli) -> Iterator[Fetched]:
    """Fetches what the machine lacks of all providers' plugins into the user's own Pulumi home."""
    environment = {
        **os.environ,
        "PULUMI_HOME": str(users_home()),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for name in NAMES:
        version, said = str(sdk_description(name)["version"]), ""
        if found(name) is None:
            said = _run(command(cli, name), environment)
        path = found(name)
        yield Fetched(name, version, path, "" if path else said or "it left nothing there")


def _run(argv: list[str], environment: dict[str, str]) -> str:
    """Its last words when it failed, else nothing."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode == 0:
        return ""
    return lines[-1] if lines else f"exit status {done.returncode}"
