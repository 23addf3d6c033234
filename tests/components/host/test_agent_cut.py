"""A push cut, or short of room, at every step: the old set stands or the new, and the next ends.

An audit hook stands between the agent and the kernel: everything that changes the disk, and every
program that is run, is one step.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.host import payload
from components.host.agent import __main__ as agent_main
from components.host.agent import dpkg, requests, restore
from components.host.agent.errors import Failure
from components.host.part import ConfirmPolicy, Package
from tests.components.host.fake_system import Unit, install
from tests.components.host.test_agent_push import World

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod", "os.chown"}
GROWS = {"open", "os.mkdir"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
Step = Callable[[str, tuple[Any, ...]], None]
_watch: list[Step] = []
_hooked: list[bool] = []


class Cut(BaseException):
    """The power is gone: nothing is cleaned up."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watch:
        return
    if event in CHANGES or (event == "open" and isinstance(arguments[2], int)):
        if event == "open" and not arguments[2] & WRITES:
            return
        _watch[0](event, arguments)


class Sabotage:
    """From the step `at` on, what `strikes` picks fails with `error`; `steps` are counted."""

    def __init__(self, at: int, error: BaseException, strikes: Callable[[str], bool]) -> None:
        self.at, self.error, self.strikes = at, error, strikes
        self.steps = 0

    def __enter__(self) -> Sabotage:
        _watch.append(self.step)
        return self

    def __exit__(self, *_: object) -> None:
        _watch.clear()

    def step(self, event: str, arguments: tuple[Any, ...] = ()) -> None:
        del arguments
        if self.strikes(event):
            self.steps += 1
            if self.steps >= self.at:
                raise self.error


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    system = install(monkeypatch, tmp_path)
    system.units["haproxy"] = Unit()
    system.offered = {"haproxy": "1"}
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    whole = system.run

    def run(argv: Any, *more: Any, **named: Any) -> Any:
        if _watch:
            _watch[0]("run", ())
        return whole(argv, *more, **named)

    from tests.components.host import fake_system

    for module in fake_system.MODULES:
        monkeypatch.setattr(module, "run", run)
    yield World(system, tmp_path)
    _watch.clear()


OLD = {"haproxy.cfg": "one\n", "gone": "old\n"}
NEW = {"haproxy.cfg": "two\n", "new/deep": "new\n"}
PACKAGES = (Package(name="haproxy", version="2"),)


def tree(world: World) -> dict[str, str]:
    return {
        str(path.relative_to(world.etc)): path.read_text()
        for path in world.etc.rglob("*")
        if path.is_file()
    }


def begin(world: World) -> None:
    """The old set in force, with version 1, and version 2 to be had."""
    world.push(files=OLD, packages=(Package(name="haproxy", version="1"),))
    world.system.offered = {"haproxy": "2"}


def again(world: World, directory: Path, name: str) -> World:
    """The same machine from its beginning, in a place of its own."""
    fresh = World(world.system, directory / name)
    fresh.store.root = directory / name / "state"
    fresh.etc.mkdir(parents=True)
    world.system.units["haproxy"] = Unit()
    world.system.packages.clear()
    world.system.offered = {"haproxy": "1"}
    begin(fresh)
    return fresh


def steps(world: World, tmp_path: Path, strikes: Callable[[str], bool], **over: Any) -> int:
    """How many steps the whole push has."""
    fresh = again(world, tmp_path, "count")
    with Sabotage(10**6, Cut(), strikes) as counted:
        fresh.push(files=NEW, packages=PACKAGES, **over)
    return counted.steps


