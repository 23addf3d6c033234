"""The layer of the cluster: kubeadm, one control plane, workers."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.cluster import render
from components.cluster.args import ClusterArgs, Node
from components.cluster.node import node_configuration
from components.cluster.verify import verify
from components.cluster.worker import Worker, WorkerArgs
from components.host import HostAction, HostActionArgs, Machine


class Cluster(pulumi.ComponentResource):
    """A Kubernetes cluster made by kubeadm, without kube-proxy and without a pod network.

    Promises: pinned, held packages; the kubelet bound to the node's LAN address; an API
    certificate that names every VIP; a failed init or join leaves a node on which the next run
    begins anew; every join has a token of its own that lives 15 minutes; a new machine under an
    old name replaces the old node; a kubeconfig whose user alone holds the administrator's role,
    minted once per credentials epoch: raising it takes the role from the one before.

    Leaves out: more than one control plane; version upgrades (a changed version is installed but
    not applied, `kubeadm upgrade` is the operator's); changes to the kubeadm configuration after
    init; the pod network (the platform's first release), so nodes are not Ready yet.
    """

    identity: pulumi.Output[str]
    """Names this very cluster: one made on another machine under the same name is another one."""
    kubeconfig: pulumi.Output[str]
    """Of the administrator, through the management VIP; secret."""
    nodes: Sequence[Node]
    ingress_machines: Sequence[Machine]
    """The machines whose NodePorts reach an ingress pod of their own: those that take pods."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:cluster:Cluster", name, {}, opts)
        problems = verify(args)
        if problems:
            raise pulumi.RunError("cluster:\n" + "\n".join(f"  - {each}" for each in problems))
        cluster, api = args.cluster, args.api
        control_plane = args.control_planes[0]
        configured = {
            machine.name: node_configuration(machine, args, parent=self)
            for machine in (*args.control_planes, *args.workers)
        }
        init = HostAction(
            f"{control_plane.name}-init",
            HostActionArgs(
                machine=control_plane,
                name="init",
                guard=render.init_guard(),
                do=render.init_do(cluster.ignore_preflight_errors),
                undo=render.reset(),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[configured[control_plane.name]]),
        )
        user = render.administrator(cluster.credentials_epoch)
        values = {"servers": render.servers(api), "binding": render.BINDING, "user": user}
        access = HostAction(
            f"{name}-kubeconfig",
            HostActionArgs(
                machine=control_plane,
                name="kubeconfig",
                guard=render.text("access-guard.sh.j2", **values),
                do=render.text("access.sh.j2", **values),
                result=render.text(
                    "kubeconfig.sh.j2",
                    config=render.KUBEADM_CONFIG,
                    user=user,
                    validity=render.KUBECONFIG_VALIDITY,
                    server=render.servers(api)[1],
                ),
                epoch=str(cluster.credentials_epoch),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[init]),
        )
        for machine in args.workers:
            Worker(
                machine.name,
                WorkerArgs(
                    machine=machine,
                    control_plane=control_plane,
                    api=api,
                    ignore_preflight_errors=cluster.ignore_preflight_errors,
                ),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[configured[machine.name], access]
                ),
            )
        life = control_plane.incarnation
        self.identity = pulumi.Output.from_input(
            cluster.name if life is None else pulumi.Output.concat(cluster.name, "-", life)
        )
        self.kubeconfig = pulumi.Output.secret(access.result)
        self.nodes = tuple(
            Node(
                name=machine.name,
                role=machine.role,
                address=machine.address("lan"),
                schedulable=machine.role == "worker" or cluster.schedule_on_control_planes,
            )
            for machine in (*args.control_planes, *args.workers)
        )
        takes_pods = {node.name for node in self.nodes if node.schedulable}
        self.ingress_machines = tuple(
            machine
            for machine in (*args.control_planes, *args.workers)
            if machine.name in takes_pods
        )
        self.register_outputs(
            {
                "identity": self.identity,
                "kubeconfig": self.kubeconfig,
                "servers": render.servers(api),
                "nodes": {node.name: str(node.address) for node in self.nodes},
            }
        )
