"""What the cluster's layer registers with the engine."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pytest

from components.cluster import Cluster, ClusterArgs
from components.host import LayerError, Machine
from components.host.endpoint import ApiEndpoint
from components.host.payload import request_of
from settings.models import Stack
from tests.components import stacks
from tests.components.cluster import nodes
from tests.components.mocks import Answer, Registered, Registration, run_program

COMMAND = "command:remote:Command"
API = ApiEndpoint(lan=IPv4Address("198.18.10.10"), management=IPv4Address("198.18.0.10"))


class Vm(pulumi.CustomResource):
    """Stands for the machine's VM."""

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Vm", name, {})


def on_vms(machines: Sequence[Machine]) -> list[Machine]:
    return [replace(each, vm=Vm(each.name)) for each in machines]


def run(stack: Stack | None = None, answer: Answer | None = None, **cluster: Any) -> Registered:
    chosen = stack or stacks.lab()
    settings = chosen.cluster.model_copy(update=cluster)

    def program() -> Any:
        layer = Cluster(
            "cluster",
            ClusterArgs(
                cluster=settings,
                networks=chosen.networks,
                software=chosen.software,
                control_planes=on_vms(stacks.machines(chosen, "control_plane")),
                workers=on_vms(stacks.machines(chosen, "worker")),
                api=API,
            ),
        )
        return {
            "kubeconfig": layer.kubeconfig,
            "secret": pulumi.Output.from_input(layer.kubeconfig.is_secret()),
            "nodes": [(node.name, str(node.address), node.schedulable) for node in layer.nodes],
            "control_plane": layer.control_plane.name,
            "ingress": [machine.name for machine in layer.ingress_machines],
        }

    return run_program(program, answer=answer)


def sent(seen: Registered, name: str) -> dict[str, Any]:
    """What the machine is asked to do by the command called `name`."""
    return request_of(seen.one(COMMAND, name).inputs["stdin"])


def urn(seen: Registered, type_: str, name: str) -> str:
    return seen.one(type_, name).urn


def command(seen: Registered, name: str) -> Registration:
    return seen.one(COMMAND, name)


def test_names_come_from_machines() -> None:
    seen = run()
    assert sorted(seen.names(COMMAND)) == [
        "cluster-kubeconfig",
        "cp-1-init",
        "cp-1-node",
        *(
            f"{worker}-{what}"
            for worker in ("worker-1", "worker-2")
            for what in ("certificate", "identity", "join", "member", "node")
        ),
    ]


@pytest.mark.parametrize(("life", "named"), [(None, "lab"), ("SHA256:first", "lab-SHA256:first")])
def test_a_cluster_on_another_machine_is_another_one(life: str | None, named: str) -> None:
    stack = stacks.lab()

    def program() -> Any:
        planes = [
            replace(each, incarnation=life) for each in stacks.machines(stack, "control_plane")
        ]
        made = Cluster(
            "cluster",
            ClusterArgs(
                cluster=stack.cluster,
                networks=stack.networks,
                software=stack.software,
                control_planes=planes,
                workers=stacks.machines(stack, "worker"),
                api=API,
            ),
        )
        return made.identity

    assert run_program(program).value == named


def test_every_resource_hangs_below_the_layer() -> None:
    seen = run()
    (layer,) = seen.of_type("layered-cloud:cluster:Cluster")
    assert {each.parent for each in seen.of_type(COMMAND)} == {layer.urn}


def test_a_workers_actions_are_those_that_once_hung_below_a_component_of_its_own() -> None:
    """Taken for others, they would be made anew and the old ones deleted: the node be reset."""
    seen = run()
    for what in ("identity", "join", "member"):
        (before,) = command(seen, f"worker-1-{what}").aliases
        kinds = ("cluster:Cluster", "cluster:Worker", "host:Action")
        above = "$".join(f"layered-cloud:{kind}" for kind in kinds)
        assert f"{above}::" in before


def test_packages_are_pinned_and_held_on_every_node() -> None:
    seen = run()
    pinned = {
        "containerd.io": "2.4.2-1",
        "kubeadm": "1.36.3-1.1",
        "kubelet": "1.36.3-1.1",
        "kubectl": "1.36.3-1.1",
    }
    for name in ("cp-1-node", "worker-1-node"):
        assert sent(seen, name)["packages"] == pinned
        assert sent(seen, name)["holds"] == sorted(pinned)


def test_only_the_control_plane_has_a_kubeadm_configuration() -> None:
    seen = run()
    path = "/etc/kubernetes/kubeadm-config.yaml"
    assert path in command(seen, "cp-1-node").inputs["stdin"]
    assert path not in command(seen, "worker-1-node").inputs["stdin"]


