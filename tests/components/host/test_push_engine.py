"""The whole way: the real engine, the command provider, sshd, the agent on a booted machine."""

from __future__ import annotations

import dataclasses
import gc
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Interface

import pulumi
import pulumi_tls as tls
import pytest

from components.host import ConfirmPolicy, Step
from lab.engine.cli import find_cli
from lab.engine.engine import Engine, workspace
from lab.engine.errors import EngineError
from tests.components.host import demo
from tests.components.host.booted import Booted, booted, poll
from tests.components.host.ssh_door import SshDoor

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

CONF = "/etc/demo/a.conf"
SECRET = "xyzzy-plugh-4711"


CUT = "touch /run/cutting; until test -e /run/cut; do sleep 0.05; done"


class World:
    """One machine, one stack; `text` and the like are what the program says at the next run."""

    def __init__(self, machine: Booted, door: SshDoor, engine: Engine) -> None:
        self.machine = machine
        self.door = door
        self.engine = engine
        self.text = "\n".join(f"line {n}" for n in range(40)) + "\ntimeout 30\nend\n"
        self.secret = SECRET
        self.confirm: ConfirmPolicy | None = None
        self.steps: tuple[Step, ...] = ()
        self.made_by_vm = False
        self.wanted = True

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from components.host import (
            Connection,
            File,
            HostAction,
            HostActionArgs,
            HostConfiguration,
            HostConfigurationArgs,
            Machine,
            Service,
        )

        if not self.wanted:
            return
        machine = Machine(
            name="m",
            role="balancer",
            addresses={"management": IPv4Interface("127.0.0.1/8")},
            interfaces={"management": "lo"},
            connection=Connection(
                host="127.0.0.1",
                port=self.door.port,
                private_key=self.door.private_key,
                host_key=self.door.host_key,
            ),
            vm=None,
            host="pve1",
        )
        if self.made_by_vm:
            # Anything replaced by deleting it first stands for the VM.
            vm = tls.PrivateKey(
                "vm",
                algorithm="ED25519",
                opts=pulumi.ResourceOptions(delete_before_replace=True),
            )
            life = tls.PrivateKey(
                "life",
                algorithm="ED25519",
                opts=pulumi.ResourceOptions(depends_on=[vm], replace_with=[vm]),
            )
            machine = dataclasses.replace(
                machine, vm=vm, incarnation=life.public_key_fingerprint_sha256
            )
        program = [
            File(path=path, content=text, mode=mode) for path, (text, mode) in demo.PROGRAM.items()
        ]
        pushed = HostConfiguration(
            "m-base",
            HostConfigurationArgs(
                machine=machine,
                layer="base",
                files=(
                    *program,
                    File(path=CONF, content=self.text),
                    File(
                        path="/etc/demo/b.conf",
                        content="mode strict\npassword @@auth@@\n",
                        mode="0600",
                        secrets={"auth": self.secret},
                    ),
                ),
                checks=(demo.CHECK,),
                steps=self.steps,
                services=(Service(name="demo", watches=("/etc/demo",), health=demo.HEALTH),),
                confirm=self.confirm,
            ),
        )
        action = HostAction(
            "m-token",
            HostActionArgs(
                machine=machine,
                name="token",
                do="date +%N > /root/token",
                guard="test -s /root/token",
                undo="rm /root/token",
                result="cat /root/token",
            ),
            pulumi.ResourceOptions(depends_on=[pushed]),
        )
        pulumi.export("token", action.result)

    def changed(self) -> dict[str, str]:
        """What a preview plans, by resource name."""
        plan = self.engine.preview_steps()["steps"]
        return {step["urn"].split("::")[-1]: step["op"] for step in plan if step["op"] != "same"}


@pytest.fixture
def swept() -> Iterator[None]:
    """A run that fails leaves the SDK's coroutine to the collector, which must not meet it later
    in the middle of something else (CPython 3.11 then miscounts its recursion depth). The log
    record that the SDK's server writes would hold on to it."""
    log = logging.getLogger("grpc._server")
    level = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        gc.collect()
    finally:
        sys.unraisablehook = before


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


