"""The Proxmox hosts beside their API: storage folders, certificate, SSH keys and an OpenSSH."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.hypervisor import cgroups
from lab.hypervisor.layout import Layout
from lab.hypervisor.pve.storage import FOLDERS
from lab.hypervisor.settings import Settings
from lab.network.ip import NETNS_DIR

HERE = Path(__file__).parent
SSHD_CONFIG = """\
Port 22
ListenAddress {address}
HostKey /etc/lab-ssh/host_key
AuthorizedKeysFile /etc/lab-ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
AllowTcpForwarding no
X11Forwarding no
PermitTunnel no
MaxStartups 50:30:100
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class HostFiles:
    """A host's files below the state directory."""

    root: Path

    @property
    def ssh(self) -> Path:
        return self.root / "ssh"

    @property
    def certificate(self) -> Path:
        return self.root / "api.crt"

    @property
    def key(self) -> Path:
        return self.root / "api.key"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def log(self) -> Path:
        return self.root / "sshd.log"


def key_pair(path: Path, comment: str) -> str:
    """An OpenSSH key pair at `path` and `path.pub`, made once; returns the public line."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.pub").write_text(f"{public.decode()} {comment}\n")
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.OpenSSH,
                serialization.NoEncryption(),
            )
        )
    return path.with_name(f"{path.name}.pub").read_text().strip()


def prepare(layout: Layout, settings: Settings, host: str, authorized: str) -> HostFiles:
    """Make (or keep) a host's folders, certificate and keys; `authorized` may log in as root."""
    files = HostFiles(layout.node(host))
    address = str(settings.topology.nodes[host].legs[0].address.ip)
    for folder in FOLDERS.values():
        (layout.vz(host) / folder).mkdir(parents=True, exist_ok=True)
    files.ssh.mkdir(parents=True, exist_ok=True)
    files.scratch.mkdir(exist_ok=True)
    if not files.certificate.exists():
        import_module("fakepve.certs").make_cert(str(files.root), name="api", hosts=(address, host))
    key_pair(files.ssh / "host_key", f"root@{host}")
    (files.ssh / "authorized_keys").write_text(f"{authorized}\n")
    (files.ssh / "sshd_config").write_text(SSHD_CONFIG.format(address=address))
    return files


def start_sshd(
    layout: Layout, settings: Settings, host: str, rootfs: Path
) -> subprocess.Popen[bytes]:
    """Start a host's OpenSSH in its network namespace, shut in with its storage."""
    files, group = HostFiles(layout.node(host)), group_of(settings, host)
    cgroups.create(group)
    netns = NETNS_DIR / settings.topology.namespace(host)
    argv = ["nsenter", f"--net={netns}", "--", "unshare", "--mount", "--propagation", "slave"]
    argv += ["--pid", "--fork", "--kill-child", "--uts", "--ipc", "--"]
    argv += ["sh", str(HERE / "host.sh"), str(rootfs), str(files.root), str(files.scratch), group]
    with files.log.open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
        )


def group_of(settings: Settings, host: str) -> str:
    """The control group of a host's own processes."""
    return f"{settings.topology.prefix}host-{host}"
