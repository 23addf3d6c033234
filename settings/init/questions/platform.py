"""What runs on the cluster, who is told of alerts, and where backups go."""

from __future__ import annotations

from typing import Final

from settings.init.ingress import INGRESSES
from settings.init.questions.question import NONE, Fixed, Question, with_answer, with_some
from settings.models.monitoring import RECEIVER_KINDS

NOT: Final = "no"
"""Of monitoring: none."""

_MAILED: Final = with_answer(
    "monitoring", *(word for word, traits in RECEIVER_KINDS.items() if traits.mails)
)
_BACKUPS: Final = with_some("backups")

PLATFORM: Final = (
    Question(
        name="ingress",
        text="ingress controller (docs/platform.md)",
        keys=("platform.ingress", "topology"),
        default=Fixed("traefik"),
        choices=tuple(INGRESSES),
    ),
    Question(
        name="monitoring",
        text="Prometheus over the whole chain, whose alerts go by mail or to a webhook; it needs "
        "about 1 GiB of memory on the workers",
        keys=("platform.monitoring", "access.node_exporter"),
        default=Fixed(NOT),
        choices=(NOT, *RECEIVER_KINDS),
    ),
    Question(
        name="alerts-to",
        text="who gets the mail, such as ops@example.org,night@example.org",
        keys=("platform.monitoring.receivers.to",),
        stand_in="ops@example.org",
        when=_MAILED,
    ),
    Question(
        name="alerts-from",
        text="whom it is from, an address that the mail server takes",
        keys=("platform.monitoring.receivers.sender",),
        stand_in="cloud@example.org",
        when=_MAILED,
    ),
    Question(
        name="alerts-server",
        text="the mail server (SMTP with STARTTLS, port 587), such as smtp.example.org",
        keys=("platform.monitoring.receivers.server",),
        stand_in="smtp.example.org",
        when=_MAILED,
    ),
    Question(
        name="alerts-login",
        text="who logs in there, or - for no login",
        keys=("platform.monitoring.receivers.username",),
        default=Fixed(NONE),
        when=_MAILED,
    ),
)

BACKUPS: Final = (
    Question(
        name="backups",
        text="where the cluster's backups are shipped, ssh://USER@HOST/FOLDER, or - for none",
        keys=("cluster.backups",),
        default=Fixed(NONE),
    ),
    Question(
        name="backups-keys",
        text="that server's SSH host keys, KEY,KEY, each as `ssh-keyscan -t ed25519` prints it "
        "behind the name: ssh-ed25519 AAAA...",
        keys=("cluster.backups.ssh.host_keys",),
        when=_BACKUPS,
    ),
    Question(
        name="backups-recipient",
        text="file with the certificate (PEM) whose private key alone opens them "
        '(docs/cluster.md, "Backups and restore")',
        keys=("cluster.backups.recipient",),
        file=True,
        when=_BACKUPS,
    ),
)
