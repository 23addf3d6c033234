"""One control plane's membership: what it asks with, what the others hand over, init or join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi

from components.cluster import actions, admission
from components.cluster.asking import asked, asking
from components.cluster.model import NodeModel, Restoring
from components.cluster.restore import KEY
from components.host import HostAction, HostActionArgs, Machine, dependencies


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """`admitters` are asked to let the machine in, `others` the addresses of all other control
    planes on the LAN, `read` what the cluster is made with (`birth.facts`), which `founder` may. It
    makes it of what is to `restore`, if anything is, which `backup_key` (PEM) opens."""

    machine: Machine
    node: NodeModel
    founder: bool
    admitters: Sequence[Machine]
    others: Sequence[IPv4Address]
    read: Mapping[str, str]
    ignore_preflight_errors: Sequence[str]
    restore: Restoring | None = None
    backup_key: pulumi.Input[str] | None = None


class ControlPlane:
    """A control plane of the cluster that others have, or of one that it makes.

    Promises: `kubeadm init` runs on the founder alone, and only when every other control plane
    that was asked says that it is in no cluster and no API server answers behind the balancers; so
    a founder whose machine is another one joins the others. The cluster's keys are handed over
    encrypted to a key that never leaves the machine, when it is made or is another one, and open a
    year later still: a join that was cut off is run again. A member of etcd that is stale, its own
    of before or one that the stack has no more, goes first. What joined is left alone. A cluster
    that is restored has one member, the founder, before the others join; none is restored while
    one of those that were asked is in a cluster, nor on a machine that is in one.

    Leaves out: leaving (`Cluster`'s members); making a cluster while some control planes do not
    answer SSH, unless the stack calls them unreachable.

    Raises nothing before the update; a failed init or join says kubeadm's words and the kubelet's
    last, and leaves a node on which the next run begins anew.
    """

    made: HostAction
    """There once the machine is a control plane."""

    def __init__(self, args: ControlPlaneArgs, opts: pulumi.ResourceOptions) -> None:
        name, parent = args.machine.name, opts.parent
        handed = self._handed(args, opts) if args.admitters else {}
        restore = args.restore if args.founder else None
        opens: dict[str, pulumi.Input[str]] = {}
        if restore is not None and args.backup_key is not None:
            opens = {KEY: args.backup_key}
        self.made = HostAction(
            f"{name}-control-plane",
            HostActionArgs(
                machine=args.machine,
                name="control-plane",
                guard=admission.control_plane_guard(args.read, restore),
                do=admission.control_plane(
                    args.node,
                    ignored=args.ignore_preflight_errors,
                    read=args.read,
                    founder=args.founder,
                    others=args.others,
                    restore=restore,
                ),
                undo=actions.reset(),
                secrets=opens
                | {
                    f"{admission.HANDED}{admitter}": each.result
                    for admitter, each in handed.items()
                },
            ),
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=opts.depends_on,
                # Its name when there was one, which made the cluster.
                aliases=[pulumi.Alias(name=f"{name}-init")],
            ),
        )

    def _handed(
        self, args: ControlPlaneArgs, opts: pulumi.ResourceOptions
    ) -> dict[str, HostAction]:
        """What each of those that are asked hands over, empty from one that is in no cluster."""
        name = args.machine.name
        identity = HostAction(f"{name}-identity", asking(args.machine), opts=opts)
        secrets = asked(identity)
        return {
            admitter.name: HostAction(
                f"{name}-certificate-{admitter.name}",
                HostActionArgs(
                    machine=admitter,
                    name=f"certificate-{name}",
                    guard=admission.stale_guard(name),
                    do=admission.stale(name),
                    result=admission.hand_over(name),
                    secrets=secrets,
                    seconds=180,
                ),
                opts=pulumi.ResourceOptions(
                    parent=opts.parent, depends_on=[identity, *dependencies(opts)]
                ),
            )
            for admitter in args.admitters
        }
