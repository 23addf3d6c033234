"""A real API server with nothing behind it: what it takes of objects is what a cluster takes.

etcd and kube-apiserver in network and process namespaces of their own, without a kubelet or a
controller: what is made is judged and stored, and nothing comes of it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.software import goitems
from tests.components.world import until

PROGRAMS = (goitems.ETCD, goitems.KUBE_APISERVER, goitems.KUBECTL)

_START = r"""
set -eu
ip link set lo up
openssl genrsa -out key.pem 2048 2>/dev/null
printf 'token,admin,admin,system:masters\n' >tokens.csv
"$1" --data-dir=etcd --unsafe-no-fsync --listen-client-urls=http://127.0.0.1:2379 \
    --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380 \
    >etcd.log 2>&1 &
exec "$2" --etcd-servers=http://127.0.0.1:2379 --cert-dir=certs --bind-address=127.0.0.1 \
    --advertise-address=127.0.0.1 --service-cluster-ip-range=198.18.96.0/24 \
    --service-account-issuer=https://kubernetes.invalid --service-account-key-file=key.pem \
    --service-account-signing-key-file=key.pem --token-auth-file=tokens.csv \
    --authorization-mode=RBAC >api.log 2>&1
"""
_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [
        {
            "name": "it",
            "cluster": {"server": "https://127.0.0.1:6443", "insecure-skip-tls-verify": True},
        }
    ],
    "users": [{"name": "admin", "user": {"token": "token"}}],
    "contexts": [{"name": "it", "context": {"cluster": "it", "user": "admin"}}],
    "current-context": "it",
}


def lacking() -> str | None:
    """Why this cannot run here, or None."""
    missing = [each.name for each in PROGRAMS if not each.item.ready]
    if missing:
        return f"not built: python -m lab.software build --only {' '.join(missing)}"
    return None if os.geteuid() == 0 else "needs root"


@dataclass(frozen=True)
class ApiServer:
    """One that answers."""

    folder: Path
    process: subprocess.Popen[bytes]

    def kubectl(self, *words: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        """kubectl as the administrator, with an object on its standard input."""
        return subprocess.run(
            [
                *("nsenter", f"--target={self.process.pid}", "--net"),
                str(goitems.KUBECTL.executable("kubectl")),
                *("--kubeconfig", str(self.folder / "kubeconfig"), *words),
            ],
            input=None if given is None else yaml.safe_dump(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def takes(self, thing: Any, *words: str) -> subprocess.CompletedProcess[str]:
        """Makes an object as the program's provider does (server-side apply), every field of which
        must be one that the API knows."""
        return self.kubectl(
            *("apply", "--server-side", "--validate=strict", "--filename=-", *words), given=thing
        )


@contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    """Until it is left."""
    (folder / "kubeconfig").write_text(yaml.safe_dump(_KUBECONFIG))
    programs = goitems.ETCD.executable("etcd"), goitems.KUBE_APISERVER.executable("kube-apiserver")
    process = subprocess.Popen(
        [
            *("unshare", "--net", "--pid", "--fork", "--kill-child"),
            *("bash", "-c", _START, "start", *map(str, programs)),
        ],
        cwd=folder,
    )
    try:
        made = ApiServer(folder, process)
        until(
            lambda: made.kubectl("get", "--raw", "/readyz").stdout == "ok",
            "the API server is ready",
            300,
        )
        yield made
    finally:
        process.kill()
        process.wait()
