"""What every part owes, as a list of what is wrong with one.

A fault names the part, what is wrong, and what would be right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

from components.host.part import Part
from components.loadbalancers.model import Rooms, RoutesModel
from settings.models import Sizes, Timeouts

LATE: dict[str, object] = {
    "authorities": "certificates",
    "authorized_keys": ["ssh-ed25519 AAAA operator"],
    "cdn_ranges": ["198.51.100.0/24"],
    "certificate": "a chain",
    "routes": RoutesModel(
        lan_vips=(IPv4Address("192.0.2.10"),),
        target="load-balancer-ip",
        nodes=(),
        http_port=None,
        https_port=None,
        load_balancer_ip=IPv4Address("192.0.2.20"),
        timeouts=Timeouts(),
        sizes=Sizes(),
        client_ip_header="CF-Connecting-IP",
        redirect_to_https=False,
        rooms=Rooms.of(1000),
        per_client=100,
    ),
}
"""A value for everything that parts' texts wait for (`Late.needs`)."""

UNJUDGED = {
    "/etc/apt/apt.conf.d/52layered-cloud-upgrades": "constant but for one word",
    "/etc/apt/sources.list": "empty",
    "/etc/chrony/chrony.conf": "chronyd starts with it and must run, or the old one comes back",
    "/etc/cloud/cloud.cfg.d/99-layered-cloud.cfg": "constant; read at the next boot",
    "/etc/containerd/certs.d": "containerd reads it at a pull, and skips a host it cannot reach",
    "/etc/default/kubelet": "flags, which the settings' rules judge",
    "/etc/bird/layered-drain": "a script whose golden is tested",
    "/etc/frr/daemons": "names of daemons and constant options",
    "/etc/frr/layered-drain": "a script whose golden is tested",
    "/etc/haproxy/layered/30-answers.cfg": "the check of the routes has HAProxy judge the folder",
    "/etc/haproxy/layered-announce": "a script whose golden is tested",
    "/etc/haproxy/layered-ended": "a script whose golden is tested",
    "/etc/haproxy/layered-reload": "a constant script",
    "/etc/hostname": "one word, made here",
    "/etc/layered-cloud/backup/known_hosts": "the settings' rules judge the host key it is made of",
    "/etc/layered-cloud/backup/ssh-key": "ssh reads it at the first backup, and its words are told",
    "/etc/keepalived/layered-handover": "a script whose golden is tested",
    "/etc/hosts": "the resolver skips a line that it does not understand",
    "/etc/keepalived/layered-haproxy-alive": "a script whose golden is tested",
    "/etc/keepalived/layered-haproxy-serves": "a script whose golden is tested",
    "/etc/keepalived/layered-health": "a script whose golden is tested",
    "/etc/layered-certbot": "a script that is tested, and what it reads, whose words it tells",
    "/etc/motd": "a stack's own file (`cluster.node_files`) can be anything",
    "/etc/nftables/layered-guard": "a script whose golden is tested",
    "/etc/nftables/layered-ways": "a script whose golden is tested",
    "/etc/resolv.conf": "the resolver skips a line that it does not understand",
    "/etc/systemd/journald.conf.d/60-layered-cloud.conf": "journald skips what it does not know",
    "/etc/udev/rules.d/90-layered-cloud-sshd.rules": "constant but for an interface's name",
    "/etc/prometheus/layered-cloud-certificates": "a script that is tested as it is",
    "/etc/systemd/system": "units and drop-ins are constants but for names made here",
    "/root/.ssh/authorized_keys": "sshd skips a line that it does not understand",
}
"""Files and folders of files that nothing judges before they serve, and why."""

OTHERS = {
    "/etc/containerd/conf.d": "snippets of the stack (`cluster.containerd`), which may be none",
}
"""What parts watch though they may have no file there, and why."""

OF_THE_IMAGE = {
    "sshd": "the image has sshd, or nobody could push",
    "journald": "a part of systemd",
}
"""Parts whose daemon needs no package, and why."""

BY_DEFAULT: dict[tuple[str, int], str] = {
    ("bird", 3784): "the one port of BFD over one hop (RFC 5881, 4), which BIRD has no word for",
    ("frr", 3784): "the one port of BFD over one hop (RFC 5881, 4), which bfdd has no word for",
    ("kubeadm", 2379): "kubeadm's own choice for etcd, which it writes itself",
    ("kubeadm", 2380): "kubeadm's own choice for etcd, which it writes itself",
    ("kubelet", 10250): "the kubelet's own default, which kubeadm keeps",
}
"""Ports, by part, that stand in none of its texts, and why."""

UNASKED = {
    "chrony": "Debian's unit is of type forking: its start fails, with chronyd's words",
    "layered-health.socket": "systemd listens itself: its start fails when it cannot",
    "prometheus-node-exporter.socket": "systemd listens itself, and the service is asked",
    "prometheus-node-exporter-own.socket": "systemd listens itself, and the service is asked",
    "layered-cloud-backup-figures.service": "ends when it has told: its start fails when it cannot",
    "layered-cloud-backup.timer": "a part of systemd: its start fails when it cannot",
    "layered-certbot.timer": "a part of systemd: its start fails when it cannot",
    "layered-cloud-certificates.timer": "a part of systemd: its start fails when it cannot",
    "layered-leg.service": "ends when it has set the address: its start fails when it cannot",
    "systemd-journald": "a part of systemd, which every other daemon's words go to",
}
"""Units that nobody asks whether they serve, and why."""

