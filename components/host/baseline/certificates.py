"""How long the machine's certificates are valid, as figures beside node_exporter's own. Pure.

Sources: node_exporter's textfile collector (its folder is Debian's default); kubernetes.io, PKI
certificates and requirements (kubeadm's files).
"""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.part import Part, Service, Text

FILES = (
    "/etc/haproxy/tls/*.pem",
    "/etc/haproxy/tls/acme/*.pem",
    "/etc/kubernetes/pki/*.crt",
    "/etc/kubernetes/pki/etcd/*.crt",
    "/etc/kubernetes/*.conf",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
)
"""Where a machine of any role has certificates; what is not there is passed over. A test compares
them with what the layers push."""
SCRIPT = "/etc/prometheus/layered-cloud-certificates"
TIMER = "layered-cloud-certificates.timer"
_UNITS = "/etc/systemd/system"


def part(model: BaselineModel) -> Part | None:
    """A script once an hour, where node_exporter tells what it writes: for each file
    `layered_cloud_certificate_start_timestamp_seconds` and `…_end_timestamp_seconds` (Unix time).

    A certificate that is renewed is told so within the hour.
    """
    if not model.node_exporter:
        return None
    timer = Text(path=f"{_UNITS}/{TIMER}", content=render("certificates.timer.j2"))
    return Part(
        name="certificates",
        files=(
            Text(path=SCRIPT, content=render("certificates.py.j2", files=FILES)),
            Text(
                path=f"{_UNITS}/layered-cloud-certificates.service",
                content=render("certificates.service.j2", script=SCRIPT),
            ),
            timer,
        ),
        services=(Service(name=TIMER, on_change="restart", watches=(timer.path,)),),
    )