def test_from_nothing_through_changes_to_nothing(world: World) -> None:
    first = world.engine.up()
    assert first.changes["create"] == 4, first.steps  # the stack and 3 commands
    assert "password xyzzy" in (world.machine.text("/etc/demo/b.conf") or "")
    assert world.machine.text("/root/token") == world.engine.outputs()["token"] + "\n"
    assert world.engine.secret_outputs() == {"token"}
    assert world.engine.up().changed == 0

    world.text = world.text.replace("timeout 30", "timeout 45")
    assert world.changed() == {"m-base": "update"}
    preview = world.engine.preview().text
    shown = [line.strip() for line in preview.splitlines() if re.match(r"\s*[-+] ", line)]
    assert "- timeout 30" in shown, preview
    assert "+ timeout 45" in shown, preview
    assert f"{CONF}" in preview
    assert "line 3\n" not in preview, "only the lines around the change are shown"
    assert world.engine.up().changed == 1
    assert "timeout 45" in (world.machine.text("/run/demo.state") or "")

    world.secret = "another-4711"
    assert world.changed() == {"m-base-secrets": "update"}
    assert "another-4711" not in world.engine.preview().text
    world.engine.up()
    assert "password another-4711" in (world.machine.text("/run/demo.state") or "")
    assert world.engine.up().changed == 0
    state = world.engine.export_plain_state()
    for secret in (SECRET, "another-4711", world.door.private_key.splitlines()[1]):
        assert secret not in state

    world.wanted = False
    world.engine.up()
    assert world.machine.text(CONF) is None
    assert world.machine.text("/root/token") is None
    assert world.machine.check() == []
    assert world.machine.sh("systemctl is-active demo || true") == "inactive"


def test_a_refused_file_fails_the_update_with_the_daemons_words_and_the_next_one_converges(
    world: World,
) -> None:
    world.engine.up()
    good = world.text
    world.text = "nonsense\n"
    with pytest.raises(EngineError) as refused:
        world.engine.up()
    words = f"demod: {CONF}:1: unknown keyword 'nonsense' in: nonsense"
    assert words in str(refused.value)
    assert "Nothing was changed on the machine." in str(refused.value)
    assert world.machine.text(CONF) == good
    world.text = good.replace("timeout 30", "timeout 31")
    assert world.engine.up().changed == 1
    assert "timeout 31" in (world.machine.text("/run/demo.state") or "")


def test_a_push_that_cuts_the_way_in_comes_back_by_itself_and_fails_the_update(
    world: World,
) -> None:
    world.confirm = ConfirmPolicy(seconds=3)
    world.engine.up()
    good = world.text
    world.text = good.replace("timeout 30", "timeout 99")
    # As a firewall's mistake would: the push itself goes through, no new connection does.
    world.steps = (Step(name="cut", argv=("sh", "-c", CUT), when="after"),)

    def lock_out_until_the_restore() -> None:
        poll(lambda: world.machine.text("/run/cutting") is not None, 60, "the push")
        world.door.closed = True
        world.machine.sh("touch /run/cut")
        poll(lambda: world.machine.text(CONF) == good, 60, "the restore")
        world.door.closed = False

    network = threading.Thread(target=lock_out_until_the_restore)
    network.start()
    with pytest.raises(EngineError) as cut_off:
        world.engine.up()
    network.join()
    assert "the machine put its old set 'base' back at " in str(cut_off.value)
    assert world.machine.text(CONF) == good
    world.text, world.steps = good.replace("timeout 30", "timeout 32"), ()
    world.engine.up()
    assert world.machine.check()[0]["confirmed"] is True
    assert "timeout 32" in (world.machine.text("/run/demo.state") or "")


def test_a_new_vm_gets_everything_again_though_the_old_one_is_dead(world: World) -> None:
    world.made_by_vm = True
    world.engine.up()
    world.machine.sh(
        "systemctl disable --now demo; rm -r /var/lib/layered-cloud /etc/demo /root/token "
        "/usr/local/bin/demod /etc/systemd/system/demo.service"
    )
    assert world.engine.up().changed == 0, "the engine cannot know"
    vm = next(each["urn"] for each in world.engine.resources() if each["urn"].endswith("::vm"))
    world.door.closed = True

    def open_for_the_new_one() -> None:
        # Whatever still asks for the old machine finds nobody.
        poll(lambda: world.door.refused or replaced.is_set(), 60, "the replacement")
        world.door.closed = False

    replaced = threading.Event()
    network = threading.Thread(target=open_for_the_new_one)
    network.start()
    done = world.engine.up(replace=[vm])
    replaced.set()
    network.join()
    names = {step["urn"].split("::")[-1]: step["op"] for step in done.steps}
    assert {name: names[name] for name in ("m-base", "m-base-secrets", "m-token")} == {
        "m-base": "update",
        "m-base-secrets": "update",
        "m-token": "update",
    }
    assert "timeout 30" in (world.machine.text("/run/demo.state") or "")
    assert world.engine.up().changed == 0
    world.door.closed = True
    world.wanted = False
    before = world.door.connections
    world.engine.up()
    assert world.door.connections == before, "nothing asks a machine that goes with its VM"
