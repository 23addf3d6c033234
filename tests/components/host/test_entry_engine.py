"""Another deploy key, the whole way: the real engine, sshd, the agent on a booted machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Interface
from pathlib import Path

import pulumi
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.engine.cli import find_cli
from lab.engine.engine import Engine, workspace
from lab.engine.errors import EngineError
from tests.components.host.booted import Booted, booted
from tests.components.host.ssh_door import SshDoor
from tests.components.host.test_push_engine import swept

__all__ = ["swept"]

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

KEYS = "/root/.ssh/authorized_keys"


def pair() -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode()


class World:
    """One machine whose authorized keys are pushed, as a baseline pushes them."""

    def __init__(self, machine: Booted, door: SshDoor, engine: Engine) -> None:
        self.machine = machine
        self.door = door
        self.engine = engine
        self.now = (door.private_key, door.public_key)
        self.before: tuple[str, str] | None = None

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        import dataclasses

        from components.host import (
            Connection,
            File,
            HostAction,
            HostActionArgs,
            HostConfiguration,
            HostConfigurationArgs,
            Machine,
        )
        from components.host.entry import gate, way_in

        layer = pulumi.ComponentResource("layered-cloud:test:Layer", "layer")
        public = self.now[1]
        entry = gate("gate", now=public, before=self.before and self.before[1], parent=layer)
        machine = Machine(
            name="m",
            role="balancer",
            addresses={"management": IPv4Interface("127.0.0.1/8")},
            interfaces={"management": "lo"},
            connection=Connection(
                host="127.0.0.1",
                port=self.door.port,
                private_key=pulumi.Output.secret(self.now[0]),
                host_key=self.door.host_key,
            ),
            vm=None,
            host="pve1",
            entry=(entry,),
        )
        if self.before is not None:
            old = pulumi.Output.secret(self.before[0])
            let_in = way_in("m-way-in", machine, public_key=public, before=old, parent=layer)
            machine = dataclasses.replace(machine, entry=(entry, let_in))
        HostConfiguration(
            "m-baseline",
            HostConfigurationArgs(
                machine=machine,
                layer="baseline",
                files=(File(path=KEYS, content=f"# ours\n{public}\n", mode="0600"),),
            ),
        )
        HostAction("m-hello", HostActionArgs(machine=machine, name="hello", result="hostname"))

    def did(self) -> dict[str, str]:
        steps = self.engine.up().steps
        return {each["urn"].split("::")[-1]: each["op"] for each in steps}


@pytest.fixture
def world(swept: None) -> Iterator[World]:
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    with ExitStack() as stack:
        machine = stack.enter_context(booted("dev-host"))
        door = SshDoor(machine)
        stack.callback(door.close)
        it: World

        def program() -> None:
            it.program()

        engine = stack.enter_context(
            workspace(
                "host",
                program=program,
                cli=cli,
                throw_away=True,
                project={"name": "layered-cloud", "runtime": "python"},
                config={},
            )
        )
        it = World(machine, door, engine)
        yield it


def test_another_key_is_refused_at_once_and_goes_through_with_the_one_before(world: World) -> None:
    world.engine.up()
    first, second = world.now, pair()
    world.now = second
    asked = world.door.connections
    with pytest.raises(EngineError) as refused:
        world.engine.up()
    told = str(refused.value)
    assert f"they let in: {first[1]}" in told
    assert f"this run has: {second[1]}" in told
    assert "pulumi config set --secret layered-cloud:deployKeyBefore -s host < FILE" in told
    assert world.door.connections == asked, "no machine was asked"

    world.before = first
    assert world.did() == {
        "gate": "update",
        "m-way-in": "create",
        "m-baseline": "update",
        "m-hello": "update",
    }
    assert world.machine.text(KEYS) == f"# ours\n{second[1]}\n", "the old one is gone"
    assert world.machine.sh(f"stat -c '%a %U' {KEYS}") == "600 root"
    assert world.engine.up().changed == 0

    world.before = None
    asked = world.door.connections
    assert world.did() == {"gate": "update", "m-way-in": "delete"}
    assert world.door.connections == asked, "taking the way away asks nobody"
    assert world.engine.up().changed == 0
    state = world.engine.export_plain_state()
    for private, _ in (first, second):
        assert private.splitlines()[1] not in state


def test_a_rotation_that_was_cut_off_half_way_goes_on(world: World) -> None:
    world.engine.up()
    first, second = world.now, pair()
    world.now, world.before = second, first
    # The new one is in, and the update ended there.
    world.machine.sh(f"echo '{second[1]}' >>{KEYS}")
    world.engine.up()
    assert world.machine.text(KEYS) == f"# ours\n{second[1]}\n"
    assert world.engine.up().changed == 0


def test_a_key_before_that_is_not_the_one_they_let_in_is_refused(world: World) -> None:
    world.engine.up()
    world.now, world.before = pair(), pair()
    with pytest.raises(EngineError, match="and before it: ssh-ed25519"):
        world.engine.up()
    assert Path(world.machine.root, KEYS[1:]).read_text().count("ssh-ed25519") == 1
