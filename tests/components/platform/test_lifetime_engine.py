"""The real engine, a machine that is replaced, and something inside it that nobody can reach."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pulumi
import pulumi_command as command
import pulumi_tls as tls
import pytest
from pulumi_command import remote

from lab.engine.cli import find_cli
from lab.engine.engine import Engine, workspace
from lab.engine.errors import EngineError
from tests.lab.plugins.ssh_host import SshHost

pytestmark = pytest.mark.timeout(240)


@dataclasses.dataclass
class World:
    """`host` is where the object lives; `goes_with` names the resource that it is deleted with. One
    that `outlives` the machine lives on others too."""

    host: SshHost
    curve: str = "P256"
    goes_with: str = "lifetime"
    outlives: bool = False

    def connection(self, comment: pulumi.Input[str] = "") -> remote.ConnectionArgs:
        return remote.ConnectionArgs(
            host="127.0.0.1",
            port=self.host.port,
            user="root",
            private_key=pulumi.Output.secret(self.host.private_key),
            host_key=pulumi.Output.concat(self.host.public_key.strip(), " ", comment),
            dial_error_limit=1,
        )

    def identity(self, life: pulumi.Input[str]) -> pulumi.Output[str]:
        """What a cluster of several was first called, asked on a machine that may be another."""
        asked = remote.Command(
            "identity",
            remote.CommandArgs(
                connection=self.connection(life),
                create="echo lab-first",
                update="echo lab-first",
                stdin=pulumi.Output.secret(life),
            ),
        )
        return asked.stdout

    def program(self) -> None:
        vm = tls.PrivateKey(
            "vm",
            algorithm="ECDSA",
            ecdsa_curve=self.curve,
            opts=pulumi.ResourceOptions(delete_before_replace=True),
        )
        # As components/machines makes it.
        lifetime = tls.PrivateKey(
            "lifetime",
            algorithm="ED25519",
            opts=pulumi.ResourceOptions(depends_on=[vm], replace_with=[vm]),
        )
        provider = command.Provider("late", opts=pulumi.ResourceOptions(depends_on=[lifetime]))
        life = lifetime.public_key_fingerprint_sha256
        remote.Command(
            "object",
            remote.CommandArgs(
                connection=self.connection(),
                create="true",
                delete="true",
                triggers=[self.identity(life) if self.outlives else life],
            ),
            opts=pulumi.ResourceOptions(
                delete_before_replace=True,
                replace_with=[] if self.outlives else [vm],
                provider=provider,
                deleted_with={"vm": vm, "lifetime": lifetime}[self.goes_with],
            ),
        )


@pytest.fixture
def host() -> Iterator[Callable[[], SshHost]]:
    """Makes living hosts; each is stopped at the end, if it still lives."""
    with ExitStack() as living:

        def make() -> SshHost:
            made = SshHost()
            made.start()
            living.callback(lambda: made._thread.is_alive() and made.stop())
            return made

        yield make


@pytest.fixture
def world(host: Callable[[], SshHost]) -> Iterator[tuple[World, Engine]]:
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    made = World(host())
    with workspace(
        "lifetime",
        program=made.program,
        cli=cli,
        throw_away=True,
        project={"name": "layered-cloud", "runtime": "python"},
        config={},
    ) as engine:
        engine.up()
        yield made, engine


def lost(world: World, successor: SshHost) -> None:
    """The machine is gone, with all that is in it; another one takes its place."""
    world.host.stop()
    world.host, world.curve = successor, "P384"


def test_what_goes_with_a_lifetime_is_not_asked_of_a_dead_machine_that_is_replaced(
    world: tuple[World, Engine], host: Callable[[], SshHost]
) -> None:
    one, engine = world
    lost(one, host())
    changes = engine.up().changes
    assert changes["replace"] == 3
    assert one.host.connections == 1


def test_what_goes_with_the_vm_is_asked_all_the_same(
    world: tuple[World, Engine], host: Callable[[], SshHost]
) -> None:
    one, engine = world
    one.goes_with = "vm"
    engine.up()
    lost(one, host())
    with pytest.raises(EngineError, match="object"):
        engine.up()


def test_what_goes_with_a_lifetime_is_not_asked_of_a_dead_machine_that_is_destroyed(
    world: tuple[World, Engine],
) -> None:
    one, engine = world
    one.host.stop()
    engine.destroy()


def test_what_goes_with_none_of_several_machines_is_not_touched_when_one_is_replaced(
    world: tuple[World, Engine],
) -> None:
    """As the platform makes it when the cluster hands on a control plane without a lifetime."""
    one, engine = world
    one.outlives, one.goes_with = True, "vm"
    engine.up()
    one.curve = "P384"
    done = engine.up()
    assert done.changes["replace"] == 2
    did = {
        name: {step["op"] for step in done.steps if step["urn"].endswith(f"::{name}")}
        for name in ("identity", "object")
    }
    assert did["identity"] == {"update"}
    assert did["object"] <= {"same", "update"}
    one.host.stop()
    engine.destroy()
