"""The layer of the cluster: kubeadm, control planes, workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pulumi

from components.cluster import actions, backup, birth, etcd, handed_out
from components.cluster.args import ClusterArgs, Node
from components.cluster.control_plane import ControlPlane, ControlPlaneArgs
from components.cluster.control_planes import ControlPlanes
from components.cluster.parts import parts
from components.cluster.restore import restoring
from components.cluster.upgrade import Upgrades
from components.cluster.verify import verify
from components.cluster.worker import Worker, WorkerArgs
from components.host import (
    HostAction,
    HostActionArgs,
    HostConfiguration,
    HostConfigurationArgs,
    LayerError,
    Machine,
    repositories,
    summed,
)
from components.host.term import term

LAYER = "cluster"


class Cluster(pulumi.ComponentResource):
    """A Kubernetes cluster made by kubeadm, without kube-proxy and without a pod network.

    Promises: pinned, held packages; the kubelet bound to the node's LAN address; an API
    certificate that names every VIP; a failed init or join leaves a node on which the next run
    begins anew, and so does a cluster whose API never answered, once its values are others; what
    only `kubeadm init` reads is refused when it changes later, in a preview too; every worker
    joins with a certificate signed for its own key; a new machine under an old name replaces the
    old node; a kubeconfig whose user alone holds the administrator's role, minted once per
    credentials epoch and again in the last 30 days of its year: raising the epoch takes the role
    from the one before; with several control planes, whichever's machine is replaced joins those
    that live; one that is taken out of the stack is drained and loses its vote and its node
    before its machine goes; a changed version is brought to the nodes in turn (`Upgrades`).

    Leaves out: changes to the kubeadm configuration after
    init; the pod network (the platform's first release), so nodes are not Ready yet.

    Raises `LayerError` for machines that no cluster can be made of.
    """

    identity: pulumi.Output[str]
    """Names this very cluster: one made on another machine under the same name is another one."""
    release: pulumi.Output[str]
    """Kubernetes' version, once every node runs it."""
    kubeconfig: pulumi.Output[str]
    """Of the administrator, through the management VIP; secret."""
    control_plane: Machine
    """Where whoever comes after the cluster runs kubectl: it has an administrator's kubeconfig."""
    nodes: Sequence[Node]
    ingress_machines: Sequence[Machine]
    """The machines whose NodePorts reach an ingress pod of their own: those that take pods."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:cluster:Cluster", name, {}, opts)
        problems = verify([args.node(machine) for machine in args.machines])
        if problems:
            raise LayerError(LAYER, problems)
        cluster, api = args.cluster, args.api
        planes = ControlPlanes(
            args.control_planes, cluster.unreachable, backed_up=cluster.backups is not None
        )
        self.control_plane = planes.living
        if planes.outlive_a_machine:
            # What is in the cluster does not go with one of its machines.
            self.control_plane = dataclasses.replace(planes.living, lifetime=None)
        read = birth.facts(cluster, args.networks, api)
        addresses = {each.name: each.address("lan") for each in planes.machines}
        configured = {machine.name: self._configure(machine, args) for machine in args.machines}
        founded = self._control_plane(
            planes.founder, planes, args, [configured[planes.founder.name], *args.answering]
        )
        epoch = cluster.credentials_epoch
        end = term(f"{name}-kubeconfig-term", hours=actions.KUBECONFIG_HOURS, parent=self)
        access = HostAction(
            f"{name}-kubeconfig",
            HostActionArgs(
                machine=self.control_plane,
                name="kubeconfig",
                guard=actions.access_guard(api, epoch),
                do=actions.access(api, epoch),
                result=actions.kubeconfig(api, epoch),
                epoch=end.apply(lambda until: birth.epoch(f"{epoch} until {until}", read)),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[founded],
                hooks=pulumi.ResourceHookBinding(before_update=[handed_out.hook(name)]),
            ),
        )
        upgrades = Upgrades(name, self)
        first = planes.living
        # Before anybody joins: what joins is of the release that the cluster has.
        applied = upgrades.control_plane(first, args.node(first), [access, configured[first.name]])
        # One after the other: etcd takes in no two at once.
        joined: list[pulumi.Resource] = [applied]
        for machine in planes.beside(planes.founder):
            before = [joined[-1], configured[machine.name]]
            joined.append(self._control_plane(machine, planes, args, before))
        HostAction(
            f"{name}-members",
            HostActionArgs(
                machine=self.control_plane,
                name="members",
                guard=etcd.members_guard(addresses),
                do=etcd.members(addresses),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=joined),
        )
        upgraded = [applied]
        for machine in planes.beside(first):
            before = [upgraded[-1], joined[-1], configured[machine.name]]
            upgraded.append(upgrades.control_plane(machine, args.node(machine), before))
        turns: list[HostAction] = []
        for machine in args.workers:
            ahead = len(turns) - cluster.max_unavailable
            worker = Worker(
                machine.name,
                WorkerArgs(
                    machine=machine,
                    node=args.node(machine),
                    control_plane=self.control_plane,
                    ignore_preflight_errors=cluster.ignore_preflight_errors,
                    release=upgraded,
                    ahead=[turns[ahead]] if ahead >= 0 else [],
                ),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[configured[machine.name], access]
                ),
            )
            turns.append(upgrades.worker(machine, args.node(machine), [worker.member]))
        self.release = pulumi.Output.all(*(each.stdout for each in (*upgraded, *turns))).apply(
            lambda _: cluster.kubernetes_version
        )
        self.identity = self._identity(name, planes, cluster.name, joined)
        self.kubeconfig = pulumi.Output.secret(access.result)
        self.nodes = tuple(
            Node(
                name=machine.name,
                role=machine.role,
                address=machine.address("lan"),
                schedulable=machine.role == "worker" or cluster.schedule_on_control_planes,
            )
            for machine in args.machines
        )
        takes_pods = {node.name for node in self.nodes if node.schedulable}
        self.ingress_machines = tuple(
            machine for machine in args.machines if machine.name in takes_pods
        )
        self.register_outputs(
            {
                "identity": self.identity,
                "kubeconfig": self.kubeconfig,
                "release": self.release,
                "servers": actions.servers(api),
                "nodes": {node.name: str(node.address) for node in self.nodes},
            }
        )

    def _control_plane(
        self,
        machine: Machine,
        planes: ControlPlanes[Machine],
        args: ClusterArgs,
        depends_on: Sequence[pulumi.Resource],
    ) -> HostAction:
        made = ControlPlane(
            ControlPlaneArgs(
                machine=machine,
                node=args.node(machine),
                founder=machine.name == planes.founder.name,
                admitters=planes.admitters(machine),
                others=[each.address("lan") for each in planes.beside(machine)],
                read=birth.facts(args.cluster, args.networks, args.api),
                ignore_preflight_errors=args.cluster.ignore_preflight_errors,
                restore=restoring(args.node(machine)),
                backup_key=args.backup_key,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )
        return made.made

    def _identity(
        self,
        name: str,
        planes: ControlPlanes[Machine],
        cluster: str,
        joined: Sequence[pulumi.Resource],
    ) -> pulumi.Output[str]:
        """What the cluster was first called: it is asked, since any of its machines may be another
        one by now, the only one too where a backup was restored. A preview that comes before the
        first answer goes by what it would be called, which is right unless a machine was replaced.
        """
        life = planes.founder.incarnation
        born = pulumi.Output.from_input(
            cluster if life is None else pulumi.Output.concat(cluster, "-", life)
        )
        remembered = HostAction(
            f"{name}-identity",
            HostActionArgs(
                machine=planes.living,
                name="identity-of-the-cluster",
                guard=actions.identity_guard(),
                do=actions.identity(),
                result=actions.identified(),
                result_secret=False,
                secrets={"identity": born},
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(joined)),
        )
        return remembered.result.apply(
            lambda told: told if isinstance(told, str) else born, run_with_unknowns=True
        )

    def _configure(self, machine: Machine, args: ClusterArgs) -> HostConfiguration:
        software, key = args.software, args.backup_ssh_key
        return HostConfiguration(
            f"{machine.name}-node",
            HostConfigurationArgs.of(
                summed(LAYER, parts(args.node(machine))),
                machine=machine,
                secrets={} if key is None else {backup.SSH_KEY: key},
                repositories=repositories(
                    (software.kubernetes_repository, software.containerd_repository)
                ),
                epoch=args.epoch,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
