"""Programs built from Go modules, through the module proxy alone.

A program is built in a module of our own: its go.mod requires the program's module at a pinned
version and repeats the replaces of that module's own go.mod, which Go ignores in a dependency.
Static (`CGO_ENABLED=0`), without symbols and without paths of the building machine.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.software import versions
from lab.software.gotools import go_command, module_directory, run_go
from lab.software.progress import Progress, Silent
from lab.software.store import BuildError, Item, ensure_item

_LINK = ("-s", "-w")


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """The text of a go.mod of ours, as data.

    `requires` maps module path to version (`v1.2.3`); `replaces` maps module path to
    `PATH VERSION`; `stubs` maps the path of a module that no proxy serves to the files (name to
    text) of one of ours that takes its place.
    """

    requires: Mapping[str, str]
    replaces: Mapping[str, str] = field(default_factory=dict)
    stubs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The go.mod of a module called `layered-cloud.test/NAME`."""
        replaces = {**self.replaces, **{path: f"./{at}" for path, at in self._folders().items()}}
        lines = [f"module layered-cloud.test/{name}", "", f"go {versions.GO_LANGUAGE}", ""]
        lines += [f"require {path} {version}" for path, version in sorted(self.requires.items())]
        lines += [f"replace {path} => {to}" for path, to in sorted(replaces.items())]
        return "\n".join(lines) + "\n"

    def write_stubs(self, work: Path) -> None:
        """Put the modules of ours where the go.mod says that they are."""
        for path, folder in self._folders().items():
            go_mod = f"module {path}\n\ngo {versions.GO_LANGUAGE}\n"
            _write(work / folder, {"go.mod": go_mod, **self.stubs[path]})

    def _folders(self) -> dict[str, str]:
        return {path: f"stub-{count}" for count, path in enumerate(sorted(self.stubs))}


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """Programs of one module, built together into one item of the cache.

    `packages` maps the name of each executable to its package path; `variables` are set by the
    linker (`-X NAME=VALUE`); `patches` maps `MODULE/PATH` of a source file in a required module to
    the text that takes its place (in a copy of that module: `go build -overlay` refuses files of
    the module cache). `sources` maps file names to texts of packages of our own (the main one's
    path is then `.`); `taken` maps names of files beside them to the `MODULE/PATH` in a required
    module that they are copied from; `generates` are packages of ours, with arguments, that are
    run before anything is built and write into the current directory.
    """

    name: str
    version: str
    module: GoModule
    packages: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    patches: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    generates: tuple[tuple[str, ...], ...] = ()

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
        # Only where there are any, so that the keys of all other programs stay what they were.
        more = {"stubs": self.module.stubs, "taken": self.taken, "generates": self.generates}
        inputs |= {name: json.dumps(value, sort_keys=True) for name, value in more.items() if value}
        return Item(
            name=self.name,
            version=self.version,
            inputs=inputs,
            make=self._make,
            turn="go",
            fetch=self._fetch,
        )

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

    def _fetch(self, progress: Progress) -> None:
        """Fill Go's module cache with the modules that the packages are made of."""
        go = go_command(progress)
        with tempfile.TemporaryDirectory(prefix="layered-fetch-") as folder:
            work = Path(folder)
            self.module.write_stubs(work)
            _write(work, {"go.mod": self.module.text(self.name), **self.sources})
            for name, where in self.taken.items():
                shutil.copyfile(self._in_module(where, progress), work / name)
            ran = [package for package, *_ in self.generates]
            listed = [go, "list", "-e", "-deps", *self.packages.values(), *ran]
            run_go(listed, work, progress, what=self.name)

    def _make(self, directory: Path, progress: Progress) -> None:
        go = go_command(progress)
        work = directory / ".build"
        work.mkdir()
        module = self.module
        if self.patches:
            local = self._patched_modules(work, progress)
            module = replace(module, replaces={**module.replaces, **local})
        module.write_stubs(work)
        _write(work, {"go.mod": module.text(self.name), **self.sources})
        for name, where in self.taken.items():
            shutil.copyfile(self._in_module(where, progress), work / name)
        arguments = ["-trimpath", "-buildvcs=false", "-v", "-ldflags", self.ldflags]
        if self.tags:
            arguments += ["-tags", ",".join(self.tags)]
        for package, *words in self.generates:
            run_go([go, "run", *arguments, package, *words], work, progress, what=package)
        for name, package in self.packages.items():
            output = str(directory / name)
            run_go([go, "build", *arguments, "-o", output, package], work, progress, what=name)
        shutil.rmtree(work)

    def _required(self, where: str) -> str:
        """The required module that a `MODULE/PATH` lies in."""
        return next(path for path in self.module.requires if where.startswith(f"{path}/"))

    def _in_module(self, where: str, progress: Progress) -> Path:
        """The file of a required module, in Go's module cache."""
        module = self._required(where)
        source = module_directory(module, self.module.requires[module], progress)
        found = source / where.removeprefix(f"{module}/")
        if not found.is_file():
            raise BuildError(f"{where} is to be taken, but {module} has no such file")
        return found

    def _patched_modules(self, work: Path, progress: Progress) -> dict[str, str]:
        """Copy the modules to be patched and patch them: module path to the copy's path."""
        copies: dict[str, str] = {}
        for where, text in sorted(self.patches.items()):
            module = self._required(where)
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


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
