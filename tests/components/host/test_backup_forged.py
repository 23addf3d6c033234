"""What a restore takes from the store, and what it refuses: by the text that a control plane runs,
with the real sftp, openssl, ssh-keygen and etcdutl."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.cluster import backup
from components.cluster.restore import KEY, restoring
from settings.models import Restore
from tests.components.cluster import backups, nodes
from tests.components.host.backup_world import ENCRYPTION, STORE, World, backed_up
from tests.components.host.booted import Answer

pytestmark = pytest.mark.root
DATA, SECRETS = "/srv/restored", "/root/secrets"
MARKERS = "/etc/kubernetes/layered-cloud"
CONFIG = "/etc/kubernetes/enc/config.yaml"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with backed_up(tmp_path_factory.mktemp("forged")) as made:
        made.machine.sh(f"mkdir -m 0700 {SECRETS}; cp {MARKERS}/initialised {MARKERS}/wanted")
        (made.machine.root / SECRETS.lstrip("/") / KEY).write_text(made.recipient.key_pem)
        yield made


@pytest.fixture(scope="module")
def good(world: World) -> str:
    assert world.runs() == "success", world.words()
    (name,) = world.shipped()
    return name


@pytest.fixture
def whole(world: World, kept: bytes, good: str, tmp_path: Path) -> Path:
    """The files of the good one."""
    at_store(world, good).write_bytes(kept)
    return opened(world, good, tmp_path)


@pytest.fixture(scope="module")
def kept(world: World, good: str) -> bytes:
    """The good one itself."""
    return at_store(world, good).read_bytes()


def at_store(world: World, name: str) -> Path:
    return world.machine.root / STORE.lstrip("/") / name


def restored(world: World, archive: str, sha256: str | None = None, **cluster: Any) -> Answer:
    """What the first control plane does before kubeadm, on a machine without copies of its own."""
    settings = nodes.cluster(
        backups=world.wants,
        restore=Restore(archive=archive, sha256=sha256),
        cluster_configuration={"etcd": {"local": {"dataDir": DATA}}},
        **cluster,
    )
    told = restoring(nodes.control_plane(settings))
    assert told is not None
    world.machine.sh(f"rm -rf {DATA} {backup.STATE}/copies/*")
    text = f"markers={MARKERS}\nexport SECRETS={SECRETS}\n{told.text}"
    done = world.machine.run("bash", "-eu", "-o", "pipefail", "-c", text)
    laid = world.machine.run("test", "-e", f"{DATA}/member").status == 0
    assert laid == (done.status == 0), done.err
    assert world.machine.run("test", "-e", f"{backup.STATE}/restore").status != 0
    return done


def opened(world: World, name: str, folder: Path) -> Path:
    """The files of an archive, by somebody who can open it."""
    key, into = folder / "key", folder / "in"
    key.write_text(world.recipient.key_pem)
    into.mkdir()
    words = ("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in")
    done = subprocess.run(
        [*words, str(at_store(world, name)), "-inkey", str(key)], capture_output=True, check=True
    )
    subprocess.run(
        ["tar", "--extract", "--gzip", "--directory", str(into)], input=done.stdout, check=True
    )
    return into


def put(world: World, files: Path, name: str) -> str:
    """An archive of these files, by somebody who has the certificate and the store; its SHA-256."""
    certificate = files.parent / "recipient.pem"
    certificate.write_text(world.recipient.pem)
    packed = subprocess.run(
        ["tar", "--create", "--gzip", "--directory", str(files), "."],
        capture_output=True,
        check=True,
    ).stdout
    words = ("openssl", "cms", "-encrypt", "-binary", "-stream", "-aes-256-gcm", "-outform", "DER")
    sealed = subprocess.run(
        [*words, str(certificate)], input=packed, capture_output=True, check=True
    ).stdout
    at_store(world, name).write_bytes(sealed)
    return hashlib.sha256(sealed).hexdigest()


def summed(files: Path) -> None:
    """With sums that are right."""
    names = sorted(
        f"./{each.relative_to(files)}"
        for each in files.rglob("*")
        if each.is_file() and not each.name.startswith(backup.SUMS)
    )
    rows = [f"{hashlib.sha256((files / name).read_bytes()).hexdigest()}  {name}" for name in names]
    (files / backup.SUMS).write_text("".join(f"{row}\n" for row in rows))


def test_what_was_shipped_is_taken(world: World, good: str) -> None:
    (world.machine.root / CONFIG.lstrip("/")).write_text("of an earlier restore, of another one\n")
    done = restored(world, good)
    assert done.status == 0, done.err
    assert world.machine.text(CONFIG) == ENCRYPTION
    assert world.machine.sh("stat --format '%a %n' / /etc").split() == ["755", "/", "755", "/etc"]


@pytest.mark.parametrize("at", [0.3, 0.999])
def test_a_damaged_one_is_refused(world: World, good: str, at: float) -> None:
    """The encryption is authenticated: one bit is enough."""
    data = bytearray(at_store(world, good).read_bytes())
    data[int(len(data) * at)] ^= 1
    name = "lab.cp-1.20260101T000000Z.backup"
    at_store(world, name).write_bytes(data)
    done = restored(world, name)
    assert f"the secret backupKey does not open {name}, or it is damaged" in done.err


def test_another_file_in_it_is_refused_before_it_runs(world: World, whole: Path, good: str) -> None:
    (whole / "etcdutl").write_text("#!/bin/sh\ntouch /root/owned\n")
    put(world, whole, good)
    done = restored(world, good)
    assert f"{good} holds other files than were signed" in done.err
    assert "etcdutl: FAILED" in done.err
    assert world.machine.run("test", "-e", "/root/owned").status != 0


@pytest.mark.parametrize("extra", ["files/etc/cron.d/owned", "pki/further.key"])
def test_a_file_more_is_refused(world: World, whole: Path, good: str, extra: str) -> None:
    at = whole / extra
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text("* * * * * root touch /root/owned\n")
    put(world, whole, good)
    done = restored(world, good)
    assert f"{good} holds other files than were signed" in done.err
    assert f"./{extra}" in done.err


def test_one_that_somebody_else_signed_is_refused(
    world: World, whole: Path, good: str, tmp_path: Path
) -> None:
    (whole / "etcdutl").write_text("#!/bin/sh\ntouch /root/owned\n")
    summed(whole)
    other = backups.ssh_keys(tmp_path, "other")
    assert other.private
    (whole / f"{backup.SUMS}.sig").unlink()
    words = ("ssh-keygen", "-q", "-Y", "sign", "-f", str(tmp_path / "other"))
    subprocess.run([*words, "-n", backup.NAMESPACE, str(whole / backup.SUMS)], check=True)
    put(world, whole, good)
    done = restored(world, good)
    assert f"{good} was not signed, under this name, by the key" in done.err
    assert world.machine.run("test", "-e", "/root/owned").status != 0


def test_an_older_one_under_a_newer_name_is_refused(world: World, whole: Path) -> None:
    name = "lab.cp-1.20991231T000000Z.backup"
    put(world, whole, name)
    assert f"{name} was not signed, under this name" in restored(world, name).err


def test_one_without_a_signature_is_taken_by_its_checksum_alone(world: World, whole: Path) -> None:
    for each in (f"{backup.SUMS}.sig", backup.SUMS, "name"):
        (whole / each).unlink()
    name = "lab.cp-1.20250101T000000Z.backup"
    known = put(world, whole, name)
    assert f"{name} was not signed" in restored(world, name).err
    other = restored(world, name, "0" * 64)
    assert "cluster.restore.sha256: what the store has as" in other.err
    assert known in other.err
    done = restored(world, name, known)
    assert done.status == 0, done.err


def test_the_stacks_own_encryption_stays_if_it_has_the_archives_keys(
    world: World, whole: Path, good: str
) -> None:
    put(world, whole, good)
    at = world.machine.root / CONFIG.lstrip("/")
    at.write_text(ENCRYPTION.replace("bm8g", "b3Ro"))
    done = restored(world, good, node_files={CONFIG: "as it is pushed"})
    assert f"cluster.node_files.{CONFIG}: lacks a key that the Secrets in {good}" in done.err
    both = (
        f"- aescbc: {{ keys: [{{ name: two, secret: b3RoZXIgc2VjcmV0IDE2Yg== }}] }}\n{ENCRYPTION}"
    )
    at.write_text(both)
    done = restored(world, good, node_files={CONFIG: "as it is pushed"})
    assert done.status == 0, done.err
    assert world.machine.text(CONFIG) == both
