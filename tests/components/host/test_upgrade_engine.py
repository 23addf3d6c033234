"""The state of a program that had a component around every command: the real engine takes each
command for the one it was, and makes or takes away nothing on a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Interface

import pulumi
import pytest
from pulumi_command import remote

from lab.engine.cli import find_cli
from lab.engine.engine import workspace

pytestmark = pytest.mark.timeout(300)

HOST = "layered-cloud:host"
CLUSTER = "layered-cloud:cluster:Cluster"
STEPS = ("identity", "token", "join", "member")


def before() -> None:
    """As it was; without a command line, so that no machine is asked."""

    def below(
        parent: pulumi.Resource | None, component: tuple[str, ...], name: str, *commands: str
    ) -> None:
        for type_ in component:
            parent = pulumi.ComponentResource(
                type_, name, {}, pulumi.ResourceOptions(parent=parent)
            )
        for command in commands:
            remote.Command(
                command,
                connection=remote.ConnectionArgs(host="198.18.0.41"),
                opts=pulumi.ResourceOptions(parent=parent),
            )

    below(None, (f"{HOST}:Action",), "init", "init")
    pushes = ("m-baseline", "m-baseline-confirm")
    below(None, (f"{HOST}:Baseline", f"{HOST}:Configuration"), "m-baseline", *pushes)
    cluster = pulumi.ComponentResource(CLUSTER, "cluster")
    worker = pulumi.ComponentResource(
        "layered-cloud:cluster:Worker", "m", {}, pulumi.ResourceOptions(parent=cluster)
    )
    for step in STEPS:
        below(worker, (f"{HOST}:Action",), f"m-{step}", f"m-{step}")
    below(cluster, (), "cp-init", "cp-init")


def now() -> None:
    # The engine runs a program with modules of its own, and looks names up in them.
    from components.cluster.control_plane import ControlPlane, ControlPlaneArgs
    from components.cluster.worker import Worker, WorkerArgs
    from components.host import Connection, HostAction, HostActionArgs, Machine
    from components.host.baseline import Baseline, BaselineArgs
    from tests.components.cluster import nodes

    machine = Machine(
        name="m",
        role="worker",
        addresses={"management": IPv4Interface("198.18.0.41/24")},
        interfaces={"management": "eth0"},
        connection=Connection(host="198.18.0.41", private_key="KEY", host_key="ssh-ed25519 AAAA"),
        vm=None,
        host="pve1",
    )
    HostAction("init", HostActionArgs(machine=machine, name="init", do="true"))
    Baseline("m-baseline", BaselineArgs(machine=machine, authorized_keys=("ssh-ed25519 A",)))
    cluster = pulumi.ComponentResource(CLUSTER, "cluster")
    Worker(
        "m",
        WorkerArgs(
            machine=machine,
            node=nodes.worker(name="m"),
            control_plane=machine,
            ignore_preflight_errors=(),
            release=(),
        ),
        pulumi.ResourceOptions(parent=cluster),
    )
    ControlPlane(
        ControlPlaneArgs(
            machine=replace(machine, name="cp"),
            node=nodes.control_plane(name="cp"),
            founder=True,
            admitters=(),
            others=(),
            read={},
            ignore_preflight_errors=(),
        ),
        pulumi.ResourceOptions(parent=cluster),
    )


def named(steps: Sequence[dict[str, str]], op: str) -> set[str]:
    return {each["urn"].rsplit("::", 1)[-1] for each in steps if each["op"] == op}


def test_every_command_is_updated_and_only_components_go() -> None:
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    upgraded = False

    def program() -> None:
        if upgraded:
            now()
        else:
            before()

    with workspace(
        "upgrade",
        program=program,
        cli=cli,
        throw_away=True,
        project={"name": "layered-cloud", "runtime": "python"},
        config={},
    ) as engine:
        engine.up()
        upgraded = True
        steps = engine.preview().steps
    # A worker joins with a certificate, and no more with a token.
    kept = {f"m-{step}" for step in STEPS} - {"m-token"}
    pushed = {"init", "m-baseline", "m-baseline-confirm"}
    # The one control plane that there was keeps what it made, whatever its action is called.
    assert named(steps, "update") == {*pushed, *kept, "cp-control-plane"}
    assert named(steps, "create") == {"m-certificate"}
    assert {each["op"] for each in steps} == {"create", "update", "delete"}
    gone = [each for each in steps if each["op"] == "delete"]
    commands = {each["urn"] for each in gone if each["type"] == "command:remote:Command"}
    assert {urn.rsplit("::", 1)[-1] for urn in commands} == {"m-token"}
    assert {each["type"] for each in gone if each["urn"] not in commands} == {
        "layered-cloud:cluster:Worker",
        *(f"{HOST}:{kind}" for kind in ("Action", "Baseline", "Configuration")),
    }
