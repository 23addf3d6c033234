"""The whole way: the real engine, OpenSSH's client, and routers of the tests' own behind SSH
servers on loopback, whose shell runs the texts."""

from __future__ import annotations

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
from tests.components.routers.vyos import rendered
from tests.components.routers.vyos.box import Box

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's client"),
]
CDN = ["198.51.100.0/24"]


class World:
    """Two routers, one stack; `cdn` is what the program says at the next run."""

    def __init__(self, stack: ExitStack, tmp_path: Path) -> None:
        self.boxes: dict[str, Box] = {}
        self.doors: dict[str, Appliance] = {}
        self.order: list[str] = []
        self.cdn = CDN
        self.shuts: str | None = None
        for name in ("router-a", "router-b"):
            folder = tmp_path / name
            legs = rendered.interfaces(stacks.vyos(), name)
            answers = ["198.18.20.2", "198.18.20.3"]
            self.boxes[name] = Box(folder, {each: str(at) for each, at in legs.items()}, answers)
            door = Appliance(folder, self.answer, reads=True)
            stack.callback(door.stop)
            self.doors[name] = door
        self.doors["router-b"].client_key = self.doors["router-a"].client_key

    def answer(self, line: str, files: Path) -> str:
        if line == "true":
            return ""
        name, text = files.name, (files / Appliance.INPUT).read_text("utf-8")
        self.order.append(f"{name} {'commits' if 'COMMANDS' in text else 'confirms'}")
        said = self.boxes[name].run(line, text)
        if self.shuts == name and "layered-done" in said:
            self.doors[name].closed = True
        return said

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        import dataclasses

        import pulumi

        from components.routers import Routers

        args = layers.routers_args(stacks.vyos())
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
        given = {"cdn_ranges": self.cdn, "confirm_seconds": 60}
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


def test_the_owner_comes_last_and_a_change_is_one_commit_of_what_differs(
    world: tuple[World, Engine],
) -> None:
    it, engine = world
    engine.up()
    assert it.order == [
        *("router-b commits", "router-b confirms", "router-a commits", "router-a confirms"),
    ]
    for name, box in it.boxes.items():
        texts = rendered.script(stacks.vyos(), name)
        # The port is that of the test's own server.
        lines = {each for each in rendered.lines(texts)[:-1] if not each.endswith("port 22")}
        assert lines <= set(box.lines("saved"))
        assert not box.waits
    assert engine.up().changed == 0
    assert len(it.order) == 4, "nobody was asked"
    assert it.doors["router-a"].private_key.splitlines()[1] not in engine.export_plain_state()

    it.boxes["router-b"].write("refuses-commit", "[[firewall]] failed\n")
    it.cdn = ["192.0.2.0/24"]
    with pytest.raises(EngineError) as failed:
        engine.up()
    assert "layered: the commit failed" in str(failed.value)
    assert "Its old configuration returns within 60 s, with a restart." in str(failed.value)
    assert it.order[4:] == ["router-b commits"], "the owner is left alone"
