"""A bare machine's tree installs from the depot what the program installs, and nothing else.

Depot and machine share one network namespace that has no link at all: the depot's address is on
its loopback interface. Namespaces, mounts and processes end with the shell that made them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.software import base
from lab.software.software import depot_item, paths, sources_lines

DEPOT = "http://192.0.2.4"

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root (namespaces, chroot)"),
    pytest.mark.skipif(
        not depot_item().ready, reason="the depot is not filled: python -m lab.software build"
    ),
]

_MACHINE = r"""
set -eu
tree=$1 top=$2 python=$3 root=$4
shift 4
ip link set lo up
ip address add 192.0.2.4/32 dev lo
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$top/upper,workdir=$top/work" "$top/root"
mount -t proc proc "$top/root/proc"
mount --bind /dev "$top/root/dev"
mkfifo "$top/ready"
"$python" -m lab.software.depot --root "$root" --listen 192.0.2.4:80 >"$top/ready" &
read -r line <"$top/ready"
echo "$line"
mkdir -p "$top/root/etc/apt/keyrings"
"$python" -c 'import sys, urllib.request
sys.stdout.write(urllib.request.urlopen("http://192.0.2.4/key.asc").read().decode())' \
    >"$top/root/etc/apt/keyrings/layered-cloud.asc"
printf '%s\n' "$SOURCES" >"$top/root/etc/apt/sources.list"
printf '#!/bin/sh\nexit 101\n' >"$top/root/usr/sbin/policy-rc.d"
chmod 755 "$top/root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$top/root" apt-get -q update
chroot "$top/root" apt-get -q --yes --no-install-recommends install "$@"
chroot "$top/root" dpkg-query --show --showformat '${Package} ${Version} ${db:Status-Abbrev}\n' "$@"
chroot "$top/root" dpkg --audit
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    trees = tmp_path_factory.mktemp("trees")
    yield base.unpack(paths().base_image, trees)
    shutil.rmtree(trees)


def install(tree: Path, top: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    script = ["sh", "-c", _MACHINE, "machine", str(tree), str(top), sys.executable]
    return subprocess.run(
        [
            *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"),
            *("--propagation", "private", *script, str(paths().depot_root), *packages),
        ],
        env=os.environ | {"SOURCES": "\n".join(sources_lines(DEPOT).values())},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.timeout(300)
def test_balancers_routers_and_nodes_install_from_the_depot_alone(
    tree: Path, tmp_path: Path
) -> None:
    wanted = (
        *("haproxy", "keepalived", "nftables", "conntrackd", "frr", "chrony"),
        *("kubeadm", "kubelet", "kubectl", "containerd.io"),
    )
    answer = install(tree, tmp_path, *wanted)
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
    assert "depot ready on 192.0.2.4:80" in answer.stdout
    installed = {
        words[0]: words[1]
        for words in map(str.split, answer.stdout.splitlines())
        if len(words) == 3 and words[2] == "ii"
    }
    assert set(installed) == set(wanted)
    assert installed["kubelet"] == "1.36.3-1.1"
    assert installed["containerd.io"] == "2.4.2-1"
    assert installed["haproxy"].startswith("2.6.")
    assert "Get:1 http://192.0.2.4/" in answer.stdout
    others = [
        word
        for line in answer.stdout.splitlines()
        for word in line.split()
        if word.startswith("http") and not word.startswith(f"{DEPOT}/")
    ]
    assert others == []


@pytest.mark.timeout(300)
def test_a_repository_signed_by_another_key_is_refused(tree: Path, tmp_path: Path) -> None:
    # The image still carries Debian's keyring; a line that names it must not accept our key.
    stranger = sources_lines(DEPOT)["debian"].replace(
        "/etc/apt/keyrings/layered-cloud.asc",
        "/etc/apt/trusted.gpg.d/debian-archive-bookworm-stable.asc",
    )
    answer = subprocess.run(
        [
            *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"),
            *("--propagation", "private", "sh", "-c", _MACHINE, "machine", str(tree)),
            *(str(tmp_path), sys.executable, str(paths().depot_root), "haproxy"),
        ],
        env=os.environ | {"SOURCES": stranger},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert answer.returncode != 0
    assert "NO_PUBKEY" in answer.stdout + answer.stderr
    assert "Unpacking haproxy" not in answer.stdout
