"""The part that takes backups, as it is rendered."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from components.cluster import backup
from lab.software import checkers
from tests.components.checked import real
from tests.components.cluster import backups, nodes
from tests.components.cluster.test_cluster_component import COMMAND, run
from tests.golden_files import assert_golden


def test_every_file_is_what_was_read_and_agreed() -> None:
    for path, text in backups.part(backups.wanted()).texts().items():
        assert_golden(f"cluster/backups{path}", text)


def test_only_control_planes_of_a_stack_that_wants_them_take_any() -> None:
    wants = nodes.cluster(backups=backups.wanted())
    assert backup.part(nodes.worker(wants)) is None
    assert backup.part(nodes.control_plane()) is None
    assert backup.part(nodes.control_plane(wants)) is not None


def test_a_store_that_looks_after_itself_is_never_told_to_delete() -> None:
    kept = backups.part(backups.wanted()).texts()[backup.PROGRAM]
    left = backups.part(backups.wanted(ssh={"keep": None})).texts()[backup.PROGRAM]
    assert "#rm /backups/" in kept
    assert "#rm /backups/" not in left
    # What an upload that was cut off left is no copy.
    assert "[.]part$" in left


def test_the_store_is_known_by_its_keys_alone() -> None:
    keys = [f"{backups.HOST_KEY} somebody@store", backups.HOST_KEY.replace("AAEC", "AAED")]
    made = backup.known_hosts(backups.wanted(ssh={"host_keys": keys}))
    assert made.splitlines() == [
        f"backup-store {backups.HOST_KEY}",
        f"backup-store {backups.HOST_KEY.replace('AAEC', 'AAED')}",
    ]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_program_passes_shellcheck(tmp_path: Path) -> None:
    script = tmp_path / "program.sh"
    script.write_text(backups.part(backups.wanted()).texts()[backup.PROGRAM])
    done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@real
@pytest.mark.parametrize("every", [1, 2, 3, 4, 6, 8, 12, 24])
def test_the_timer_comes_as_often_as_the_stack_says(every: int) -> None:
    timer = backups.part(backups.wanted(every_hours=every)).texts()[
        f"/etc/systemd/system/{backup.TIMER}"
    ]
    (when,) = [line.partition("=")[2] for line in timer.splitlines() if "OnCalendar" in line]
    before = "--base-time=2026-07-31 23:59:00 UTC"
    argv = ["systemd-analyze", "calendar", "--iterations=25", before, when]
    done = checkers.run_checker(argv, {})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2026-08-01 ") == 24 // every


@real
def test_systemd_takes_the_units() -> None:
    texts = backups.part(backups.wanted()).texts()
    units = [path for path in texts if path.startswith("/etc/systemd/system/")]
    modes = {backup.PROGRAM: 0o755}
    done = checkers.run_checker(["systemd-analyze", "verify", *units], texts, modes=modes)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_key_is_a_secret_of_the_control_planes_alone() -> None:
    seen = run(backups=backups.wanted(), backup_ssh_key="hush")
    assert [each for each in seen.names(COMMAND) if each.endswith("-secrets")] == [
        "cp-1-node-secrets"
    ]
    for name in seen.names(COMMAND):
        secret = seen.one(COMMAND, name).inputs["stdin"]
        assert name == "cp-1-node-secrets" or "hush" not in str(secret)
