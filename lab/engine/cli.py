"""The Pulumi command line: the user's own when it will do, else one built from its Go module."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.paths import cache_dir

MINIMUM = (3, 205, 0)
"""The oldest engine this is tried with: inline programs for every command, events over gRPC."""


@dataclass(frozen=True, kw_only=True)
class Cli:
    """A usable command line. `root` is what the Automation API wants: it runs ROOT/bin/pulumi."""

    path: Path
    version: str
    root: Path


def find_cli() -> Cli | None:
    """The `pulumi` on PATH when it is new enough, else one built before, else None."""
    on_path = shutil.which("pulumi")
    if on_path:
        version = _version(Path(on_path))
        if version and _numbers(version) >= MINIMUM:
            return _rooted(Path(on_path), version)
    return _built()


def ensure_cli(progress: object | None = None) -> Cli:
    """A usable command line; builds it when there is none (1.5 to 3 minutes, once).

    `progress` is a `lab.software.progress.Progress`. Raises `lab.software.store.BuildError` with
    the compiler's words.
    """
    found = find_cli()
    if found:
        return found
    from lab.software.gobuild import build_go
    from lab.software.goitems import PULUMI
    from lab.software.progress import Progress

    assert progress is None or isinstance(progress, Progress)
    path = build_go(PULUMI, progress)["pulumi"]
    assert _version(path) == PULUMI.version, f"{path} was built and does not run"
    return _rooted(path, PULUMI.version)


def _built() -> Cli | None:
    """The one built before; what it is, its recipe says."""
    from lab.software.goitems import PULUMI

    if not PULUMI.item.ready:
        return None
    return _rooted(PULUMI.executable("pulumi"), PULUMI.version)


def _version(path: Path) -> str | None:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(path), "version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v?(\d+\.\d+\.\d+\S*)", answer.stdout.strip())
    return found[1] if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _rooted(path: Path, version: str) -> Cli:
    if path.parent.name == "bin":
        return Cli(path=path, version=version, root=path.parent.parent)
    # Its own directory, so that nothing else that lies beside the command is taken for a plugin.
    root = cache_dir() / "engine" / f"cli-{version}"
    link = root / "bin" / "pulumi"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.readlink() != path:
        fresh = link.with_name(f".pulumi.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(path)
        fresh.rename(link)
    return Cli(path=path, version=version, root=root)