@pytest.mark.parametrize("booting", [False, True])
@pytest.mark.parametrize("confirm", [None, ConfirmPolicy(seconds=60)])
def test_cut_at_any_step_the_old_set_or_the_new_stands_and_the_next_push_ends(
    world: World, tmp_path: Path, booting: bool, confirm: ConfirmPolicy | None
) -> None:
    total = steps(world, tmp_path, lambda event: True, confirm=confirm)
    assert total > 40, "the push was looked at step by step"
    seen = set()
    for at in range(1, total + 1):
        fresh = again(world, tmp_path, f"cut-{at}")
        wish = fresh.wish(files=NEW, packages=PACKAGES, confirm=confirm)
        with Sabotage(at, Cut(), lambda event: True), pytest.raises(Cut):
            requests.apply(fresh.store, wish)
        restore.recover(fresh.store, booting=booting)
        manifest = fresh.store.read("base", "manifest")
        assert manifest is not None
        new = manifest["generation"] == payload.generation(wish)
        assert tree(fresh) == (NEW if new else OLD), f"step {at}"
        seen.add(new)
        configuration = fresh.store.read("base", "configuration")
        assert configuration == (wish if new else fresh.wish(files=OLD, packages=_old())), at
        restore.recover(fresh.store)
        requests.apply(fresh.store, wish)
        assert tree(fresh) == NEW, f"step {at}"
        if confirm:
            requests.confirm(fresh.store, payload.confirmation(wish))
        assert requests.apply(fresh.store, wish)[1] == "unchanged", f"step {at}"
        assert not dpkg.POLICY.exists()
        litter = list(fresh.etc.parent.rglob("*.layered-cloud"))
        assert not litter, f"step {at}: {litter}"
    assert False in seen


def _old() -> tuple[Package, ...]:
    return (Package(name="haproxy", version="1"),)


def test_what_was_confirmed_stays_though_the_confirmation_was_cut(
    world: World, tmp_path: Path
) -> None:
    policy = ConfirmPolicy(seconds=60)
    at, cut = 0, True
    while cut:
        at, cut = at + 1, False
        fresh = again(world, tmp_path, f"confirm-{at}")
        wish = fresh.wish(files=NEW, packages=PACKAGES, confirm=policy)
        requests.apply(fresh.store, wish)
        with Sabotage(at, Cut(), lambda event: True):
            try:
                requests.confirm(fresh.store, payload.confirmation(wish))
            except Cut:
                cut = True
        manifest = fresh.store.read("base", "manifest")
        assert manifest is not None
        restore.recover(fresh.store, booting=True)
        if manifest["confirmed"]:
            assert tree(fresh) == NEW, f"step {at}"
        requests.apply(fresh.store, wish)
        assert requests.confirm(fresh.store, payload.confirmation(wish))[1] == "confirmed"
        assert requests.apply(fresh.store, wish)[1] == "unchanged"
    assert at > 3


def test_a_daemon_is_restarted_though_the_push_that_renewed_it_was_cut(
    world: World, tmp_path: Path
) -> None:
    """Its program on the disk is the new one, and what runs is not."""
    begin(world)
    with Sabotage(1, Cut(), lambda event: event == "run") as sabotage:
        sabotage.at = 10**6

        def at_the_hold(event: str, arguments: Any = ()) -> None:
            del event, arguments
            if world.system.packages.get("haproxy") == "2":
                raise Cut

        _watch[0] = at_the_hold
        with pytest.raises(Cut):
            world.push(files=NEW, packages=PACKAGES)
    restore.recover(world.store)
    assert world.system.packages == {"haproxy": "2"}
    assert "restarted haproxy.service" in world.push(files=NEW, packages=PACKAGES)
    assert "reloaded haproxy.service" in world.push(files=OLD, packages=PACKAGES), "only once"


