"""The whole way: the real engine, OpenSSH's client, and routers that read their scripts as the
manual has it, behind SSH servers on loopback."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.engine.cli import find_cli
from lab.engine.engine import Engine, workspace
from lab.engine.errors import EngineError
from tests.components import rendered as layers
from tests.components import stacks
from tests.components.host.appliance import Appliance
from tests.components.routers.mikrotik import rendered
from tests.components.routers.mikrotik.router_os import RouterOs

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("sftp") is None, reason="needs OpenSSH's client"),
]

CDN = ["198.51.100.0/24"]


class World:
    """Two routers, one stack; `cdn` is what the program says at the next run."""

    def __init__(self, stack: ExitStack, tmp_path: Path) -> None:
        self.routers: dict[str, RouterOs] = {}
        self.doors: dict[str, Appliance] = {}
        self.order: list[str] = []
        self.cdn, self.epoch = CDN, "1"
        self.shuts: str | None = None
        for name in ("router-a", "router-b"):
            self.routers[name] = rendered.bare(stacks.mikrotik(), name)
            files = tmp_path / name
            files.mkdir()
            door = Appliance(files, self.answer)
            stack.callback(door.stop)
            self.doors[name] = door
        self.doors["router-b"].client_key = self.doors["router-a"].client_key

    def answer(self, line: str, files: Path) -> str:
        name, file = files.name, line.removeprefix("/import file-name=")
        self.order.append(f"{name} {file}")
        said = self.routers[name].source((files / file).read_text("utf-8"))
        if self.shuts == name and "layered-done" in said:
            self.doors[name].closed = True
        return said + "\n"

    def restart(self, name: str) -> None:
        """The time that nobody confirmed in is over."""
        self.routers[name].restart()
        self.doors[name].closed = False

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        import dataclasses

        import pulumi

        from components.routers import Routers

        args = layers.routers_args(stacks.mikrotik())
        machines = [
            dataclasses.replace(
                each,
                connection=dataclasses.replace(
                    each.connection,
                    host="127.0.0.1",
                    port=self.doors[each.name].port,
                    user="layered",
                    host_key=self.doors[each.name].public_key,
                    private_key=pulumi.Output.secret(self.doors["router-a"].private_key),
                ),
            )
            for each in args.machines
        ]
        given = {"cdn_ranges": self.cdn, "epoch": self.epoch, "confirm_seconds": 3}
        Routers("routers", dataclasses.replace(args, machines=machines, **given))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[World, Engine]]:
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    with ExitStack() as stack:
        it = World(stack, tmp_path)
        engine = stack.enter_context(
            workspace(
                "lab",
                program=it.program,
                cli=cli,
                throw_away=True,
                project={"name": "layered-cloud", "runtime": "python"},
                config={},
            )
        )
        yield it, engine


FILES = ("layered.rsc", "confirm-layered.rsc")


def test_a_pair_is_made_one_after_the_other_and_changed_by_lines_that_a_preview_shows(
    world: tuple[World, Engine],
) -> None:
    it, engine = world
    engine.up()
    assert it.order == [f"{name} {file}" for name in ("router-b", "router-a") for file in FILES]
    for router in it.routers.values():
        assert len(router.items("/interface/vrrp", disabled="no")) == 2
        assert router.items("/system/scheduler") == []
    assert engine.up().changed == 0
    assert len(it.order) == 4, "what has not changed is not told again"

    it.cdn = [*CDN, "192.0.2.0/24"]
    shown = [each.strip() for each in engine.preview(diff=True).text.splitlines()]
    entry = 'add list="layered-cdn-$ourGeneration" address=192.0.2.0/24'
    added = [each for each in shown if entry in each]
    assert len(added) == 2, "one line of each router"
    assert all(each.startswith("+") for each in added)
    moved = [each for each in shown if each[:1] in "+-" and "/ip/" in each and each not in added]
    assert all("layered-cdn-" in each and ":if" in each for each in moved), "and their count"
    assert len(it.order) == 4, "a preview asks nobody"
    engine.up()
    (generation,) = {
        each["list"].rpartition("-")[2]
        for each in it.routers["router-a"].items("/ip/firewall/address-list")
    }
    cdn = it.routers["router-a"].items(
        "/ip/firewall/address-list", list=f"layered-cdn-{generation}"
    )
    assert [each["address"] for each in cdn] == ["192.0.2.0/24", "198.51.100.0/24"]

    state = engine.export_plain_state()
    assert it.doors["router-a"].private_key.splitlines()[1] not in state


def test_a_router_that_is_cut_off_by_its_change_comes_back_and_its_peer_is_left_alone(
    world: tuple[World, Engine],
) -> None:
    it, engine = world
    engine.up()
    before = {name: copy.deepcopy(each.configuration()) for name, each in it.routers.items()}
    told = len(it.order)

    it.cdn, it.shuts = ["192.0.2.0/24"], "router-b"
    with pytest.raises(EngineError) as failed:
        engine.up()
    assert "nobody could confirm it over a new connection" in str(failed.value)
    assert "Its old configuration returns within 3 s, with a restart." in str(failed.value)
    assert it.order[told:] == ["router-b layered.rsc"]
    assert it.routers["router-a"].configuration() == before["router-a"]
    assert it.routers["router-b"].configuration() != before["router-b"]

    it.restart("router-b")
    assert it.routers["router-b"].configuration() == before["router-b"]
    it.shuts = None
    engine.up()
    assert it.order[-1] == "router-a confirm-layered.rsc"
    assert engine.up().changed == 0


def test_a_router_that_refuses_fails_the_update_with_its_own_words_and_is_asked_again(
    world: tuple[World, Engine],
) -> None:
    it, engine = world
    it.routers["router-b"].values["/system/resource"]["version"] = "6.49.18 (long-term)"
    with pytest.raises(EngineError) as failed:
        engine.up()
    assert "layered: this is no RouterOS 7" in str(failed.value)
    assert "Nothing was changed on it." in str(failed.value)
    assert it.order == ["router-b layered.rsc"]

    it.routers["router-b"].values["/system/resource"]["version"] = "7.20 (stable)"
    engine.up()
    assert it.order[-1] == "router-a confirm-layered.rsc"
