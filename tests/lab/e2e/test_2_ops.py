"""The operator's commands on the running lab, from where its operator stands."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from harness import ENV

from lab import datacentre, runner
from lab.paths import CHECKOUT, state_dir
from lab.probes.drills.well import well
from lab.probes.world import World


def outputs() -> str:
    """What `pulumi stack output --json --show-secrets` says of the lab's stack."""
    access = state_dir() / "access"
    secret = {name: (access / name).read_text() for name in ("deploy_key", "kubeconfig")}
    return json.dumps({**datacentre.outputs(), **secret})


def ops(*words: str) -> subprocess.CompletedProcess[str]:
    settings = str(runner.folder() / "Pulumi.lab.yaml")
    argv = [sys.executable, "-m", "ops", *words, "--settings", settings, "--outputs", "-"]
    return subprocess.run(
        runner.inside(argv),
        cwd=CHECKOUT,
        env=ENV,
        input=outputs(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_operators_check_finds_nothing_wrong(world: World) -> None:
    done = ops("check", "--json")
    rows = json.loads(done.stdout)
    assert {row["name"]: row["detail"] for row in rows if not row["ok"]} == {}, done.stderr
    assert done.returncode == 0
    assert {f"{name} answers" for name in world.machines} <= {row["name"] for row in rows}


def test_the_report_draws_a_healthy_lab_and_names_what_was_stopped(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    done = ops("report", "--to", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all well" in path.read_text(encoding="utf-8")

    balancer = world.role("balancer")[-1]
    world.text(balancer, ["systemctl", "stop", "haproxy"])
    try:
        assert ops("report", "--to", str(path)).returncode == 1
    finally:
        world.text(balancer, ["systemctl", "start", "haproxy"])
        well(world)
    text = path.read_text(encoding="utf-8")
    assert f"{balancer}: haproxy.service is inactive" in text
    assert "PRIVATE KEY" not in text


def test_a_bug_report_of_the_lab_holds_none_of_its_secrets(world: World, tmp_path: Path) -> None:
    path = tmp_path / "found.tar.gz"
    done = ops("inspect", "--to", str(path))
    assert done.returncode == 0, done.stderr
    given = runner.given()["secrets"]
    access = state_dir() / "access"
    secret = [*given.values(), *(access / "deploy_key").read_text().splitlines()[1:-1]]
    config = yaml.safe_load((access / "kubeconfig").read_text())
    secret += [each["user"]["client-key-data"] for each in config["users"]]
    with tarfile.open(path) as tar:
        names = tar.getnames()
        texts = [(tar.extractfile(each) or pytest.fail()).read().decode() for each in tar]
    for name in world.machines:
        assert f"lab-inspect/machines/{name}/journal.txt" in names
    assert not any(
        line in text for line in "\n".join(secret).splitlines() for text in texts if len(line) > 20
    )
    assert not any("PRIVATE KEY" in text for text in texts)
