"""Provider plugins for a run: the real ones where the machine has them, else the stand-ins."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.paths import CHECKOUT

NAMES = ("cloudflare", "command", "kubernetes", "proxmoxve", "tls")
"""The providers the program uses and the lab has stand-ins for."""


@dataclass(frozen=True)
class Plugin:
    """One provider's plugin: `real` is where the real one lies, None when the stand-in serves."""

    name: str
    version: str
    real: Path | None


def sdk_version(name: str) -> str:
    """The plugin version that the installed SDK package of a provider asks for."""
    spec = importlib.util.find_spec(f"pulumi_{name}")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"pulumi_{name}: the SDK package is not installed")
    description = json.loads((Path(spec.origin).parent / "pulumi-plugin.json").read_text())
    return str(description["version"])


def users_home() -> Path:
    """The user's own PULUMI_HOME, where `pulumi plugin install` puts plugins."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def install(home: Path) -> list[Plugin]:
    """Makes every provider's plugin available in the PULUMI_HOME given; says which are real.

    A real plugin of the version the SDK asks for is linked from the user's home; a real one on
    PATH needs nothing, as the engine prefers it; for the rest a small launcher of the stand-in is
    written where the engine looks for an installed plugin.
    """
    return [_install(home, name) for name in NAMES]


def _install(home: Path, name: str) -> Plugin:
    version = sdk_version(name)
    executable = f"pulumi-resource-{name}"
    installed = f"resource-{name}-v{version}"
    target = home / "plugins" / installed
    on_path = shutil.which(executable)
    if on_path:
        return Plugin(name, version, Path(on_path))
    theirs = users_home() / "plugins" / installed
    if (theirs / executable).is_file() and theirs != target:
        _forget(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(theirs)
        return Plugin(name, version, theirs / executable)
    if target.is_symlink():
        target.unlink()
    target.mkdir(parents=True, exist_ok=True)
    launcher = target / executable
    text = _launcher(name)
    if not launcher.exists() or launcher.read_text() != text:
        fresh = target / f".{executable}.{os.getpid()}"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.rename(launcher)
    return Plugin(name, version, None)


def _forget(target: Path) -> None:
    if target.is_symlink():
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)


def _launcher(name: str) -> str:
    return (
        "#!/bin/sh\n"
        f"export PYTHONPATH={shlex.quote(str(CHECKOUT))} PYTHONDONTWRITEBYTECODE=1\n"
        f'exec {shlex.quote(sys.executable)} -m lab.plugins.{name} "$@"\n'
    )
