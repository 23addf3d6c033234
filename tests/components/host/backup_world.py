"""A machine that is a control plane with backups and their store: real systemd with the unit's
sandbox, a real etcd in a root of its own, and a real sshd that takes the backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.cluster import backup
from components.cluster.admission import KEYS
from components.host import payload
from components.host.part import Part
from lab.software import goitems
from settings.models import Backups
from tests import issued
from tests.components.cluster import backups
from tests.components.host import demo
from tests.components.host.booted import Booted, booted, poll

STORE = "/srv/store/backups"
ENCRYPTION = "- aescbc: { keys: [{ name: one, secret: bm8gc2VjcmV0IG9mIDE2Yg== }] }\n"
"""As much of an EncryptionConfiguration as is looked at."""
_MADE = """
cd /etc/kubernetes/pki
exec 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=etcd-ca \
    -keyout etcd/ca.key -out etcd/ca.crt
for each in server healthcheck-client; do
    openssl req -new -newkey rsa:2048 -nodes -keyout etcd/$each.key -subj /CN=$each |
        openssl x509 -req -days 9 -CA etcd/ca.crt -CAkey etcd/ca.key -CAcreateserial \
            -out etcd/$each.crt -extfile <(
                printf '%s\n' subjectAltName=IP:127.0.0.1 extendedKeyUsage=serverAuth,clientAuth
            )
