"""One worker's membership: its certificate, the join, the registered node, and its leaving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from components.cluster import actions, admission, turns
from components.cluster.asking import asked, asking
from components.cluster.model import NodeModel
from components.cluster.render import text
from components.host import HostAction, HostActionArgs, Machine


@dataclass(frozen=True, kw_only=True)
class WorkerArgs:
    """`control_plane` signs the certificate and drains the node when the worker leaves; `release`
    is there once the API servers are of the kubelet's, `ahead` once the node may be out."""

    machine: Machine
    node: NodeModel
    control_plane: Machine
    ignore_preflight_errors: Sequence[str]
    release: Sequence[pulumi.Resource]
    ahead: Sequence[pulumi.Resource] = ()


class _Step(HostAction):
    """One of the actions, which once hung below a component of the worker's own."""

    _formerly = ("layered-cloud:cluster:Worker", "layered-cloud:host:Action")


class Worker:
    """A worker joined with a certificate of its own, signed for this very machine.

    Promises: what lies in the state is no secret, and does not run out between a failed join and
    the next run: the certificate lasts a year and is worth something to the machine alone that has
    its key. (A bootstrap token would be somebody's who reads it, and last for minutes.) It is
    signed again when the machine is another one, or the control plane. When the worker is taken out
    of the stack, its node is drained and deleted from the control plane first.

    Leaves out: draining a machine that is replaced. It is named in `maintenance.machines` before
    where that matters (`Maintenance`).

    Raises nothing before the update; a failed join says kubeadm's words and the kubelet's last.
    """

    member: HostAction
    """There once the node is registered, and out when another version is its turn."""

    def __init__(
        self, name: str, args: WorkerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        below = opts.parent if opts else None
        identity = _Step(
            f"{name}-identity",
            # The first to be made, so the last to be taken back: once the node is drained.
            replace(asking(args.machine), undo=actions.reset()),
            opts=pulumi.ResourceOptions(parent=below, depends_on=opts.depends_on if opts else None),
        )
        said = asked(identity)
        certificate = _Step(
            f"{name}-certificate",
            HostActionArgs(
                machine=args.control_plane,
                name=f"certificate-{name}",
                guard=admission.stale_guard(name),
                do=admission.stale(name),
                result=admission.sign(name),
                result_secret=False,
                undo=text("leave.sh.j2", name=name),
                secrets=said,
                seconds=420,
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=[identity]),
        )
        join = _Step(
            f"{name}-join",
            HostActionArgs(
                machine=args.machine,
                name="join",
                guard=admission.join_guard(),
                do=admission.join(args.node, args.ignore_preflight_errors),
                secrets={"join": certificate.result},
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=[certificate, *args.release]),
        )
        # An action of older states is its first half, and has an `undo` there which drains the node
        # and deletes it: under another name, it would be carried out.
        its = turns.turn(args.node)
        self.member = _Step(
            f"{name}-member",
            HostActionArgs(
                machine=args.control_plane,
                name=f"member-{name}",
                do=f"{text('member.sh.j2', name=name)}{its.leave()}",
                secrets={"machine": said["machine"]},
                epoch=pulumi.Output.from_input(_ended(args.ahead)),
                seconds=its.drain_seconds + 240,
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=[join]),
        )


async def _ended(ahead: Sequence[pulumi.Resource]) -> str:
    """A word that is there once those before are.

    No dependency of the engine's, of which the turns of a thousand workers would be one chain: the
    SDK walks it from end to end for every resource at the end of it, by recursion.
    """
    for each in ahead:
        await each.urn.future()
    return "1"
