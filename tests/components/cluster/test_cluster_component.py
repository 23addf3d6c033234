"""What the cluster's layer registers with the engine."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

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
    keys = {name: cluster.pop(name, None) for name in ("backup_ssh_key", "backup_key")}
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
                **keys,
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
        "cluster-identity",
        "cluster-kubeconfig",
        "cluster-members",
        "cp-1-control-plane",
        "cp-1-node",
        "cp-1-upgrade",
        *sorted(
            f"{worker}-{what}"
            for worker in ("worker-1", "worker-2")
            for what in ("certificate", "identity", "join", "member", "node", "upgrade")
        ),
    ]


def identity(
    life: str | None = None, answer: Answer | None = None, preview: bool = False
) -> Registered:
    """A layer whose machines were made in one `life`; its value is the cluster's identity."""
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

    return run_program(program, answer=answer, preview=preview)


@pytest.mark.parametrize(("life", "named"), [(None, "lab"), ("SHA256:first", "lab-SHA256:first")])
def test_a_cluster_is_first_called_by_its_machine(life: str | None, named: str) -> None:
    seen = identity(life)
    assert sent(seen, "cluster-identity")["secrets"] == {"identity": named}

    def unasked(_: str, name: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": rpc.UNKNOWN} if name == "cluster-identity" else {}

    assert identity(life, unasked, preview=True).value == named


def test_a_cluster_is_what_it_remembers_whatever_machine_it_is_on() -> None:
    """Also the only one, where backups were turned off after one was restored: taken for another
    cluster, all that is in it would be made anew, the pod network among it."""

    def answer(_: str, name: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": "lab-SHA256:first"} if name == "cluster-identity" else {}

    assert identity("SHA256:second", answer).value == "lab-SHA256:first"


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


def test_the_cluster_is_made_after_its_nodes_configuration_and_the_rest_after_it() -> None:
    seen = run()
    assert command(seen, "cp-1-node").urn in command(seen, "cp-1-control-plane").dependencies
    assert (
        command(seen, "cp-1-control-plane").urn in command(seen, "cluster-kubeconfig").dependencies
    )
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
    assert command(run(), "cp-1-control-plane").before_update == ()


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
    only = [each.model_copy(update={"lan": None}) for each in stack.cluster.workers]
    with pytest.raises(LayerError, match=r"^cluster:\n  - worker-1: a node needs an address on"):
        run(stack.model_copy(update={"cluster": nodes.cluster(workers=only)}))


def test_who_comes_after_is_handed_a_control_plane_that_has_kubectl() -> None:
    seen = run()
    assert seen.value["control_plane"] == "cp-1"
    kubeconfig = seen.one(COMMAND, "cluster-kubeconfig").inputs["connection"]
    assert (
        kubeconfig["host"] == seen.one(COMMAND, "cp-1-control-plane").inputs["connection"]["host"]
    )


def test_the_machine_that_made_the_cluster_is_known_by_what_it_once_was_called() -> None:
    """Taken for another resource, the old one would be deleted: the cluster be reset."""
    (before, *_) = command(run(), "cp-1-control-plane").aliases
    assert 'name: "cp-1-init"' in before


def test_further_control_planes_join_one_after_the_other_once_the_api_answers() -> None:
    seen = run(stacks.three())
    assert sorted(name for name in seen.names(COMMAND) if name.startswith(("cp-", "cluster-"))) == [
        "cluster-identity",
        "cluster-kubeconfig",
        "cluster-members",
        "cp-1-certificate-cp-2",
        "cp-1-certificate-cp-3",
        "cp-1-control-plane",
        "cp-1-identity",
        "cp-1-node",
        "cp-1-upgrade",
        *(
            f"{name}-{what}"
            for name in ("cp-2", "cp-3")
            for what in ("certificate-cp-1", "control-plane", "identity", "node", "upgrade")
        ),
    ]
    order = ["cp-1-control-plane", "cluster-kubeconfig", "cp-1-upgrade", "cp-2-identity"]
    order += ["cp-2-certificate-cp-1"]
    order += ["cp-2-control-plane", "cp-3-identity", "cp-3-certificate-cp-1", "cp-3-control-plane"]
    order += ["cluster-members"]
    for before, after in itertools.pairwise(order):
        assert command(seen, before).urn in command(seen, after).dependencies, after


def handed(seen: Registered, name: str) -> dict[str, Any]:
    secrets = sent(seen, f"{name}-control-plane")["secrets"]
    assert isinstance(secrets, dict)
    return secrets


def test_what_is_handed_over_is_secret_and_goes_in_by_standard_input_alone() -> None:
    seen = run(stacks.three())
    assert handed(seen, "cp-1") == {
        "handed-cp-2": "stdout of cp-1-certificate-cp-2",
        "handed-cp-3": "stdout of cp-1-certificate-cp-3",
    }
    assert handed(seen, "cp-3") == {"handed-cp-1": "stdout of cp-3-certificate-cp-1"}
    for name in ("cp-1-certificate-cp-2", "cp-1-certificate-cp-3", "cp-3-certificate-cp-1"):
        assert "stdout" in command(seen, name).additional_secret_outputs
        (who,) = {name.rpartition("-certificate-")[2]}
        node = seen.one(COMMAND, f"{who}-node").inputs["connection"]
        assert command(seen, name).inputs["connection"]["host"] == node["host"]
    assert "stdin" in command(seen, "cp-3-control-plane").secret_inputs


def test_only_the_first_may_ever_make_a_cluster() -> None:
    seen = run(stacks.three())
    for name in ("cp-1", "cp-2", "cp-3"):
        text = sent(seen, f"{name}-control-plane")["do"]
        assert ("kubeadm init" in text) == (name == "cp-1")
        assert "kubeadm join" in text


def test_one_alone_has_nobody_to_ask() -> None:
    assert handed(run(), "cp-1") == {}


def test_whoever_does_not_answer_is_asked_nothing() -> None:
    seen = run(stacks.three(), unreachable=["cp-1"])
    hosts = {
        name: command(seen, f"{name}-node").inputs["connection"]["host"]
        for name in ("cp-1", "cp-2", "cp-3")
    }
    assert seen.value["control_plane"] == "cp-2"
    for name in ("cluster-kubeconfig", "cluster-members", "worker-1-certificate"):
        assert command(seen, name).inputs["connection"]["host"] == hosts["cp-2"], name
    assert set(handed(seen, "cp-2")) == {"handed-cp-3"}
    of_the_first = [each.name for each in seen.of_type(COMMAND) if each.name.startswith("cp-1-")]
    asked = [
        each.name
        for each in seen.of_type(COMMAND)
        if each.inputs["connection"]["host"] == hosts["cp-1"]
    ]
    assert set(asked) <= set(of_the_first)


def test_what_is_in_the_cluster_goes_with_its_one_machine_and_with_none_of_several() -> None:
    for stack, goes in ((stacks.lab(), True), (stacks.three(), False)):
        lives = [
            replace(each, lifetime=None) if each.role == "worker" else each
            for each in stacks.machines(stack, "control_plane")
        ]

        def program(stack: Stack = stack, lives: list[Machine] = lives) -> Any:
            planes = [replace(each, lifetime=Vm(f"{each.name}-life")) for each in lives]
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
            return made.control_plane.lifetime is not None

        assert run_program(program).value is goes


def test_a_cluster_of_several_is_asked_what_it_was_first_called() -> None:
    seen = run(stacks.three())
    assert sent(seen, "cluster-identity")["secrets"] == {"identity": "lab"}
    assert "stdout" not in command(seen, "cluster-identity").additional_secret_outputs
    assert command(seen, "cp-3-control-plane").urn in command(seen, "cluster-identity").dependencies


def test_a_cluster_that_grows_changes_what_it_must_and_nothing_of_its_nodes() -> None:
    """Its kubeconfig stays too, and every worker's membership."""
    before, after = run(), run(stacks.three())
    changed = [
        each.name
        for each in before.of_type(COMMAND)
        if after.one(COMMAND, each.name).inputs != each.inputs
    ]
    assert sorted(changed) == ["cluster-members", "cp-1-control-plane"]
    assert sent(before, "cp-1-control-plane")["guard"] == sent(after, "cp-1-control-plane")["guard"]


def test_another_order_of_the_settings_moves_no_control_planes_resources() -> None:
    stack = stacks.three()
    first, *others = stack.cluster.control_planes
    turned = stack.model_copy(
        update={"cluster": stack.cluster.model_copy(update={"control_planes": [*others, first]})}
    )
    before, after = run(stack), run(turned)
    for name in ("cp-1", "cp-2", "cp-3"):
        for what in ("control-plane", "identity", "node"):
            assert command(before, f"{name}-{what}").urn == command(after, f"{name}-{what}").urn
