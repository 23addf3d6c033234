"""The provider plugins: which are found, which are built, and what they are built from."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.software import goitems, gotools, plugins, software, versions
from lab.software.gobuild import GoModule, GoProgram, build_go
from lab.software.progress import Progress, Silent
from lab.software.software import LAB, everything
from lab.software.store import BuildError, Item


def test_a_built_plugin_is_of_the_version_that_the_sdk_asks_for() -> None:
    assert plugins.sdk_version("kubernetes") == versions.PLUGIN_KUBERNETES
    assert plugins.sdk_version("proxmoxve") == versions.PLUGIN_PROXMOXVE
    for name, program in plugins.BUILT.items():
        assert program.name == plugins.executable(name)
        assert program.version == plugins.sdk_version(name)
        assert program.variables == {"main.version": program.version}


def _put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_users_own_plugin_is_found_in_the_sdks_version_and_on_path_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert plugins.found("kubernetes") is None
    name = plugins.executable("kubernetes")
    _put(tmp_path / "home/plugins/resource-kubernetes-v0.0.1" / name)
    assert plugins.found("kubernetes") is None
    theirs = _put(tmp_path / "home/plugins" / plugins.folder("kubernetes") / name)
    assert plugins.found("kubernetes") == theirs
    on_path = _put(tmp_path / "bin" / name)
    assert plugins.found("kubernetes") == on_path


def test_what_the_machine_has_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert everything() == (*LAB, "pulumi-resource-proxmoxve", "pulumi-resource-kubernetes")
    _put(tmp_path / "bin" / plugins.executable("proxmoxve"))
    assert everything() == (*LAB, "pulumi-resource-kubernetes")
    _put(tmp_path / "plugins" / plugins.folder("kubernetes") / plugins.executable("kubernetes"))
    assert everything() == LAB


GENERATOR = """package main

import "os"

func main() { os.WriteFile("said.txt", []byte(os.Args[1]), 0o644) }
"""
MAIN = """package main

import (
	_ "embed"
	"fmt"

	"example.invalid/stub/word"
)

//go:embed said.txt
var said string

//go:embed LICENSE
var licence string

func main() { fmt.Println(said, word.Word, len(licence) > 0) }
"""


def test_a_program_may_generate_take_and_stub_what_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    (requires,) = goitems.CNI_PLUGINS.module.requires.items()
    program = GoProgram(
        name="made",
        version="1",
        module=GoModule(
            requires=dict([requires]),
            stubs={
                "example.invalid/stub": {"word/word.go": 'package word\n\nconst Word = "stubbed"\n'}
            },
        ),
        packages={"made": "."},
        sources={"main.go": MAIN, "gen/main.go": GENERATOR},
        taken={"LICENSE": f"{requires[0]}/LICENSE"},
        generates=(("./gen", "generated"),),
    )
    try:
        built = build_go(program)["made"]
    except BuildError as error:
        if "dial tcp" in str(error) or "no Go" in str(error):
            pytest.skip(f"nothing can be built here: {error}")
        raise
    said = subprocess.run([built], capture_output=True, text=True, check=True).stdout
    assert said == "generated stubbed true\n"


def test_a_file_that_a_module_does_not_carry_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    requires = goitems.CNI_PLUGINS.module.requires
    (path,) = requires
    program = GoProgram(
        name="lacking",
        version="1",
        module=GoModule(requires=requires),
        packages={"lacking": "."},
        taken={"x": f"{path}/no-such-file"},
    )
    with pytest.raises(BuildError, match=f"{path}/no-such-file is to be taken, but {path} has"):
        build_go(program)


def _item(name: str, make: Callable[[], None]) -> Item:
    return Item(name=name, version="1", inputs={}, make=lambda directory, progress: make())


def test_what_is_built_beside_a_block_is_there_when_the_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    began, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        assert may_end.wait(30)

    item, before = _item("late", slow), os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(software, "items", lambda: {"late": item})
    with software.meanwhile(["late"], Silent()):
        assert began.wait(30)
        assert not item.ready
        may_end.set()
    assert item.ready
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_what_cannot_be_built_beside_a_block_is_the_error_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    told = threading.Event()

    def broken() -> None:
        told.set()
        raise BuildError("no compiler")

    monkeypatch.setattr(software, "items", lambda: {"late": _item("late", broken)})
    with (
        pytest.raises(BuildError, match="late 1: no compiler"),
        software.meanwhile(["late"], Silent()),
    ):
        assert told.wait(30)
        time.sleep(0.2)
        raise RuntimeError("the cluster's plugin is not there")


def test_what_the_next_one_needs_is_fetched_while_the_first_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    fetched = threading.Event()
    asked: list[str] = []

    def make(_directory: Path, _progress: Progress) -> None:
        assert fetched.wait(30), "nothing was fetched beside it"

    def fetch(name: str) -> Callable[[Progress], None]:
        def told(_progress: Progress) -> None:
            asked.append(name)
            if name == "third":
                fetched.set()
            raise BuildError("no network: its own making tells")

        return told

    names = ("first", "second", "third")
    made = {
        name: Item(name=name, version="1", inputs={}, make=make, turn="go", fetch=fetch(name))
        for name in names
    }
    monkeypatch.setattr(software, "items", lambda: made)
    software.ensure(names, Silent())
    assert asked == ["second", "third"]
    assert all(item.ready for item in made.values())


def test_a_go_that_prints_much_is_heard_to_its_end(tmp_path: Path) -> None:
    lines = gotools.run_go(
        ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo package-$i; i=$((i+1)); done"],
        tmp_path,
        Silent(),
        what="much",
    )
    assert len(lines.splitlines()) == 20_000
