"""The backup's unit as it stands: what it takes, ships, keeps and tells."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.cluster import backup
from components.cluster.admission import KEYS
from lab.software import goitems
from tests.components.cluster import backups
from tests.components.host import demo
from tests.components.host.backup_world import ENCRYPTION, SSHD, STORE, World, backed_up
from tests.components.host.booted import poll

pytestmark = pytest.mark.root
NAMED = re.compile(r"lab[.]cp-1[.]\d{8}T\d{6}Z[.]backup")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with backed_up(tmp_path_factory.mktemp("backup")) as made:
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
    assert inside["files/etc/kubernetes/enc/config.yaml"] == ENCRYPTION.encode()
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
    world.machine.sh(SSHD)
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
    world.machine.sh(SSHD)
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
