"""The shell texts of the layer's actions: the cluster's birth, joins, and credentials. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.cluster import birth
from components.cluster.containerd import SOCKET
from components.cluster.kubeadm import CONFIG
from components.cluster.render import text
from components.host.endpoint import ApiEndpoint

MARKERS = "/etc/kubernetes/layered-cloud"
JOINING = "/etc/kubernetes/layered-cloud-join"
"""The key that a worker joins with, whatever is reset."""
BINDING = "layered-cloud-administrator"
KUBECONFIG_HOURS = 8760


def init_guard(read: Mapping[str, str]) -> str:
    """Holds when the cluster was made with `read` (`birth.facts`), and its node not reset since."""
    return text("init-guard.sh.j2", markers=MARKERS, read=_lines(read))


def init(ignored: Sequence[str], read: Mapping[str, str]) -> str:
    """`kubeadm init`; a failure says kubeadm's words and leaves a node to begin on again.

    A cluster that was made with other values than `read` is made anew while nobody was given it,
    and refused afterwards.
    """
    return text(
        "init.sh.j2",
        config=CONFIG,
        markers=MARKERS,
        ignore=_ignoring(ignored),
        read=_lines(read),
        remedy=birth.REMEDY,
    )


def reset() -> str:
    """Makes a node a plain machine again."""
    return f"kubeadm reset --force >&2\nrm -rf /etc/cni/net.d/* {MARKERS}\n"


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


def join(name: str, api: ApiEndpoint, ignored: Sequence[str]) -> str:
    """`kubeadm join` with the key of `ask`, and what `sign` printed in $SECRETS/join."""
    return text(
        "join.sh.j2",
        name=name,
        joining=JOINING,
        endpoint=f"{api.lan}:{api.port}",
        cri_socket=SOCKET,
        ignore=_ignoring(ignored),
    )


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


def _lines(read: Mapping[str, str]) -> str:
    return "\n".join(f"{key} {value}" for key, value in sorted(read.items()))


def _ignoring(errors: Sequence[str]) -> str:
    """kubeadm's flag with its leading blank, or nothing."""
    return f" --ignore-preflight-errors={','.join(errors)}" if errors else ""
