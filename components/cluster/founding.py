"""What a cluster is founded on, asked before anything is touched.

A renumbered VIP would be found late otherwise: after the routers and the balancers have moved to
it, which is when the update comes to the cluster (`handed_out`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi

from components.cluster import birth
from components.cluster.release import Release
from components.host import ApiEndpoint, LayerError
from settings.models import Cluster as ClusterSettings
from settings.models import Networks

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class FoundingArgs:
    """What only `kubeadm init` reads, and the release, all of it decided."""

    cluster: ClusterSettings
    networks: Networks
    api: ApiEndpoint


class Founding(pulumi.ComponentResource):
    """What only `kubeadm init` reads, beside the machines that the cluster lives on.

    Promises: once a cluster answered, a change is refused in a preview, and in an update before
    anything that waits for `first` is made; so are others put before the one control plane that
    there was. Not while there is no cluster yet, nor when every control plane gets another name or
    vm_id, which makes another cluster.

    Leaves out: changing a cluster; a cluster that an older program made, which `handed_out` asks.

    Raises `LayerError`, from the engine's hook, with every changed value.
    """

    answered: pulumi.Output[bool]
    """True once the cluster answered, and not registered before."""

    def __init__(
        self, name: str, args: FoundingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        hook = pulumi.ResourceHook(
            f"{name}-stays", asked, pulumi.ResourceHookOptions(on_dry_run=True)
        )
        super().__init__(
            "layered-cloud:cluster:Founding",
            name,
            {
                "control_planes": [
                    f"{each.name} ({each.vm_id})" for each in args.cluster.control_planes
                ],
                "read": birth.facts(args.cluster, args.networks, args.api),
            },
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook])),
            ),
        )
        # Of its own: an upgrade that stops half way must not make this forget that it answered.
        self._release = Release(
            f"{name}-release",
            args.cluster.kubernetes_version,
            args.cluster.unreachable,
            pulumi.ResourceOptions(parent=self),
        )

    def first(self, value: pulumi.Input[T]) -> pulumi.Output[T]:
        """The value, once this was asked: who needs it comes after.

        No child of this is made on a machine, so an option (`depends_on`) would order nothing.
        """
        asked = pulumi.Output.all(self.urn, self._release.urn, value)
        return asked.apply(lambda all_of_it: all_of_it[2])

    def made(self, kubeconfig: pulumi.Input[Any], release: pulumi.Input[str]) -> None:
        """`kubeconfig` is known once the cluster has answered, `release` once every node has it."""
        self._release.reached(release)
        known = pulumi.Output.from_input(kubeconfig).apply(lambda _: True)
        self.answered = pulumi.Output.unsecret(known)
        self.register_outputs({"answered": self.answered})


async def asked(args: pulumi.ResourceHookArgs) -> None:
    """Refuses other values than those of the cluster that answered, and others put before the one
    control plane that there was: the cluster of several is first called after the first of them,
    and would be taken for another one than it was.

    Raises:
        LayerError: names every value.
    """
    before, now = args.old_inputs or {}, args.new_inputs or {}
    made = (args.old_outputs or {}).get("answered")
    there, wanted = _planes(before), _planes(now)
    if not made or set(there).isdisjoint(wanted):
        return
    if len(there) == 1 < len(wanted) and wanted[0] != there[0]:
        right = f"write {there[0]} before the others; a later update may move it"
        wrong = f"cluster.control_planes: {wanted[0]} stands before {there[0]}"
        raise LayerError("cluster", [f"{wrong}, after which the cluster is called; {right}"])
    if changed := birth.refusal(_read(before), _read(now)):
        raise LayerError("cluster", [*changed, birth.REMEDY])


def _planes(inputs: Mapping[str, Any]) -> list[str]:
    """Names with VM ids; a program that knew one control plane called it the founder."""
    return [str(each) for each in inputs.get("control_planes") or [inputs.get("founder")]]


def _read(inputs: Mapping[str, Any]) -> str:
    return json.dumps(inputs.get("read", {}))