done
chmod 0600 etcd/*.key *.key
cd /srv/image
mkdir -p usr/local/bin var/lib/etcd etc/kubernetes/pki /var/lib/etcd
systemd-run --quiet --unit etcd --property RootDirectory=/srv/image --property MountAPIVFS=yes \
    --property BindPaths=/var/lib/etcd --property BindReadOnlyPaths=/etc/kubernetes/pki \
    /usr/local/bin/etcd --data-dir=/var/lib/etcd --listen-client-urls=https://127.0.0.1:2379 \
    --advertise-client-urls=https://127.0.0.1:2379 --cert-file=/etc/kubernetes/pki/etcd/server.crt \
    --key-file=/etc/kubernetes/pki/etcd/server.key --client-cert-auth=true \
    --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt --listen-peer-urls=http://127.0.0.1:2380 \
    --initial-advertise-peer-urls=http://127.0.0.1:2380 --initial-cluster=default=http://127.0.0.1:2380
"""
SSHD = """
# The machine's own would take the folder along that both need when it stops.
systemctl --quiet --runtime mask --now ssh.service ssh.socket
mkdir -p /srv/store/backups /run/sshd
chown backup: /srv/store/backups
usermod --password '*' backup
systemd-run --quiet --unit store /usr/sbin/sshd -D -e -f /etc/store/sshd_config
"""
_SSHD_CONFIG = """
Port 2222
ListenAddress 127.0.0.1
HostKey /etc/store/host-key
AuthorizedKeysFile /etc/store/authorized_keys
ChrootDirectory /srv/store
Subsystem sftp internal-sftp
ForceCommand internal-sftp
PasswordAuthentication no
StrictModes no
"""


class World:
    """One machine that is a control plane and the store, and the key that opens its backups."""

    def __init__(self, machine: Booted, recipient: issued.Pair, wants: Backups) -> None:
        self.machine, self.recipient, self.wants = machine, recipient, wants

    def store_goes(self) -> None:
        self.machine.sh("systemctl stop store; systemctl reset-failed store || true")

    def store_comes(self) -> None:
        self.machine.sh("systemctl reset-failed store || true")
        self.machine.sh(SSHD)
        poll(lambda: "2222" in self.machine.sh("ss -Hltn"), 10, "the store")

    def told(self, name: str) -> str:
        return self.machine.sh(f"systemctl show --value --property {name} {backup.NAME}")

    def runs(self) -> str:
        """Takes a backup now, once; systemd's word for how it went."""
        before = self.told("InvocationID")
        self.machine.sh(f"systemctl start --no-block {backup.NAME}")
        over = ("dead", "failed", "auto-restart")
        poll(lambda: self.told("InvocationID") != before, 10, "a start")
        poll(lambda: self.told("SubState") in over, 60, "the end of a backup")
        result = self.told("Result")
        self.machine.run("systemctl", "stop", backup.NAME)
        self.machine.run("systemctl", "reset-failed", backup.NAME)
        return result

    def shipped(self) -> list[str]:
        return self.machine.sh(f"ls -1 {STORE}").split()

    def copies(self) -> list[str]:
        return self.machine.sh(f"ls -1 {backup.STATE}/copies").split()

    def figures(self) -> dict[str, int]:
        text = self.machine.text(backup.TOLD) or ""
        pairs = (line.split() for line in text.splitlines())
        return {name.removeprefix(f"{backup.METRIC}_"): int(value) for name, value in pairs}

    def words(self) -> str:
        return self.machine.sh(f"journalctl --unit {backup.NAME} --no-pager --output cat")

    def etcdctl(self, words: str) -> str:
        pki = "/etc/kubernetes/pki/etcd"
        flags = f"--cacert {pki}/ca.crt --cert {pki}/server.crt --key {pki}/server.key"
        return self.machine.sh(f"/srv/image/usr/local/bin/etcdctl {flags} {words}")

    def made_older(self, seconds: int) -> None:
        """As if the last one had been taken so long ago."""
        self.machine.sh(f"touch --date '-{seconds} seconds' {backup.STATE}/copies/*")


def request(made: Part) -> dict[str, Any]:
    """The push of this part alone."""
    texts = made.texts()
    return demo.request(
        "cluster",
        {},
        program=False,
        contents=[
            demo.content(file.path, texts[file.path], file.mode, placeholders=file.secrets)
            for file in made.files
        ],
        checks=made.checks,
        steps=made.steps,
        services=made.services,
    )


def deposit(ssh_key: str) -> dict[str, Any]:
    """Its secret."""
    secrets = {f"{backup.OWN}/ssh-key#{backup.SSH_KEY}": ssh_key.rstrip("\n")}
    return payload.deposit(layer="cluster", secrets=secrets, epoch="1")


@contextmanager
def backed_up(folder: Path) -> Iterator[World]:
    """With etcd and the store running, and a copy of 3 there and of 2 here that stay."""
    if not goitems.ETCD.item.ready:
        pytest.skip("not built: python -m lab.software build --only etcd")
    host, login = backups.ssh_keys(folder, "host"), backups.ssh_keys(folder, "login")
    recipient = backups.recipient()
    pki = {
        f"/etc/kubernetes/pki/{name}": f"{name}\n" for name in KEYS if not name.startswith("etcd/")
    }
    encryption = "      - --encryption-provider-config=/etc/kubernetes/enc/config.yaml\n"
    files = {
        **pki,
        "/etc/kubernetes/pki/etcd/.keep": "",
        "/etc/kubernetes/enc/config.yaml": ENCRYPTION,
        "/etc/kubernetes/layered-cloud/initialised": 'cluster.name "lab"\n',
        "/etc/kubernetes/manifests/kube-apiserver.yaml": encryption,
        "/etc/kubernetes/manifests/etcd.yaml": "    - --data-dir=/var/lib/etcd\n",
        "/etc/store/sshd_config": _SSHD_CONFIG,
        "/etc/store/host-key": host.private,
        "/etc/store/authorized_keys": f"restrict {login.public}",
    }
    modes = dict.fromkeys(("/etc/store/host-key",), 0o600)
    with booted("backup", files=files, modes=modes) as machine:
        for name in ("etcd", "etcdctl", "etcdutl"):
            at = machine.root / "srv/image/usr/local/bin" / name
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(goitems.ETCD.executable(name).read_bytes())
            at.chmod(0o755)
        machine.sh(_MADE)
        machine.sh(SSHD)
        ssh = {"url": "ssh://backup@127.0.0.1:2222/backups", "host_keys": [host.public], "keep": 3}
        wants = backups.wanted(recipient=recipient.pem, ssh=ssh, keep=2)
        made = World(machine, recipient, wants)
        try:
            poll(lambda: "true" in made.etcdctl("endpoint health -w json || true"), 30, "etcd")
        except AssertionError:
            raise AssertionError(machine.sh("journalctl --unit etcd --no-pager | tail")) from None
        part = backups.part(wants)
        assert machine.ask("deposit", deposit(login.private)).status == 0
        answer = machine.ask("apply", request(part))
        assert answer.status == 0, answer.err
        yield made
