"""Backups of the cluster: each control plane takes its own, on a timer, and ships it. Pure.

Sources: etcd.io, "Disaster recovery"; kubernetes.io, "Operating etcd clusters for Kubernetes";
openssl-cms(1), sftp(1), ssh-keygen(1), systemd.timer(5), systemd.exec(5). The image of kubeadm's
etcd has had etcdctl and etcdutl beside etcd since 3.6 and has no shell since 3.6.5
(kubernetes#134251).
"""

from __future__ import annotations

from components.cluster.actions import MARKERS
from components.cluster.admission import KEYS
from components.cluster.model import NodeModel
from components.cluster.render import text
from components.host.part import Check, Part, Service, Text
from settings.models import Backups

PROGRAM = "/usr/lib/layered-cloud/cluster-backup"
OWN = "/etc/layered-cloud/backup"
STATE = "/var/lib/layered-cloud-backup"
TOLD = "/var/lib/prometheus/node-exporter/layered-cloud-backup.prom"
"""Where node_exporter's textfile collector looks."""
METRIC = "layered_cloud_backup"
NAME = "layered-cloud-backup"
TIMER = f"{NAME}.timer"
SSH_KEY = "backup-ssh-key"
"""What the private key that the store lets in is called among the secrets."""
SUMS = "SHA256SUMS"
"""What an archive has of each of its files; beside it, with `.sig`, the SSH key's signature."""
NAMESPACE = "layered-cloud-backup"
"""Of that signature (ssh-keygen(1), -n)."""
_ALIAS = "backup-store"
"""What known_hosts calls the store, whatever its address and port."""
_UNITS = "/etc/systemd/system"
_STATES = ("layered-cloud-backup", "prometheus/node-exporter")
"""Below /var/lib: what the units may write."""
_ETCD = 2379
_SYNTAX = ("bash", "-n", PROGRAM)


def part(node: NodeModel) -> Part | None:
    """The program, its key and its timer on a control plane, where the stack wants backups.

    sftp and openssl are there: sshd's package needs the one, joining nodes the other. It tells
    node_exporter `layered_cloud_backup_last_success_timestamp_seconds` (Unix time, 0 for
    never), `…_last_failed` (1 or 0), `…_size_bytes` and `…_interval_seconds`.
    """
    backups = node.cluster.backups
    if not node.control_plane or backups is None:
        return None
    figures = Text(
        path=f"{_UNITS}/{NAME}-figures.service",
        content=text("backup-figures.service.j2", program=PROGRAM, told=TOLD, states=_STATES),
    )
    timer = Text(path=f"{_UNITS}/{TIMER}", content=text("backup.timer.j2", **_times(backups)))
    return Part(
        name="backup",
        files=(
            Text(path=PROGRAM, content=program(node, backups), mode="0755"),
            Text(path=f"{OWN}/recipient.pem", content=backups.recipient),
            Text(path=f"{OWN}/known_hosts", content=known_hosts(backups)),
            Text(
                path=f"{OWN}/ssh-key", content=f"@@{SSH_KEY}@@\n", mode="0600", secrets=(SSH_KEY,)
            ),
            Text(
                path=f"{_UNITS}/{NAME}.service",
                content=text(
                    "backup.service.j2",
                    program=PROGRAM,
                    young=_young(backups),
                    states=_STATES,
                ),
            ),
            figures,
            timer,
        ),
        checks=(
            Check(name="backup", argv=_SYNTAX, watches=(PROGRAM,)),
            Check(
                name="backup-recipient",
                argv=("openssl", "x509", "-noout", "-in", f"{OWN}/recipient.pem"),
                watches=(f"{OWN}/recipient.pem",),
            ),
        ),
        services=(
            Service(name=f"{NAME}-figures.service", on_change="restart", watches=(PROGRAM,)),
            Service(name=TIMER, on_change="restart", watches=(timer.path,)),
        ),
    )


def program(node: NodeModel, backups: Backups) -> str:
    """What takes, ships and fetches backups, as a shell script."""
    name = f"{node.cluster.name}.{node.name}"
    return text(
        "backup.sh.j2",
        name=name,
        pattern=f"{name}.".replace(".", "[.]") + r"[0-9]{8}T[0-9]{6}Z[.]backup",
        state=STATE,
        own=OWN,
        sums=SUMS,
        namespace=NAMESPACE,
        port=_ETCD,
        markers=MARKERS,
        keys=KEYS,
        ssh=backups.ssh,
        alias=_ALIAS,
        keep=backups.keep,
        remembered=max(backups.keep, backups.ssh.keep or 0),
        young=_young(backups),
        told=TOLD,
        metric=METRIC,
        interval=backups.every_hours * 3600,
    )


def known_hosts(backups: Backups) -> str:
    """sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: the store's keys and no others."""
    keys = (each.split()[:2] for each in backups.ssh.host_keys)
    return "".join(f"{_ALIAS} {' '.join(key)}\n" for key in keys)


def _times(backups: Backups) -> dict[str, object]:
    every = backups.every_hours
    return {
        "every_hours": every,
        "hours": ",".join(f"{hour:02}" for hour in range(0, 24, every)),
        "spread": every * 15,
    }


def _young(backups: Backups) -> int:
    """Minutes for which one that could not be shipped is worth shipping: half of the interval."""
    return backups.every_hours * 30
