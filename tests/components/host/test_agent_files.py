"""The agent's parts that need no machine: files, the store, messages."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.host.agent import drift, files, services, view
from components.host.agent.errors import Failure, redact
from components.host.agent.run import run
from components.host.agent.store import Store, write_atomically

ME = f"{os.getuid()}:{os.getgid()}"


def spec(**more: Any) -> dict[str, Any]:
    return {"content": "a", "mode": "0644", "owner": ME, **more}


def test_placeholders_and_whole_secrets_are_filled_in() -> None:
    configuration = {
        "files": {
            "/a": spec(content="x=@@one@@ y=@@two@@ z=@@one@@", secrets=["one", "two"]),
            "/b": spec(content="<secret>", secret=True),
            "/c": spec(content="@@untouched@@"),
        }
    }
    secrets = {"/a#one": "1", "/a#two": "2", "/b": "whole\n"}
    made = {file.path: file.data for file in files.wanted(configuration, secrets)}
    assert made == {"/a": b"x=1 y=2 z=1", "/b": b"whole\n", "/c": b"@@untouched@@"}
    assert files.references(configuration) == {"/a#one", "/a#two", "/b"}


def test_a_new_folder_is_for_every_daemon_to_read(tmp_path: Path) -> None:
    wanted = files.wanted({"files": {f"{tmp_path}/a.d/b.d/file": spec()}}, {})
    before = os.umask(0o077)
    try:
        files.make_ready(wanted)
        files.swap(wanted)
    finally:
        os.umask(before)
    made = (tmp_path / "a.d", tmp_path / "a.d/b.d")
    assert [stat.S_IMODE(each.stat().st_mode) for each in made] == [0o755, 0o755]


def test_a_missing_secret_is_named() -> None:
    configuration = {"files": {"/a": spec(content="@@k@@", secrets=["k"])}}
    with pytest.raises(Failure) as failed:
        files.wanted(configuration, {})
    assert "/a needs a secret that this machine was never given (/a#k)" in failed.value.text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_text("b"), "content differs"),
        (lambda path: path.chmod(0o600), "mode is 0600, not 0644"),
        (lambda path: path.unlink(), "missing"),
        (lambda path: (path.unlink(), path.mkdir()), "not a regular file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/null")), "not a regular file"),
        (lambda path: None, None),
    ],
)
def test_a_difference_is_told_in_words(tmp_path: Path, change: Any, words: str | None) -> None:
    path = tmp_path / "f"
    file = files.Wanted(str(path), b"a", 0o644, ME)
    files.make_ready([file])
    files.swap([file])
    change(path)
    assert files.difference(str(path), file.record()) == words


def test_an_unknown_owner_is_named() -> None:
    with pytest.raises(Failure, match="no user or group 'nobody-here:nor-there'"):
        files.ids("nobody-here:nor-there")


@pytest.mark.parametrize("kind", ["absent", "file", "link", "deep"])
def test_what_stood_there_comes_back(tmp_path: Path, kind: str) -> None:
    store, path = Store(tmp_path / "store"), tmp_path / "etc" / "f"
    path.parent.mkdir()
    if kind == "file":
        path.write_text("old")
        path.chmod(0o640)
    elif kind == "link":
        path.symlink_to("elsewhere")
    elif kind == "deep":
        path = path.parent / "new" / "er" / "f"
    entry = files.back_up(store, "layer", str(path))
    new = files.Wanted(str(path), b"new", 0o600, ME)
    files.make_ready([new])
    assert not path.exists() or path.read_text() == "old"
    files.swap([new])
    assert path.read_text() == "new"
    assert not path.is_symlink()
    assert files.put_back(entry)
    assert not files.put_back(entry), "it stands already"
    if kind == "file":
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("old", 0o640)
    elif kind == "link":
        assert str(path.readlink()) == "elsewhere"
    else:
        assert not path.exists()
        assert list((tmp_path / "etc").iterdir()) == []


def test_a_directory_in_the_place_of_a_file_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="neither a file nor a link"):
        files.back_up(Store(tmp_path), "layer", str(tmp_path))


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(OverflowError):
        write_atomically(path, b"new", 0o644, 0, 2**40)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


@given(st.binary(max_size=200), st.sampled_from([0o600, 0o640, 0o644, 0o755]))
def test_any_content_and_mode_lands_as_it_is(data: bytes, mode: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "f"
        write_atomically(path, data, mode, os.getuid(), os.getgid())
        assert path.read_bytes() == data
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(
    ("watches", "paths", "touched"),
    [
        ((), ["/etc/x"], True),
        ((), [], False),
        (("/etc/x",), ["/etc/x"], True),
        (("/etc/haproxy/",), ["/etc/haproxy/a.cfg"], True),
        (("/etc/haproxy",), ["/etc/haproxy2/a.cfg"], False),
        (("/etc/a", "/etc/b"), ["/etc/c", "/etc/b/d"], True),
    ],
)
def test_a_watch_is_a_path_or_a_directory(
    watches: tuple[str, ...], paths: list[str], touched: bool
) -> None:
    assert files.touches(watches, paths) is touched


def test_a_message_has_the_words_first_and_no_secret() -> None:
    failure = Failure("the check refused it", "line 3: bad key hunter22\n", "Nothing was changed.")
    assert failure.text(["hunter22"]) == (
        "line 3: bad key <secret>\nthe check refused it\nNothing was changed."
    )


def test_every_line_of_a_long_secret_is_struck_out_and_short_ones_are_left() -> None:
    text = redact("x MIIEabc y\nz END z\nab", ["BEGIN\nMIIEabc\nEND\n", "ab"])
    assert text == "x <secret> y\nz END z\nab"


def test_a_program_that_is_missing_or_late_has_an_outcome_too() -> None:
    assert run(["/no/such/program"]).status == 127
    late = run(["sh", "-c", "echo before; sleep 5"], 0.2)
    assert late.status == 124
    assert late.output.startswith("before\n")
    assert "no answer within 0.2 s" in late.output


def test_the_store_knows_its_layers_and_who_owns_what(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    assert list(store.layers()) == []
    store.write("base", "manifest", {"files": {"/etc/a": {}}})
    store.write("routes", "manifest", {"files": {"/etc/b": {}}})
    store.write("actions", "init", {})
    assert list(store.layers()) == ["base", "routes"]
    assert store.owner_of("/etc/a", besides="routes") == "base"
    assert store.owner_of("/etc/a", besides="base") is None
    assert stat.S_IMODE((tmp_path / "s/base/manifest.json").stat().st_mode) == 0o600
    store.write("base", "secrets", {"k": "v"})
    store.forget("base")
    assert store.read("base", "manifest") is None
    assert store.read("base", "secrets") == {"k": "v"}


def test_drift_names_a_push_that_was_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "settled", lambda service: False)
    monkeypatch.setattr(services, "state", lambda name: {"active": True, "enabled": False})
    store = Store(tmp_path)
    manifest = {
        "machine": "m",
        "layer": "base",
        "generation": "g",
        "confirmed": True,
        "at": "2026-01-01T00:00:00Z",
        "files": {str(tmp_path / "gone"): {"sha256": "", "mode": "0644", "owner": ME}},
        "packages": {"no-such-package-here": "1.0"},
        "services": [{"name": "haproxy"}],
    }
    store.write("base", "manifest", manifest)
    store.write("base", "pending", {"phase": "swapping"})
    assert drift.report(store, ["base"])[0]["drift"] == [
        {"what": str(tmp_path / "gone"), "is": "missing"},
        {"what": "package no-such-package-here", "is": "not installed, not 1.0"},
        {"what": "haproxy.service", "is": "active, not enabled"},
        {"what": "push", "is": "cut half way, to be put back by the next one"},
    ]
    assert drift.report(store, ["another"]) == []


def test_the_view_covers_each_directory_once(tmp_path: Path) -> None:
    (tmp_path / "etc" / "haproxy").mkdir(parents=True)
    paths = [
        f"{tmp_path}/etc/hosts",
        f"{tmp_path}/etc/haproxy/a.cfg",
        f"{tmp_path}/etc/haproxy/new/deep/b.cfg",
    ]
    assert view._tops(paths) == [f"{tmp_path}/etc"]
    assert view._tops(paths[1:]) == [f"{tmp_path}/etc/haproxy"]
    with pytest.raises(SystemExit, match="its top directory does not exist"):
        view._tops(["/no-such-top/x"])
