"""What a change does inside: to the cluster, and to what runs on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settings.effects.words import (
    DASHBOARDS,
    FOUNDING,
    HAPROXY,
    HELM,
    IN_TURN,
    INGRESS,
    NODES,
    OTHER_RELEASE,
    OWN,
    PODS,
    PORTS,
    RUNS,
    VOLUME,
    chart,
    image,
    machine,
)

INSIDE: Final[Mapping[str, str]] = {
    # The cluster.
    "cluster.name": FOUNDING,
    "cluster.kubernetes_version": f"an upgrade, {IN_TURN}. An older version, a minor that is "
    "skipped, or any while `cluster.unreachable` names somebody: refused, in a preview too and "
    "before any machine is touched",
    "cluster.package_revision": f"an upgrade to other packages of the same release, {IN_TURN}",
    "cluster.max_unavailable": "nothing by itself: the order in which the next upgrade takes "
    "workers",
    "cluster.drain_seconds": "nothing by itself: each node's action is sent again, finds nothing "
    "to do, and the next upgrade waits as long for pods to leave. Nodes in "
    "`maintenance.machines` are drained again",
    **image("cluster.image"),
    **machine(
        "cluster.control_planes",
        "two more join, one after the other, behind those that there are; those taken out leave "
        "the balancers and etcd, then are destroyed. From three to one the rules refuse",
        ". The only control plane takes the cluster with it; one of several joins again",
    ),
    "cluster.unreachable": "what was asked of one control plane is asked of another; no machine is "
    "touched",
    **machine(
        "cluster.workers",
        RUNS,
        ". It is not drained before: name it in `maintenance.machines` first",
    ),
    "cluster.schedule_on_control_planes": FOUNDING,
    "cluster.node_mask": FOUNDING,
    "cluster.kubelet.extra_args": NODES,
    "cluster.kubelet.config": FOUNDING,
    "cluster.containerd": NODES,
    "cluster.containerd.version": f"an upgrade of the runtime, {IN_TURN}",
    "cluster.containerd.package": "the other package takes the first one's place on every node at "
    "once; what runs goes on until containerd is restarted",
    "cluster.ignore_preflight_errors": "nothing on nodes that are in the cluster: the next `init` "
    "or `join` goes by it",
    "cluster.cluster_configuration": FOUNDING,
    "cluster.sysctls": NODES,
    "cluster.node_files": NODES,
    "cluster.extra_packages": NODES,
    "cluster.credentials_epoch": "a new administrator's kubeconfig; the old one loses its role",
    "cluster.backups": "in place: pushed to every control plane, whose pods go on; taken out, no "
    "more are taken, and those at the store stay",
    "cluster.backups.recipient": "in place: further backups are opened by its key. Keep the old "
    "key as long as the backups that it opens",
    "cluster.backups.ssh.url": "in place: further backups go there; those at the old place stay, "
    "and nothing removes them",
    "cluster.backups.ssh.keep": "in place: after the next backup as many stay at the store",
    "cluster.backups.keep": "in place: after the next backup as many stay on each control plane",
    "cluster.restore": "refused on a control plane that is in a cluster, or while another one is. "
    "With every control plane's machine replaced, the first makes the cluster of that backup. "
    "Taking it out changes nothing",
    # What runs on the cluster first.
    **chart(
        "platform.cilium",
        f"{HELM}: Cilium's agents one node after the other, while the kernel's tables go on",
    ),
    **chart(
        "platform.metallb.chart",
        f"{HELM}: the speakers one after the other; an address moves to "
        "another node when its announcer leaves",
    ),
    "platform.metallb.mode": "the objects of the other way are sent; connections to the services' "
    "addresses are cut while they change hands",
    "platform.metallb.pool": "in place: the pool's object is changed; a service whose address is "
    "outside it from then on gets another",
    "platform.ingress.kind": "the other controller is installed. The old one's release is never "
    "uninstalled by an update: it keeps its NodePorts and address until `helm uninstall`; "
    "`cilium` alone goes with the change of Cilium's release",
    **chart("platform.ingress.chart", INGRESS),
    "platform.ingress.node_ports": PORTS,
    "platform.ingress.replicas": "Helm upgrades the ingress' release: pods are added or taken "
    "away, and from null to a number or back one set of pods takes the place of the other",
    "platform.ingress.external_traffic_policy": "Helm changes the live Service, it is read back, "
    "and then the balancers, which check nodes in another way, are reloaded with it",
    "platform.ingress.timeouts": INGRESS,
    "platform.ingress.load_balancer_ip": "Helm changes the live Service, and MetalLB announces the "
    "other address; with `balancers.target: load-balancer-ip` the balancers are reloaded with it",
    "platform.demo": "its objects are made, changed or deleted; its pods are renewed one by one",
    **chart("platform.cert_manager.chart", HELM),
    "platform.cert_manager.issuers": "in place: the issuers' objects are changed; certificates "
    "that were issued stay",
    **chart("platform.monitoring.chart", HELM),
    "platform.monitoring.receivers": HELM,
    "platform.monitoring.dashboards": DASHBOARDS,
    **chart("platform.logging.loki", f"{HELM}: lines wait at who sends them meanwhile"),
    **chart("platform.logging.alloy", f"{HELM}: each goes on where it was"),
    "platform.logging.days": f"{HELM}. With a shorter time, older lines are deleted within hours",
    "platform.logging.collector": "in place: Alloy's Service and its pods are renewed; pushed to "
    "routers and balancers, whose senders are restarted, and HAProxy is reloaded if it had no "
    "access log",
    "platform.logging.store": "Loki writes to the other place; what was written to the old one is "
    "neither moved nor found any more",
    "platform.logging.store.size": VOLUME,
    "platform.logging.store.storage_class": VOLUME,
    "platform.storage": "another release is installed, every node's kubelet is restarted with the "
    "labels that volumes are placed by, and pods go on running. From then on an update leaves the "
    "nodes' disks alone: `disk` grows no machine that is there. Taken out, the release, its "
    "classes and the volumes stay; update once with nothing but that, and with no volume attached",
    **chart("platform.storage.chart", f"{HELM}; volumes stay attached meanwhile"),
    "platform.storage.endpoint": HELM,
    "platform.storage.insecure": HELM,
    "platform.storage.region": "refused by no one, and volumes that are there would not be found "
    "any more, which have the old one in their names: choose it once",
    "platform.storage.classes": f"{HELM}. A class that is there keeps its storage, file system and "
    "reclaim policy: Kubernetes refuses other ones, so add a class",
    "platform.delivery": "another release is installed, and the cluster follows the repository. "
    "Taken out, the hand-over goes; what was delivered, and the release, stay",
    "platform.delivery.kind": "the other one is installed and handed the repository. The old one's "
    "hand-over goes first, what it delivered stays, and so does its release until `helm uninstall`",
    **chart("platform.delivery.chart", f"{HELM}; what was delivered goes on"),
    "platform.delivery.repository": "in place: what is delivered follows the other repository; "
    "with `prune`, what that does not have is deleted",
    "platform.delivery.branch": "in place: what is delivered follows the other branch; with "
    "`prune`, what that does not have is deleted",
    "platform.delivery.path": "in place: what is delivered follows the other folder; with `prune`, "
    "what that does not have is deleted",
    "platform.delivery.credentials": "in place: the repository's Secret is made or deleted",
    "platform.delivery.prune": "in place: from then on what is taken out of the folder is deleted, "
    "or left",
    "platform.delivery.every": "in place: the repository is asked as often from then on",
    "platform.velero": "another release is installed; taken out, it stays, as do its backups",
    **chart("platform.velero.chart", HELM),
    "platform.velero.plugin": HELM,
    "platform.velero.bucket": f"{HELM}. Backups go to the other bucket; those in the old one are "
    "not listed any more, and nothing removes them",
    "platform.velero.region": HELM,
    "platform.velero.endpoint": f"{HELM}. Backups go to the other store; those at the old one are "
    "not listed any more, and nothing removes them",
    "platform.velero.path_style": HELM,
    "platform.velero.volumes": f"{HELM}: an agent comes to every node, or goes; volumes are in "
    "backups from the next one on, or no more",
    "platform.velero.schedule": "in place: the next backup is taken by it",
    "platform.velero.days": "in place: further backups are kept as long; those that are there keep "
    "their end",
    "platform.mesh": "other releases are installed, Cilium's agents are renewed one node after the "
    "other, and the namespaces are labelled; pods get their proxy when they are started anew, and "
    "are reached by nobody outside of the mesh from then on. Taken out, pods that have a proxy "
    "keep it until they are started anew, and the releases stay until `helm uninstall`",
    "platform.mesh.kind": "the other mesh is installed beside the old one, whose releases stay: "
    "take the mesh out first, and start the pods anew",
    **chart("platform.mesh.crds", HELM),
    **chart("platform.mesh.cni", f"{HELM}; pods that start meanwhile wait"),
    **chart("platform.mesh.control_plane", f"{HELM}; proxies are new when their pods start anew"),
    "platform.mesh.namespaces": "in place: namespaces are labelled, or no more; pods get their "
    "proxy, or lose it, when they are started anew",
    **chart("platform.charts[]", HELM),
    "platform.charts": "another release is installed; one taken out of the list stays in the "
    "cluster until `helm uninstall`",
    "platform.charts[].name": OTHER_RELEASE,
    "platform.charts[].namespace": OTHER_RELEASE,
    "platform.charts[].pod_security": "in place: the namespace's label; pods that run stay, new "
    "ones are judged by it",
    "platform.charts[].after": "nothing in the cluster: the order in which releases are made",
    "platform.charts[].secrets": "in place: the Secrets' keys; whether pods read them again is the "
    "chart's business",
    # Public services.
    "services[].name": "another service: with `image` the namespace of the old name and all in it "
    "is deleted first; the balancers' route and the alerts have the new name",
    "services[].hosts": f"its Ingress is changed in place; {HAPROXY}; records are made for new "
    "names and deleted for those taken out",
    "services[].path": f"its Ingress is changed in place; {HAPROXY}",
    "services[].image": f"{PODS}; from null or to null, what answers for its names is another",
    "services[].service": "its Ingress is changed in place, or made anew beside the other Service",
    "services[].port": PODS,
    "services[].replicas": "in place: pods are added or taken away, each finishing what it has",
    "services[].env": PODS,
    "services[].secrets": "in place: the Secret has other keys; pods are not renewed by that and "
    "read it when they start",
    "services[].cpu": PODS,
    "services[].memory": PODS,
    "services[].memory_limit": PODS,
    "services[].health_path": PODS,
    "services[].alive_path": PODS,
    "services[].user": PODS,
    "services[].writable": PODS,
    "services[].issuer": "its Ingress is changed in place, and asks for a certificate of that "
    "issuer",
    "services[].annotations": "its Ingress is changed in place",
    "services[].ingress_class": f"its Ingress is changed in place; {HAPROXY}",
    "services[].node_port": OWN,
    "services[].alert": HELM,
}
"""Key (with `[]` for the items of a list) to what its change does."""
