"""The backup's unit as it stands: real systemd with its sandbox, a real etcd in a root of its own,
and a real sshd that takes the backups."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.cluster import backup
from components.cluster.admission import KEYS
from components.host import payload
from components.host.part import Part
from lab.software import goitems
from tests import issued
from tests.components.cluster import backups
from tests.components.host import demo
from tests.components.host.booted import Booted, booted, poll

pytestmark = pytest.mark.root
STORE = "/srv/store/backups"
NAMED = re.compile(r"lab[.]cp-1[.]\d{8}T\d{6}Z[.]backup")
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
_SSHD = """
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

    def __init__(self, machine: Booted, recipient: issued.Pair, ssh: backups.Keys) -> None:
        self.machine, self.recipient, self.ssh = machine, recipient, ssh

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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not goitems.ETCD.item.ready:
        pytest.skip("not built: python -m lab.software build --only etcd")
    folder = tmp_path_factory.mktemp("backup")
    host, login = backups.ssh_keys(folder, "host"), backups.ssh_keys(folder, "login")
    recipient = backups.recipient()
    pki = {
        f"/etc/kubernetes/pki/{name}": f"{name}\n" for name in KEYS if not name.startswith("etcd/")
    }
    encryption = "      - --encryption-provider-config=/etc/kubernetes/enc/config.yaml\n"
    files = {
        **pki,
        "/etc/kubernetes/pki/etcd/.keep": "",
        "/etc/kubernetes/enc/config.yaml": "aescbc\n",
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
        machine.sh(_SSHD)
        made = World(machine, recipient, login)
        try:
            poll(lambda: "true" in made.etcdctl("endpoint health -w json || true"), 30, "etcd")
        except AssertionError:
            raise AssertionError(machine.sh("journalctl --unit etcd --no-pager | tail")) from None
        ssh = {"url": "ssh://backup@127.0.0.1:2222/backups", "host_keys": [host.public], "keep": 3}
        part = backups.part(backups.wanted(recipient=recipient.pem, ssh=ssh, keep=2))
        assert machine.ask("deposit", deposit(login.private)).status == 0
        answer = machine.ask("apply", request(part))
        assert answer.status == 0, answer.err
        yield made


def test_a_backup_is_taken_verified_encrypted_and_shipped(world: World, tmp_path: Path) -> None:
    assert world.figures() == {
        **{"last_success_timestamp_seconds": 0, "last_failed": 0, "size_bytes": 0},
        "interval_seconds": 21600,
    }
    world.etcdctl("put /registry/configmaps/default/treasure found-again")
    before = time.time()
    assert world.runs() == "success", world.words()
    (name,) = world.shipped()
    assert NAMED.fullmatch(name)
    assert world.copies() == [name]
    message = world.machine.root / STORE.lstrip("/") / name
    inside = backups.opened(message, world.recipient.key_pem, tmp_path)
    assert b"found-again" in inside["etcd.db"]
    assert b"found-again" not in message.read_bytes()
    assert {f"pki/{each}" for each in KEYS} < set(inside)
    assert inside["files/etc/kubernetes/enc/config.yaml"] == b"aescbc\n"
    assert inside["made-with"] == b'cluster.name "lab"\n'
    assert inside["etcdutl"] == goitems.ETCD.executable("etcdutl").read_bytes()
    assert '"totalKey":' in world.words()
    figures = world.figures()
    assert before - 1 <= figures["last_success_timestamp_seconds"] <= time.time()
    assert figures["size_bytes"] == message.stat().st_size
    assert figures["last_failed"] == 0
    # Nothing in clear stays behind, and nobody else reads what does.
    left = world.machine.sh(f"find {backup.STATE} -type f -perm /077 ! -name 'etcd*tl'")
    assert left == f"{backup.STATE}/figures" or not left
    assert world.machine.sh(f"ls -d {backup.STATE}/work.* 2>/dev/null || true") == ""


def test_as_many_stay_as_the_stack_says(world: World) -> None:
    for day in range(1, 5):
        world.machine.sh(
            f"touch {STORE}/lab.cp-1.2026010{day}T000000Z.backup"
            f" {backup.STATE}/copies/lab.cp-1.2026010{day}T000000Z.backup"
        )
    others = ["lab.cp-11.20250101T000000Z.backup", "notes.txt"]
    world.machine.sh(f"cd {STORE} && touch {' '.join(others)}")
    assert world.runs() == "success", world.words()
    shipped = world.shipped()
    assert [each for each in shipped if each in others] == others
    ours = [each for each in shipped if each not in others]
    assert len(ours) == 3
    assert len(world.copies()) == 2
    assert world.copies() == ours[-2:]


def test_what_a_run_that_was_killed_left_is_gone_with_the_next(world: World) -> None:
    left = f"{backup.STATE}/work.killed {backup.STATE}/copies/.new.killed"
    world.machine.sh(f"mkdir {left}; touch {backup.STATE}/work.killed/ca.key")

    assert world.runs() == "success", world.words()

    assert world.machine.sh(f"ls -d {left} 2>/dev/null || true") == ""


def test_one_that_cannot_be_shipped_is_told_and_shipped_later(world: World) -> None:
    at_first = world.figures()["last_success_timestamp_seconds"]
    shipped = world.shipped()
    world.machine.sh("systemctl stop store")
    assert world.runs() != "success"
    assert "Connection refused" in world.words()
    assert world.figures()["last_failed"] == 1
    assert world.figures()["last_success_timestamp_seconds"] == at_first
    (late,) = set(world.copies()) - set(shipped)
    world.machine.sh("systemctl reset-failed store || true")
    world.machine.sh(_SSHD)
    poll(lambda: "2222" in world.machine.sh("ss -Hltn"), 10, "the store")
    assert world.runs() == "success", world.words()
    assert late in world.shipped()
    assert world.figures()["last_failed"] == 0


def test_a_store_that_is_another_one_gets_nothing(world: World, tmp_path: Path) -> None:
    key = world.machine.text("/etc/store/host-key")
    shipped = world.shipped()
    other = backups.ssh_keys(tmp_path, "other")
    (world.machine.root / "etc/store/host-key").write_text(other.private)
    world.machine.sh("systemctl restart store || true; systemctl stop store || true")
    world.machine.sh("systemctl reset-failed store || true")
    world.machine.sh(_SSHD)
    poll(lambda: "2222" in world.machine.sh("ss -Hltn"), 10, "the store")
    assert world.runs() != "success"
    assert "Host key verification failed" in world.words()
    assert world.shipped() == shipped
    (world.machine.root / "etc/store/host-key").write_text(str(key))


def test_a_machine_that_is_no_control_plane_yet_does_nothing(world: World) -> None:
    manifest = "/etc/kubernetes/manifests/etcd.yaml"
    world.machine.sh(f"mv {manifest} /root")
    before = world.copies()
    world.machine.sh(f"systemctl start {backup.NAME}")
    assert world.copies() == before
    world.machine.sh(f"mv /root/etcd.yaml {manifest}")


def test_the_timer_is_armed(world: World) -> None:
    assert world.machine.sh(f"systemctl is-active {backup.TIMER}") == "active"
    shown = world.machine.sh(f"systemctl list-timers --all --no-pager {backup.TIMER}")
    assert backup.NAME in shown


def test_a_machine_that_takes_none_any_more_is_not_missed(world: World) -> None:
    assert world.figures()
    assert world.machine.ask("apply", demo.request("cluster", {})).status == 0
    assert world.machine.text(backup.TOLD) is None
    assert world.machine.run("systemctl", "is-enabled", backup.TIMER).status != 0
    assert world.machine.run("systemctl", "is-active", backup.TIMER).status != 0