def test_init_comes_after_the_nodes_configuration_and_the_rest_after_init() -> None:
    seen = run()
    assert command(seen, "cp-1-node").urn in command(seen, "cp-1-init").dependencies
    assert command(seen, "cp-1-init").urn in command(seen, "cluster-kubeconfig").dependencies
    first = command(seen, "worker-1-identity")
    assert command(seen, "cluster-kubeconfig").urn in first.dependencies
    assert command(seen, "worker-1-node").urn in first.dependencies


def test_a_worker_asks_and_is_given_a_certificate_then_joins_and_is_awaited() -> None:
    seen = run()
    order = ("identity", "certificate", "join", "member")
    chain = [command(seen, f"worker-1-{what}") for what in order]
    for before, after in itertools.pairwise(chain):
        assert before.urn in after.dependencies


def test_a_new_machine_gets_a_new_certificate_and_joins_anew_but_the_control_plane_stays() -> None:
    seen = run()
    worker, control_plane = (
        urn(seen, "test:index:Vm", "worker-1"),
        urn(seen, "test:index:Vm", "cp-1"),
    )
    for what, vm in (
        ("identity", worker),
        ("certificate", control_plane),
        ("join", worker),
        ("member", control_plane),
    ):
        made = command(seen, f"worker-1-{what}")
        assert made.deleted_with == vm, what
        assert made.replace_with == (vm,), what


def test_the_certificate_depends_on_the_machines_identity_and_nothing_that_changes_by_itself() -> (
    None
):
    def answer(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": "me\nREQUEST\nEND"} if name == "worker-1-identity" else {}

    seen = run(answer=answer)
    asked = sent(seen, "worker-1-certificate")
    assert asked["secrets"] == {"machine": "me", "request": "REQUEST\nEND"}
    assert sent(seen, "worker-1-member")["secrets"] == {"machine": "me"}
    assert sent(seen, "worker-1-join")["secrets"] == {"join": "stdout of worker-1-certificate"}
    again = run(answer=answer).one(COMMAND, "worker-1-certificate")
    assert again.inputs == command(seen, "worker-1-certificate").inputs


def test_nothing_that_a_join_takes_from_the_state_is_a_secret() -> None:
    seen = run()
    for what in ("identity", "certificate"):
        assert "stdout" not in command(seen, f"worker-1-{what}").additional_secret_outputs


def test_a_plan_is_asked_before_a_cluster_that_was_handed_out_is_changed() -> None:
    assert command(run(), "cluster-kubeconfig").before_update == ("cluster-born",)
    assert command(run(), "cp-1-init").before_update == ()


def test_the_kubeconfig_is_secret() -> None:
    seen = run()
    assert seen.value["kubeconfig"] == "stdout of cluster-kubeconfig"
    assert seen.value["secret"] is True
    assert "stdout" in command(seen, "cluster-kubeconfig").additional_secret_outputs


def test_a_raised_epoch_mints_for_another_user_and_touches_nothing_else() -> None:
    before, after = run(), run(credentials_epoch=2)
    changed = [
        each.name
        for each in before.of_type(COMMAND)
        if after.one(COMMAND, each.name).inputs != each.inputs
    ]
    assert changed == ["cluster-kubeconfig"]
    assert "--client-name layered-cloud-2" in command(after, "cluster-kubeconfig").inputs["stdin"]


def test_nodes_say_whether_they_take_pods() -> None:
    seen = run(schedule_on_control_planes=False)
    assert [tuple(node) for node in seen.value["nodes"]] == [
        ("cp-1", "198.18.10.21", False),
        ("worker-1", "198.18.10.31", True),
        ("worker-2", "198.18.10.32", True),
    ]
    assert seen.value["ingress"] == ["worker-1", "worker-2"]
    assert run(schedule_on_control_planes=True).value["ingress"] == ["cp-1", "worker-1", "worker-2"]


def test_outputs_are_registered() -> None:
    seen = run()
    (layer,) = seen.of_type("layered-cloud:cluster:Cluster")
    assert seen.outputs[layer.urn]["servers"] == [
        "https://198.18.10.10:6443",
        "https://198.18.0.10:6443",
    ]


def test_nonsense_stops_the_program_before_anything_is_made() -> None:
    stack = stacks.lab()
    planes = [*stack.cluster.control_planes, *stack.cluster.workers[:1]]
    with pytest.raises(LayerError, match=r"^cluster:\n  - cluster\.control_planes: 2 control pl"):
        run(stack.model_copy(update={"cluster": nodes.cluster(control_planes=planes)}))


def test_who_comes_after_is_handed_a_control_plane_that_has_kubectl() -> None:
    seen = run()
    assert seen.value["control_plane"] == "cp-1"
    kubeconfig = seen.one(COMMAND, "cluster-kubeconfig").inputs["connection"]
    assert kubeconfig["host"] == seen.one(COMMAND, "cp-1-init").inputs["connection"]["host"]
