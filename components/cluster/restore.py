"""A cluster brought back from a backup: what its first control plane does before `kubeadm init`.
Pure.

Sources: etcd.io, "Disaster recovery" (`--bump-revision` and `--mark-compacted`, without which
whoever watches would take the past for the present); kubeadm init, which takes authorities that lie
there.
"""

from __future__ import annotations

from components.cluster import backup
from components.cluster.model import NodeModel, Restoring
from components.cluster.render import text

KEY = "backup-key"
"""What the key that opens the archive is called among the secrets."""
_PEERS = 2380


def restoring(node: NodeModel) -> Restoring | None:
    """What the stack would restore on the node; None for nothing."""
    cluster = node.cluster
    if cluster.restore is None or cluster.backups is None:
        return None
    local = (cluster.cluster_configuration.get("etcd") or {}).get("local") or {}
    data = str(local.get("dataDir", "/var/lib/etcd"))
    archive = cluster.restore.archive
    return Restoring(
        archive=archive,
        data=data,
        text=text(
            "restore.sh.j2",
            program=backup.PROGRAM,
            state=backup.STATE,
            store=cluster.backups.ssh.url,
            archive=archive,
            sha256=cluster.restore.sha256,
            own=backup.OWN,
            sums=backup.SUMS,
            namespace=backup.NAMESPACE,
            pushed=sorted(cluster.node_files),
            key=KEY,
            name=node.name,
            peer=f"https://{node.lan}:{_PEERS}",
            data=data,
        ),
    )
