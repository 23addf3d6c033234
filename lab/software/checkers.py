"""A tree of each distribution in which a rendered file is judged by the real daemon's own checker.

`run_checker` puts files over the tree in a memory filesystem and runs a checker in it, in mount,
network and process namespaces of its own: nothing of the machine is seen or changed, there is no
link to anywhere, and all of it is gone with the process.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from lab.software import debian, goitems, versions
from lab.software.progress import Progress
from lab.software.store import Item
from settings.models import DISTRIBUTIONS, DistributionName

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "procps", "cloud-init"),
    *("haproxy", "keepalived", "nftables", "conntrackd", "conntrack", "frr", "frr-pythontools"),
    *("bird2", "chrony", "curl", "netcat-openbsd", "openssl", "python3", "sudo", "ca-certificates"),
    *("prometheus", "prometheus-node-exporter"),
    *("rsyslog", "rsyslog-gnutls"),
    *("certbot", "python3-certbot-dns-cloudflare"),
)
"""What the machines of the lab install, and what their checkers need, by the names that the lab's
own distribution has for them."""
FURTHER: Mapping[str, tuple[str, ...]] = {
    # Debian has the keys that Ubuntu's archive is signed with.
    "trixie": ("unattended-upgrades", "ubuntu-keyring"),
    "noble": ("unattended-upgrades",),
}
"""What the trees of other distributions have beside that; `make test-all` builds them."""
_OWN = DISTRIBUTIONS[versions.DEBIAN_SUITE]
KEYRING = "usr/share/keyrings/ubuntu-archive-keyring.gpg"

_LAY_OVER = r"""
set -eu
tree=$1 top=$2 interfaces=$3
shift 3
mount -t tmpfs -o mode=0755 tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$top/upper,workdir=$top/work" "$top/root"
tar --extract --same-owner --same-permissions --directory "$top/root"
mount -t proc proc "$top/root/proc"
mount -t tmpfs -o mode=0755 tmpfs "$top/root/run"
mkdir -p "$top/root/run/sshd" "$top/root/run/haproxy" "$top/root/run/frr" "$top/root/run/lock"
for node in null zero full random urandom tty; do
    [ -e "$top/root/dev/$node" ] || : >"$top/root/dev/$node"
    mount --bind "/dev/$node" "$top/root/dev/$node"
done
ip link set lo up
for entry in $interfaces; do
    name=${entry%%=*}
    ip link add "$name" type veth peer name "x-$name"
    ip link set "x-$name" up
    ip link set "$name" up
    for address in $(echo "${entry#*=}" | tr , ' '); do ip address add "$address" dev "$name"; done
done
while [ "$1" != -- ]; do
    : >"$top/root/usr/bin/${1##*/}"
    mount --bind -o ro "$1" "$top/root/usr/bin/${1##*/}"
    shift
done
shift
exec chroot "$top/root" "$@" </dev/null
"""


class CheckerUnavailable(Exception):
    """The checkers cannot run here; the message says what is lacking and what to do."""


def item(distribution: str = versions.DEBIAN_SUITE) -> Item:
    """The tree as an item of the cache, of the lab's own distribution or of another."""
    own = distribution == versions.DEBIAN_SUITE
    row = DISTRIBUTIONS[cast("DistributionName", distribution)]
    named = {name: row.packages[what] for what, name in _OWN.packages.items()}
    packages = (*(named.get(each, each) for each in PACKAGES), *FURTHER.get(distribution, ()))
    foreign = row.family == "ubuntu"
    keys = item("trixie") if foreign else None

    def make(directory: Path, progress: Progress) -> None:
        debian.bootstrap(
            directory / "root",
            directory,
            progress,
            include=packages,
            suite=distribution,
            keyring=None if keys is None else keys.path / "root" / KEYRING,
        )

    return Item(
        name="checkers" if own else f"checkers-{distribution}",
        version=distribution,
        inputs={"packages": " ".join(packages), "recipe": debian.RECIPE},
        make=make,
        needs=() if keys is None else (keys,),
    )


def lacking(distribution: str = versions.DEBIAN_SUITE) -> str | None:
    """Why `run_checker` cannot run here, or None when it can: the reason of a skipped test."""
    if os.geteuid() != 0:
        return "the checkers need root (namespaces and mounts)"
    tree = item(distribution)
    if not tree.ready:
        return f"the checkers' tree is not built: python -m lab.software build --only {tree.name}"
    return None


def run_checker(
    argv: Sequence[str],
    files: Mapping[str, str | bytes],
    *,
    interfaces: Mapping[str, Sequence[str]] | None = None,
    modes: Mapping[str, int] | None = None,
    timeout: float = 60.0,
    distribution: str = versions.DEBIAN_SUITE,
) -> subprocess.CompletedProcess[str]:
    """Run a daemon's checker over files laid into the tree, and give what it answered.

    `files` maps absolute paths to contents (mode 0644, or what `modes` says, owned by root);
    `interfaces` maps names of network interfaces the checker shall find to their addresses
    (`198.18.0.1/24`), which may be none; `distribution` is whose daemons judge. `kubeadm`,
    `kubelet`, `containerd` and `helm` are there
    when they have been built. Raises `CheckerUnavailable`, or `subprocess.TimeoutExpired` after
    `timeout` seconds.
    """
    reason = lacking(distribution)
    if reason is not None:
        raise CheckerUnavailable(reason)
    programs = (goitems.KUBEADM, goitems.KUBELET, goitems.CONTAINERD, goitems.HELM)
    built = [str(p.executable(p.name)) for p in programs if p.item.ready]
    named = " ".join(f"{name}={','.join(ips)}" for name, ips in (interfaces or {}).items())
    with tempfile.TemporaryDirectory(prefix="layered-cloud-check-") as top:
        tree = str(item(distribution).path / "root")
        with subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork"),
                *("--kill-child", "--propagation", "private"),
                *("sh", "-c", _LAY_OVER, "check", tree, top, named, *built, "--", *argv),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"},
        ) as process:
            try:
                out, err = process.communicate(_archive(files, modes or {}), timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise
    return subprocess.CompletedProcess(
        list(argv),
        process.returncode,
        out.decode(errors="replace"),
        err.decode(errors="replace"),
    )


def _archive(files: Mapping[str, str | bytes], modes: Mapping[str, int]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            if not path.startswith("/"):
                raise ValueError(f"{path}: the path of a file to check must be absolute")
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(data)
            entry.mode = modes.get(path, 0o644)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
