"""One worker's membership: a fresh token, the join, the registered node, and its leaving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cluster import actions
from components.cluster.render import text
from components.host import HostAction, HostActionArgs, Machine
from components.host.endpoint import ApiEndpoint


@dataclass(frozen=True, kw_only=True)
class WorkerArgs:
    """`control_plane` mints the token and drains the node when the worker leaves."""

    machine: Machine
    control_plane: Machine
    api: ApiEndpoint
    ignore_preflight_errors: Sequence[str]


class _Step(HostAction):
    """One of the actions, which once hung below a component of the worker's own."""

    _formerly = ("layered-cloud:cluster:Worker", "layered-cloud:host:Action")


class Worker:
    """A worker joined with a token of its own, minted for this very machine.

    Promises: the token is minted again only when the machine is another one (its machine-id says
    so), so an unchanged cluster plans nothing. When the worker is taken out of the stack, its node
    is drained and deleted from the control plane first.

    Leaves out: draining a machine that is replaced. Drain it before (`kubectl drain`) where that
    matters.

    Raises nothing before the update; a failed join says kubeadm's words and the kubelet's last.
    """

    def __init__(
        self, name: str, args: WorkerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        below = opts.parent if opts else None
        identity = _Step(
            f"{name}-identity",
            HostActionArgs(
                machine=args.machine,
                name="identity",
                result="cat /etc/machine-id",
                result_secret=False,
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=opts.depends_on if opts else None),
        )
        token = _Step(
            f"{name}-token",
            HostActionArgs(
                machine=args.control_plane,
                name=f"token-{name}",
                guard=text("stale-guard.sh.j2", name=name),
                do=text("stale.sh.j2", name=name),
                result=text("token.sh.j2"),
                secrets={"machine": identity.result},
                seconds=180,
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=[identity]),
        )
        join = _Step(
            f"{name}-join",
            HostActionArgs(
                machine=args.machine,
                name="join",
                guard=text("join-guard.sh.j2"),
                do=actions.join(name, args.api, args.ignore_preflight_errors),
                undo=actions.reset(),
                secrets={"join": token.result},
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=[token]),
        )
        _Step(
            f"{name}-member",
            HostActionArgs(
                machine=args.control_plane,
                name=f"member-{name}",
                guard=text("member-guard.sh.j2", name=name),
                do=text("member.sh.j2", name=name),
                undo=text("leave.sh.j2", name=name),
                secrets={"machine": identity.result},
                seconds=420,
            ),
            opts=pulumi.ResourceOptions(parent=below, depends_on=[join]),
        )
