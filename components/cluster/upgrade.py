"""Upgrades of the nodes, one resource after the other."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi

from components.cluster.handed_out import seen
from components.cluster.model import NodeModel
from components.cluster.scripts import skew
from components.cluster.turns import READY_SECONDS, Turn, turn
from components.host import HostAction, HostActionArgs, LayerError, Machine

WORK_SECONDS = 1800
"""For packages and kubeadm's own work on one machine, whose components it awaits for 5 min each."""


class Upgrades:
    """The nodes' turns, in the order in which they are asked for.

    Promises: a control plane is upgraded by itself: kubeadm, then (on the first of them) a snapshot
    of etcd and what all share, then its static pods, then drained, its kubelet. A worker is drained
    first. Each is awaited, Ready and at its version, before it takes pods again and the next is
    begun, of workers `cluster.max_unavailable` at once. A node that is at its versions already is
    left alone, and a turn that was cut off goes on where it stopped. A minor that is skipped and a
    version that is older are refused in a preview, by what each node was last brought to.

    Leaves out: telling the balancers (`turns.py` says where that belongs); a way back.
    """

    def __init__(self, name: str, parent: pulumi.Resource) -> None:
        self._parent = parent
        self._hook = pulumi.ResourceHook(
            f"{name}-steps", refuse_a_wrong_step, pulumi.ResourceHookOptions(on_dry_run=True)
        )

    def control_plane(
        self, machine: Machine, node: NodeModel, after: Sequence[pulumi.Resource]
    ) -> HostAction:
        """There once the control plane and its kubelet are upgraded."""
        its = turn(node)
        guard, do = its.control_plane_guard(), its.control_plane()
        return self._turn(machine, its, guard, do, after, drain_seconds=its.drain_seconds)

    def worker(
        self, machine: Machine, node: NodeModel, after: Sequence[pulumi.Resource]
    ) -> HostAction:
        """There once the worker, out by its `Worker.member`, is upgraded and takes pods again."""
        its = turn(node)
        return self._turn(machine, its, its.worker_guard(), its.worker(), after)

    def _turn(
        self,
        machine: Machine,
        its: Turn,
        guard: str,
        do: str,
        after: Sequence[pulumi.Resource],
        *,
        drain_seconds: int = 0,
    ) -> HostAction:
        return HostAction(
            f"{machine.name}-upgrade",
            HostActionArgs(
                machine=machine,
                name="upgrade",
                guard=guard,
                do=do,
                # What a later plan reads of what the node was brought to.
                epoch=json.dumps({skew.KEY: its.release}),
                seconds=WORK_SECONDS + drain_seconds + READY_SECONDS,
            ),
            opts=pulumi.ResourceOptions(
                parent=self._parent,
                depends_on=list(after),
                hooks=pulumi.ResourceHookBinding(before_update=[self._hook]),
            ),
        )


async def refuse_a_wrong_step(args: pulumi.ResourceHookArgs) -> None:
    """Asked before a node's action changes, in a preview too.

    Raises:
        LayerError: the version is older than the node's, or skips a minor; a new machine may have
            any.
    """
    before, now = await seen(args.old_inputs), await seen(args.new_inputs)
    if before["machine"] != now["machine"]:
        return
    runs, wanted = _release(before["epoch"]), _release(now["epoch"])
    if runs is None or wanted is None:
        return
    name = args.name.removesuffix("-upgrade")
    if problem := skew.refusal(runs, wanted, name):
        raise LayerError("cluster", [problem])


def _release(epoch: str) -> str | None:
    try:
        return str(json.loads(epoch)[skew.KEY])
    except (ValueError, KeyError, TypeError):
        return None
