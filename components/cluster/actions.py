"""The shell texts of the cluster's birth and its credentials. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.cluster import birth
from components.cluster.kubeadm import CONFIG
from components.cluster.model import Restoring
from components.cluster.render import text
from components.host.endpoint import ApiEndpoint

MARKERS = "/etc/kubernetes/layered-cloud"
BINDING = "layered-cloud-administrator"
KUBECONFIG_HOURS = 8760
IDENTITY = "layered-cloud-identity"
"""The ConfigMap in kube-system that names this very cluster."""


def init_guard(read: Mapping[str, str]) -> str:
    """Holds when the cluster was made with `read` (`birth.facts`), and its node not reset since."""
    return text("init-guard.sh.j2", markers=MARKERS, read=lines(read))


def init(
    ignored: Sequence[str],
    read: Mapping[str, str],
    beside: ApiEndpoint | None = None,
    restore: Restoring | None = None,
) -> str:
    """`kubeadm init`; a failure says kubeadm's words and leaves a node to begin on again.

    A cluster that was made with other values than `read` is made anew while nobody was given it,
    and refused afterwards. None is made while an API server of somebody else's answers at `beside`.
    With `restore` it begins on what is in a backup, and never on a machine that is in a cluster.
    """
    if restore is not None and "all" not in ignored:
        # kubeadm takes no other name beside that one.
        ignored = [*ignored, restore.preflight]
    return text(
        "init.sh.j2",
        config=CONFIG,
        markers=MARKERS,
        ignore=ignoring(ignored),
        read=lines(read),
        remedy=birth.REMEDY,
        beside="" if beside is None else f"{beside.lan}:{beside.port}",
        restore=restore,
    )


def reset() -> str:
    """Makes a node a plain machine again."""
    return f"kubeadm reset --force >&2\nrm -rf /etc/cni/net.d/* {MARKERS}\n"


def access_guard(api: ApiEndpoint, epoch: int) -> str:
    """Holds when the API answers through both VIPs and the role is this epoch's user's."""
    return text("access-guard.sh.j2", **_access(api, epoch))


def access(api: ApiEndpoint, epoch: int) -> str:
    """Waits for the API through both VIPs, then gives this epoch's user the role, alone."""
    return text("access.sh.j2", **_access(api, epoch))


def kubeconfig(api: ApiEndpoint, epoch: int) -> str:
    """Prints the administrator's kubeconfig, through the management VIP."""
    return text(
        "kubeconfig.sh.j2",
        config=CONFIG,
        user=administrator(epoch),
        validity=f"{KUBECONFIG_HOURS}h",
        server=servers(api)[1],
    )


def identity_guard() -> str:
    """Holds when the cluster remembers its identity."""
    return text("identity-guard.sh.j2", identity=IDENTITY)


def identity() -> str:
    """Has the cluster remember the identity in $SECRETS/identity for good."""
    return text("identity.sh.j2", identity=IDENTITY)


def identified() -> str:
    """Prints what the cluster remembers."""
    return text("identified.sh.j2", identity=IDENTITY)


def administrator(epoch: int) -> str:
    """The kubeconfig's user: another one each epoch, so that the role can be moved to it."""
    return f"layered-cloud-{epoch}"


def servers(api: ApiEndpoint) -> list[str]:
    """The API's URLs through both VIPs."""
    return [f"https://{address}:{api.port}" for address in (api.lan, api.management)]


def _access(api: ApiEndpoint, epoch: int) -> dict[str, object]:
    return {
        "servers": servers(api),
        "binding": BINDING,
        "user": administrator(epoch),
        "markers": MARKERS,
    }


def lines(read: Mapping[str, str]) -> str:
    """What a cluster was made with, as its marker has it."""
    return "\n".join(f"{key} {value}" for key, value in sorted(read.items()))


def ignoring(errors: Sequence[str]) -> str:
    """kubeadm's flag with its leading blank, or nothing."""
    return f" --ignore-preflight-errors={','.join(errors)}" if errors else ""
