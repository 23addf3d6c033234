"""What a cluster is founded on: when a change of it is refused, by the engine itself."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_tls as tls
import pytest

from components.cluster.founding import asked
from components.host import LayerError
from lab.engine.cli import find_cli
from lab.engine.engine import Engine, workspace
from lab.engine.errors import EngineError
from tests import whole
from tests.components import stacks


def inputs(port: str = "6443", *planes: str) -> dict[str, Any]:
    vips = '["198.18.10.10", "198.18.0.10"]'
    return {
        "control_planes": list(planes or ["cp-1 (121)"]),
        "read": {"balancers.vips": vips, "balancers.api_port": port},
    }


def ask(before: dict[str, Any], now: dict[str, Any], *, answered: bool) -> None:
    args = pulumi.ResourceHookArgs(
        urn="urn",
        id="",
        name="founding",
        type="layered-cloud:cluster:Founding",
        old_inputs=before,
        new_inputs=now,
        old_outputs={"answered": True} if answered else None,
    )
    asyncio.run(asked(args))


def test_another_value_is_refused_by_key_with_both() -> None:
    with pytest.raises(LayerError) as refused:
        ask(inputs(), inputs(port="7443"), answered=True)

    assert refused.value.problems[0] == (
        "balancers.api_port was 6443 when it was made, and is 7443"
    )
    assert len(refused.value.problems) == 2


def test_without_a_cluster_or_with_another_one_it_may_be_any() -> None:
    ask(inputs(), inputs(port="7443"), answered=False)
    ask(inputs(), inputs("7443", "cp-2 (122)"), answered=True)
    ask(inputs(), inputs(), answered=True)


def test_it_is_the_same_cluster_while_one_of_its_control_planes_is_left() -> None:
    before = inputs("6443", "cp-1 (121)", "cp-2 (122)", "cp-3 (123)")
    ask(before, inputs("6443", "cp-4 (124)", "cp-2 (122)", "cp-3 (123)"), answered=True)
    with pytest.raises(LayerError):
        ask(before, inputs("7443", "cp-4 (124)", "cp-2 (122)", "cp-3 (123)"), answered=True)
    ask(before, inputs("7443", "cp-4 (124)", "cp-5 (125)", "cp-6 (126)"), answered=True)


def test_others_are_added_behind_the_only_one_there_was() -> None:
    three = ("cp-2 (122)", "cp-1 (121)", "cp-3 (123)")
    with pytest.raises(LayerError) as refused:
        ask(inputs(), inputs("6443", *three), answered=True)
    assert list(refused.value.problems) == [
        "cluster.control_planes: cp-2 (122) stands before cp-1 (121), after which the cluster is "
        "called; write cp-1 (121) before the others; a later update may move it"
    ]
    ask(inputs(), inputs("6443", *sorted(three)), answered=True)
    ask(inputs("6443", *sorted(three)), inputs("6443", *three), answered=True)
    ask(inputs(), inputs("6443", *three), answered=False)


def test_a_state_of_the_program_before_names_the_one_control_plane_there_was() -> None:
    before = {"founder": "cp-1 (121)", "read": inputs()["read"]}
    ask(before, inputs(), answered=True)
    with pytest.raises(LayerError):
        ask(before, inputs("7443", "cp-1 (121)", "cp-2 (122)", "cp-3 (123)"), answered=True)
    ask(before, inputs("7443", "cp-2 (122)"), answered=True)


@pytest.mark.parametrize("name", whole.STACKS)
def test_the_program_asks_before_it_reaches_proxmox(name: str) -> None:
    made = [(each.type, each.name) for each in whole.plan(name).registered.resources]
    asked = made.index(("layered-cloud:cluster:Founding", "founding"))

    assert asked < made.index(("pulumi:providers:proxmoxve", "proxmox"))


@dataclasses.dataclass
class World:
    """`answers` is whether the update gets as far as a cluster, `upgrades` as its last node."""

    management: str = "198.18.0.10"
    answers: bool = True
    version: str = "1.36.1"
    upgrades: bool = True

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from components.cluster.founding import Founding, FoundingArgs
        from components.loadbalancers import api_endpoint
        from settings.models import Stack

        config = stacks.lab_config()
        config["balancers"]["vips"][0]["management"] = [self.management]
        config["cluster"]["kubernetes_version"] = self.version
        stack = Stack.model_validate(config)
        founding = Founding(
            "founding",
            FoundingArgs(
                cluster=stack.cluster,
                networks=stack.networks,
                api=api_endpoint(stack.balancers),
            ),
        )
        # Stands for whatever would be pushed: another one for another address.
        pushed = tls.PrivateKey(f"push-{self.management}", algorithm=founding.first("ED25519"))
        if self.answers:
            secret = pulumi.Output.secret(pushed.private_key_openssh)
            if self.upgrades:
                founding.made(secret, pushed.id.apply(lambda _: self.version))
            else:
                # A key of two bits: the provider refuses, as a node does that cannot be drained.
                stuck = tls.PrivateKey("stuck", algorithm="RSA", rsa_bits=2)
                founding.made(secret, stuck.id)


@pytest.fixture
def world() -> Iterator[tuple[World, Engine]]:
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    made = World()
    with workspace(
        "founding",
        program=made.program,
        cli=cli,
        throw_away=True,
        project={"name": "layered-cloud", "runtime": "python"},
        config={},
    ) as engine:
        yield made, engine


@pytest.mark.timeout(300)
def test_the_engine_refuses_before_anything_that_waits_is_made(world: tuple[World, Engine]) -> None:
    it, engine = world
    it.answers = False
    engine.up()
    it.management, it.answers = "198.18.0.11", True
    engine.up()
    it.management = "198.18.0.12"

    for run in (engine.preview, engine.up):
        with pytest.raises(EngineError, match=r"balancers\.vips was .*198.18.0.11.*198.18.0.12"):
            run()
    made = [each["urn"].rpartition("::")[2] for each in engine.state()["resources"]]

    assert "push-198.18.0.11" in made
    assert "push-198.18.0.12" not in made


@pytest.mark.timeout(300)
def test_a_release_is_refused_that_may_not_follow_the_one_that_every_node_has(
    world: tuple[World, Engine],
) -> None:
    it, engine = world
    it.version = "1.35.4"
    engine.up()
    # What stops half way may be taken back, and does not forget the cluster.
    it.version, it.upgrades = "1.36.3", False
    with pytest.raises(EngineError):
        engine.up()
    it.management = "198.18.0.12"
    with pytest.raises(EngineError, match=r"balancers\.vips was .*198.18.0.10.*198.18.0.12"):
        engine.preview()
    it.management, it.version, it.upgrades = "198.18.0.10", "1.35.4", True
    engine.up()

    it.version = "1.36.3"
    engine.up()
    it.version = "1.36.1"
    for run in (engine.preview, engine.up):
        with pytest.raises(EngineError, match=r"1\.36\.1 is older than what runs: the cluster is"):
            run()
    it.version = "1.36.3"
    assert engine.up().changed == 0