NETWORKS = ("management", "lan", "wan", "sync", "loopback")
SOURCES = ("peer", "management", "lan", "cdn", "anyone", "itself", "named")
UNITS = "/etc/systemd/system/"
AGAIN = r"(?m)^(Restart=(always|on-failure)|FreeBind=yes)$"
"""What a unit says that comes up before the address it listens on."""


def covers(watched: str, path: str) -> bool:
    """Whether a watched path is this file or a directory above it."""
    return path == watched or path.startswith(watched.rstrip("/") + "/")


def faults(parts: Sequence[Part]) -> list[str]:
    """What is wrong with the parts that are summed into one push."""
    return [*_names(parts), *(fault for part in parts for fault in _of(part))]


def _of(part: Part) -> Iterator[str]:
    for rule in (_judged, _own, _brought, _noticed, _tried_again, _ports, _exporters):
        for fault in rule(part):
            yield f"{part.name}: {fault}"


def _names(parts: Sequence[Part]) -> Iterator[str]:
    for kind, names in {
        "part": [part.name for part in parts],
        "file": [file.path for part in parts for file in part.files],
        "check": [check.name for part in parts for check in part.checks],
        "step": [step.name for part in parts for step in part.steps],
        "service": [service.name for part in parts for service in part.services],
    }.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{kind} {name} is there {count} times: give each a name of its own"


def _judged(part: Part) -> Iterator[str]:
    """A step that applies a file judges it too: when it fails, the old file comes back."""
    for file in part.files:
        judged = any(
            covers(watched, file.path)
            for judge in (*part.checks, *part.steps)
            for watched in judge.watches or ("/",)
        )
        if not judged and not any(covers(path, file.path) for path in UNJUDGED):
            yield (
                f"{file.path} has no check: add the daemon's own, or say in UNJUDGED "
                "(tests/part_contract.py) why none"
            )


def _own(part: Part) -> Iterator[str]:
    for watcher in (*part.checks, *part.steps, *part.services):
        for watched in watcher.watches:
            own = any(covers(watched, file.path) for file in part.files)
            if not own and watched not in OTHERS:
                yield f"{watcher.name} watches {watched}, where the part has no file"


def _brought(part: Part) -> Iterator[str]:
    own = {file.path.removeprefix(UNITS) for file in part.files if file.path.startswith(UNITS)}
    # What is not enabled here, another push of the machine has brought.
    foreign = [each.name for each in part.services if each.enable and each.name not in own]
    if foreign and not part.packages and part.name not in OF_THE_IMAGE:
        yield (
            f"nothing brings {', '.join(foreign)}: name the package, or say in OF_THE_IMAGE "
            "(tests/part_contract.py) why none is needed"
        )


def _noticed(part: Part) -> Iterator[str]:
    """systemd calls a unit started when its process is there, and not when it serves."""
    for service in part.services:
        if service.enable and service.health is None and service.name not in UNASKED:
            yield (
                f"nobody would notice that {service.name} ends as it starts: give it a Health, or "
                "say in UNASKED (tests/part_contract.py) why none"
            )


def _tried_again(part: Part) -> Iterator[str]:
    """A leg's address may come up after the daemon that binds it."""
    units = [file.path for file in part.files if file.path.startswith(UNITS)]
    text = "\n".join(part.texts(**LATE)[path] for path in units)
    bound = [port.network for port in part.ports if port.number and port.network != "loopback"]
    enabled = any(each.enable for each in part.services)
    if bound and enabled and not re.search(AGAIN, text):
        yield (
            f"it listens on {bound[0]}, whose address may come up after it: add a drop-in that "
            "tries again, as components/host/baseline/templates/sshd-unit.conf.j2, or "
            "FreeBind=yes for a socket"
        )


def _ports(part: Part) -> Iterator[str]:
    text = "\n".join(part.texts(**LATE).values())
    for port in part.ports:
        what = f"port {port.protocol} {port.number or ''}".strip()
        said = rf"\b{port.number}\b" if port.number is not None else rf"(?i){port.protocol}"
        if not re.search(said, text) and (part.name, port.number) not in BY_DEFAULT:
            yield (
                f"{what} stands in no text of it: render it, or say in BY_DEFAULT "
                "(tests/part_contract.py) why not"
            )
        if (port.number is None) == (port.protocol in ("tcp", "udp")):
            yield f"{what}: tcp and udp have a number, other protocols none"
        if port.network not in NETWORKS or port.sources not in SOURCES:
            yield f"{what} is on {port.network} for {port.sources}: see OpenPort for the words"
        if not port.purpose:
            yield f"{what} is open for no purpose: name it"


def _exporters(part: Part) -> Iterator[str]:
    opened = {(port.network, port.number) for port in part.ports}
    for exporter in part.exporters:
        if (exporter.network, exporter.port) not in opened:
            yield f"exporter {exporter.name} is read on {exporter.port}, which is not among ports"