def fails(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("confirm", [None, ConfirmPolicy(seconds=60)])
def test_a_disk_that_is_full_from_any_step_on_is_told_and_nothing_is_lost(
    world: World, tmp_path: Path, confirm: ConfirmPolicy | None
) -> None:
    grows = GROWS.__contains__
    total = steps(world, tmp_path, grows, confirm=confirm)
    assert total > 10
    for at in range(1, total + 1):
        fresh = again(world, tmp_path, f"full-{at}")
        wish = fresh.wish(files=NEW, packages=PACKAGES, confirm=confirm)
        full = Sabotage(at, fails(errno.ENOSPC), grows)
        with full, pytest.raises(Failure) as failed:
            requests.apply(fresh.store, wish)
        text = failed.value.text()
        assert "No space left on device" in text, f"step {at}: {text}"
        assert "is full (" in text
        assert "MiB free): make room there" in text
        assert tree(fresh) == OLD, f"step {at}: {text}"
        assert fresh.store.read("base", "pending") is None, f"step {at}: {text}"
        manifest = fresh.store.read("base", "manifest")
        assert manifest is not None
        assert manifest["generation"] != payload.generation(wish)
        requests.apply(fresh.store, wish)
        assert tree(fresh) == NEW


@pytest.mark.parametrize("layered", [False, True])
def test_a_file_system_that_is_read_only_is_named_with_the_way_out(
    world: World, layered: bool
) -> None:
    begin(world)
    place = str(world.etc if layered else world.store.root)

    def refuse(event: str, arguments: tuple[Any, ...] = ()) -> None:
        if event != "run" and str(arguments[0]).startswith(place):
            raise fails(errno.EROFS)

    with Sabotage(0, Cut(), lambda event: False):
        _watch[0] = refuse
        failure = world.refused(files=NEW)
    assert "Read-only file system" in failure.words
    assert "is mounted read-only" in failure.what
    assert "mount -o remount,rw" in failure.what
    assert "Nothing was changed on the machine." in failure.after
    assert tree(world) == OLD
    world.push(files=NEW)
    assert tree(world) == NEW


def test_what_cannot_be_put_back_now_is_kept_for_the_next_push(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(world)
    world.system.fails["probe"] = "no\n"
    world.system.calls.clear()

    def refuse(event: str, arguments: tuple[Any, ...] = ()) -> None:
        if event == "run" and world.system.did("probe"):
            refusing.append(True)
        if event != "run" and refusing and str(arguments[0]).startswith(str(world.etc)):
            raise fails(errno.EROFS)

    refusing: list[bool] = []
    with Sabotage(0, Cut(), lambda event: False):
        _watch[0] = refuse
        failure = world.refused(files=NEW)
    assert "file(s) of the old set 'base' cannot be put back" in failure.after
    assert world.store.read("base", "pending") is not None
    monkeypatch.setattr(agent_main, "Store", lambda: world.store)
    assert agent_main.main(["recover"]) == 0
    said = capsys.readouterr().err
    assert said == (
        "an earlier push of 'base' was cut half way: The old set is back (3 file(s)).\n"
    )
    assert tree(world) == OLD


def test_a_copy_that_is_damaged_is_not_put_back_over_a_file(world: World) -> None:
    begin(world)
    world.system.checker = lambda staged: ""
    world.system.fails["probe"] = "no\n"

    def spoil(argv: Any, *more: Any, **named: Any) -> Any:
        for copy in (world.store.directory("base") / "backup").glob("*"):
            copy.write_text("half a fi")
        return whole(argv, *more, **named)

    from components.host.agent import services

    whole = services.run
    services.run = spoil
    try:
        failure = world.refused(files=NEW)
    finally:
        services.run = whole
    assert "haproxy.cfg stays as it is: its copy" in failure.after
    assert tree(world)["haproxy.cfg"] == "two\n"
    world.system.fails.clear()
    world.push(files=NEW)
    assert tree(world) == NEW


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("manifest", "which files the layer made is no longer known"),
        ("configuration", "new secrets reach its files only once the layer is pushed again"),
        ("pending", "what a push cut half way had swapped stays"),
        ("secrets", "raise the epoch"),
    ],
)
def test_a_damaged_document_is_set_aside_named_and_the_push_goes_on(
    world: World, name: str, lost: str
) -> None:
    begin(world)
    path = world.store.directory("base") / f"{name}.json"
    path.write_text('{"generation": "g", "fil')
    with pytest.raises(Failure, match=r"is damaged .* the next push sets it aside"):
        world.store.read("base", name)
    said = restore.recover(world.store)
    assert len(said) == 1
    assert said[0].startswith(f"set {path} aside, which was damaged: {lost}")
    assert path.with_name(f"{name}.json.damaged").exists()
    world.push(files=NEW)
    assert tree(world).items() >= NEW.items()
    assert world.push(files=NEW) == "unchanged"
