"""Which plugin serves a run, where the engine finds it, and what a state remembers of it."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pulumi
import pytest

from lab.engine import Cli, EngineError, plugins, workspace
from lab.engine.fetch import fetch
from lab.engine.plugins import Plugin
from lab.software.plugins import (
    BUILT,
    NAMES,
    executable,
    folder,
    sdk_description,
    sdk_version,
    wanted,
)
from lab.software.store import STAMP

PROJECT = {"name": "layered-cloud", "runtime": "python"}


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own Pulumi home; nothing on PATH, nothing built."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "users"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "users"


def put(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def installed(home: Path) -> dict[str, Plugin]:
    return {each.name: each for each in plugins.install(home)}


def launcher(home: Path, name: str) -> Path:
    return home / "plugins" / folder(name) / executable(name)


def test_a_stand_in_serves_until_the_real_plugin_is_there(users: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = installed(home)
    assert {name for name, each in first.items() if each.real is None} == {
        "cloudflare", "command", "tls",
    }  # fmt: skip
    mine = launcher(home, "tls")
    assert f"{sys.executable} -m lab.plugins.tls" in mine.read_text()
    assert stat.S_IMODE(mine.stat().st_mode) == 0o755

    real = put(launcher(users, "tls"))
    on_path = put(tmp_path / "bin" / executable("command"))
    second = installed(home)
    assert (second["tls"].real, second["tls"].kind) == (real, "real")
    # The engine passes over linked directories: only what is in it is a link.
    assert not mine.parent.is_symlink()
    assert mine.readlink() == real
    assert second["command"].real == on_path
    real.unlink()
    assert installed(home)["tls"].kind == "stand-in"
    assert "lab.plugins.tls" in mine.read_text()


def test_a_directory_that_an_earlier_revision_linked_is_made_a_directory(
    users: Path, tmp_path: Path
) -> None:
    real = put(launcher(users, "tls"))
    link = launcher(tmp_path / "home", "tls").parent
    link.parent.mkdir(parents=True)
    link.symlink_to(real.parent)
    installed(tmp_path / "home")
    assert not link.is_symlink()
    assert launcher(tmp_path / "home", "tls").readlink() == real
    assert real.read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("name", BUILT)
def test_a_built_plugin_is_linked_and_one_still_being_built_is_waited_for(
    name: str, users: Path, tmp_path: Path
) -> None:
    home, program = tmp_path / "home", BUILT[name]
    assert installed(home)[name].kind == "real"
    text = launcher(home, name).read_text()
    assert f"-m lab.software build --only {program.name} >&2 || exit 1" in text
    assert f"LAYERED_CLOUD_CACHE={tmp_path / 'cache'}" in text
    assert text.endswith(f'exec {program.executable(program.name)} "$@"\n')

    built = put(program.executable(program.name))
    (built.parent / STAMP).write_text("{}")
    assert installed(home)[name].real == built
    assert launcher(home, name).readlink() == built


def test_a_state_is_not_gone_over_by_other_plugins_than_made_it(tmp_path: Path) -> None:
    stand_in, real = Plugin("tls", "1", None), Plugin("tls", "1", Path("/p"))
    other = Plugin("command", "1", None)
    path = tmp_path / "plugins.json"
    plugins.record(path, [stand_in, other])
    plugins.check(path, [stand_in, other])
    with pytest.raises(EngineError) as refused:
        plugins.check(path, [real, other])
    assert str(refused.value) == (
        "this state was made with other provider plugins (tls: stand-in then, real now), and these "
        "would plan to replace what stands; next: make down, then make up, or bring the earlier "
        "plugins back"
    )
    path.unlink()
    with pytest.raises(EngineError, match="tls: unknown then, real now"):
        plugins.check(path, [real])


def test_the_engine_refuses_another_set_of_plugins_and_still_destroys(
    cli, state, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin():
        return workspace("lab", program=lambda: pulumi.export("x", 1), project=PROJECT, cli=cli)

    with begin() as engine:
        engine.up()
    before = plugins.install

    def others(home: Path) -> list[Plugin]:
        return [
            Plugin(each.name, each.version, None if each.real else Path("/p"))
            for each in before(home)
        ]

    monkeypatch.setattr(plugins, "install", others)
    with begin() as engine:
        for run in (engine.up, engine.preview, engine.refresh):
            with pytest.raises(EngineError, match="made with other provider plugins"):
                run()
        engine.destroy()
    monkeypatch.setattr(plugins, "install", before)
    with begin() as engine:
        engine.up()


def test_the_engine_and_its_plugins_have_a_home_of_their_own(cli, state) -> None:
    with workspace("lab", program=lambda: None, project=PROJECT, cli=cli) as engine:
        home = Path(engine.workdir.environment()["HOME"])
    assert home.is_dir()
    assert home != Path.home()
    assert state in home.parents


def installer(path: Path, log: Path, *, able: str) -> Cli:
    """A command line that writes down its words, and installs the plugins named in `able`."""
    put(
        path,
        "#!/bin/sh\n"
        f'echo "$@" >>{log}\n'
        f'case " {able} " in *" $4 "*) ;; *) echo "no route" >&2; exit 255 ;; esac\n'
        'where="$PULUMI_HOME/plugins/resource-$4-v$5"\n'
        '/bin/mkdir -p "$where"; echo >"$where/pulumi-resource-$4"\n',
    )
    return Cli(path=path, version="3.270.0", root=path.parent.parent)


def test_plugins_are_fetched_by_the_engines_own_installer(users: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    cli = installer(tmp_path / "cli/bin/pulumi", log, able=" ".join(NAMES))
    assert all(each.path and each.path.is_relative_to(users) for each in fetch(cli))
    said = log.read_text().splitlines()
    assert said[:3] == [
        f"plugin install resource {name} {sdk_version(name)}"
        for name in ("cloudflare", "command", "kubernetes")
    ]
    # Its SDK names a server that is not Pulumi's.
    server = sdk_description("proxmoxve")["server"]
    version = sdk_version("proxmoxve")
    assert said[3] == f"plugin install resource proxmoxve {version} --server {server}"
    assert wanted() == ()
    assert {each.kind for each in plugins.install(tmp_path / "home")} == {"real"}
    assert all(each.path for each in fetch(cli))
    assert log.read_text().splitlines() == said, "what is there was fetched again"


def test_a_plugin_that_cannot_be_fetched_says_what_serves_instead(
    users: Path, tmp_path: Path
) -> None:
    cli = installer(tmp_path / "cli/bin/pulumi", tmp_path / "log", able="command")
    said = {each.name: str(each) for each in fetch(cli)}
    assert said["command"].endswith("/pulumi-resource-command")
    assert said["tls"] == (
        f"tls {sdk_version('tls')}: not fetched (no route); the lab's stand-in serves"
    )
    assert said["kubernetes"].endswith("; is built from its module")
    assert wanted() == ("pulumi-resource-proxmoxve", "pulumi-resource-kubernetes")
