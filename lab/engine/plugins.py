"""Provider plugins for a run: the machine's own, else built ones, else the stand-ins."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.engine.errors import EngineError
from lab.paths import CHECKOUT, cache_dir
from lab.software.plugins import BUILT, NAMES, executable, folder, found, sdk_version


@dataclass(frozen=True)
class Plugin:
    """One provider's plugin: `real` is where the real one lies, None when the stand-in serves."""

    name: str
    version: str
    real: Path | None

    @property
    def kind(self) -> str:
        """`real` or `stand-in`."""
        return "stand-in" if self.real is None else "real"


def install(home: Path) -> list[Plugin]:
    """Makes every provider's plugin available in the PULUMI_HOME given; says which are real.

    A real plugin of the version the SDK asks for is linked from where it lies; one on PATH needs
    nothing, as the engine prefers it. Where there is none, the Kubernetes and Proxmox plugins are
    those that `lab.software` builds: while one is still being built, whoever starts it waits. For
    the other providers a launcher of the lab's stand-in is written.
    """
    return [_install(home, name) for name in NAMES]


def _install(home: Path, name: str) -> Plugin:
    version = sdk_version(name)
    # The engine passes over a linked directory: the directory is made, what is in it linked.
    target = home / "plugins" / folder(name) / executable(name)
    real = found(name)
    if real is None and name in BUILT:
        program = BUILT[name]
        real = program.executable(program.name)
        if program.item.ready:
            _link(target, real)
        else:
            _write(target, _waiting(program.name, real))
    elif real is None:
        _write(target, _stand_in(name))
    elif shutil.which(executable(name)) is None and real != target:
        _link(target, real)
    return Plugin(name, version, real)


def _fresh(target: Path) -> Path:
    if target.parent.is_symlink():
        target.parent.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{os.getpid()}")


def _link(target: Path, real: Path) -> None:
    if target.is_symlink() and target.readlink() == real:
        return
    fresh = _fresh(target)
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(real)
    fresh.rename(target)


def _write(target: Path, text: str) -> None:
    if target.exists() and not target.is_symlink() and target.read_text() == text:
        return
    fresh = _fresh(target)
    fresh.write_text(text)
    fresh.chmod(0o755)
    fresh.rename(target)


def _python(*words: str, **more: str) -> str:
    """A shell command: a module of this checkout under this Python."""
    environment = {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", **more}
    return shlex.join(
        ["env", *(f"{name}={value}" for name, value in environment.items()), sys.executable, *words]
    )


def _stand_in(name: str) -> str:
    # The engine's HOME is not the user's: what the plugin keeps lies in the user's cache.
    run = _python("-m", f"lab.plugins.{name}", LAYERED_CLOUD_CACHE=str(cache_dir()))
    return f'#!/bin/sh\nexec {run} "$@"\n'


def _waiting(item: str, real: Path) -> str:
    # What builds it needs the user's HOME (Go's caches); the plugin keeps the engine's own.
    places = {"HOME": str(Path.home()), "LAYERED_CLOUD_CACHE": str(cache_dir())}
    build = _python("-m", "lab.software", "build", "--only", item, **places)
    return f'#!/bin/sh\n{build} >&2 || exit 1\nexec {shlex.quote(str(real))} "$@"\n'


# -- what a state was made with


def kinds(plugins: Iterable[Plugin]) -> dict[str, str]:
    """Which plugins are real and which stand-ins, by provider."""
    return {each.name: each.kind for each in plugins}


def record(path: Path, plugins: Iterable[Plugin]) -> None:
    """Keep, beside a state that is about to be made, what makes it."""
    path.write_text(json.dumps(kinds(plugins), indent=1) + "\n")


def check(path: Path, plugins: Iterable[Plugin]) -> None:
    """Refuse to go over a state with another set of plugins than it was made with.

    A real plugin and its stand-in write different properties: over the other's state each would
    plan to replace machines that are as they should be.

    Raises:
        EngineError: it names the providers, and what to do.
    """
    try:
        before: Mapping[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        before = {}
    others = [
        f"{name}: {before.get(name, 'unknown')} then, {now} now"
        for name, now in kinds(plugins).items()
        if before.get(name) != now
    ]
    if others:
        raise EngineError(
            f"this state was made with other provider plugins ({'; '.join(others)}), and these "
            "would plan to replace what stands; next: make down, then make up, or bring the "
            "earlier plugins back"
        )
