"""The shell texts that let a machine into the cluster: what it asks with, what a control plane
signs and hands over, and the join itself. Pure.

A bootstrap token would be somebody's who reads it and be over after minutes. What is made here is
worth something to one machine alone, and lasts as long as the state that keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address

from components.cluster import actions, etcd, kubeadm
from components.cluster.actions import MARKERS
from components.cluster.model import NodeModel, Restoring
from components.cluster.render import text

JOINING = "/etc/kubernetes/layered-cloud-join"
"""The key that a machine joins with, whatever is reset."""
HANDED = "handed-"
"""Begins the names of the secrets that hold what control planes handed over."""
KEYS = (
    *("ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key"),
    *("etcd/ca.crt", "etcd/ca.key"),
)
"""What control planes of one cluster share, below /etc/kubernetes/pki (kubernetes.io, "Creating
Highly Available Clusters with kubeadm", "Manual certificate distribution")."""


def ask_guard() -> str:
    """Holds when this very machine has a key of its own and a request made with it."""
    return text("ask-guard.sh.j2", joining=JOINING)


def ask(name: str) -> str:
    """Makes the key that the machine joins with, and a request for the node `name`."""
    return text("ask.sh.j2", name=name, joining=JOINING)


def asked() -> str:
    """Prints the machine-id, a line, and the request (PEM)."""
    return text("asked.sh.j2", joining=JOINING)


def sign(name: str) -> str:
    """Prints a certificate for the request in $SECRETS/request, which makes its owner the node
    `name` and nothing else, and the cluster's authority (PEM)."""
    return text("sign.sh.j2", name=name)


def join(node: NodeModel, ignored: Sequence[str]) -> str:
    """A worker's `kubeadm join` with the key of `ask`, and what `sign` printed in $SECRETS/join."""
    words = _join_words(node, ignored, f"{node.name}-certificate")
    return f'handed="$SECRETS/join"\n{text("join.sh.j2", **words)}'


def join_guard() -> str:
    """Holds on a node of the cluster whose authority is in $SECRETS/join."""
    return text("join-guard.sh.j2")


def stale_guard(name: str) -> str:
    """Holds unless the node `name` is another machine than $SECRETS/machine says; on a machine that
    is in no cluster too."""
    return text("stale-guard.sh.j2", name=name, markers=MARKERS)


def stale(name: str) -> str:
    """Deletes that node."""
    return text("stale.sh.j2", name=name)


def hand_over(name: str) -> str:
    """Prints what `sign` does, and the cluster's own keys as a CMS message (RFC 5083, 5084) that
    the owner of the request alone can open (PEM); nothing on a machine that is in no cluster."""
    return text("hand-over.sh.j2", sign=sign(name), markers=MARKERS, keys=KEYS)


def control_plane_guard(read: Mapping[str, str], restore: Restoring | None = None) -> str:
    """Holds on a control plane of the cluster that was made with `read` (`birth.facts`), if it was
    handed one of the same authority or none; and, to `restore`, on the one that did."""
    return text(
        "control-plane-guard.sh.j2",
        init_guard=actions.init_guard(read),
        handed=HANDED,
        markers=MARKERS,
        archive=None if restore is None else restore.archive,
    )


def control_plane(
    node: NodeModel,
    *,
    ignored: Sequence[str],
    read: Mapping[str, str],
    founder: bool,
    others: Sequence[IPv4Address],
    restore: Restoring | None = None,
) -> str:
    """Makes the machine a control plane: of the cluster that it was handed, else of a new one,
    which the `founder` alone may make. `others` are the other control planes' LAN addresses. The
    founder of one to `restore` makes it of that, and not while it is handed another."""
    words = _join_words(node, ignored, f"{node.name}-certificate-${{handed##*/{HANDED}}}")
    alone = not others and restore is None
    made = actions.init(ignored, read, beside=None if alone else node.api, restore=restore)
    return text(
        "control-plane.sh.j2",
        name=node.name,
        handed=HANDED,
        join=text(
            "join-control-plane.sh.j2",
            **words,
            read=actions.lines(read),
            remove=etcd.program("remove", "$SECRETS/etcd", others),
        ),
        init=made if founder else None,
        restored=founder and restore is not None,
    )


def _join_words(node: NodeModel, ignored: Sequence[str], certificate: str) -> dict[str, object]:
    """`certificate` names the resource that signed, in the shell's words."""
    return {
        "name": node.name,
        "joining": JOINING,
        "markers": MARKERS,
        "certificate": certificate,
        "endpoint": f"{node.api.lan}:{node.api.port}",
        "config": kubeadm.join_config(node, "$SECRETS/discovery.yaml"),
        "ignore": actions.ignoring(ignored),
    }
