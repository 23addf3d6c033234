"""One changed value, and what must never be readable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import assert_one_change_a_balancer, balancers, customs, variant

from lab import runner
from lab.paths import state_dir
from lab.probes import edge, inside
from lab.probes.world import World


def test_one_changed_timeout_plans_one_changed_resource_a_balancer(world: World) -> None:
    assert_one_change_a_balancer(world)


def test_the_change_is_made_while_the_service_goes_on(world: World) -> None:
    from lab.probes.drills import measured

    answers: list[dict[str, Any]] = []
    outage, said = measured(
        world,
        45,
        lambda: answers.append(variant("up", changes=balancers(timeouts={"http_request": 7}))),
    )
    assert answers[0]["ok"], answers[0]["error"]
    assert outage < 1.0, said
    assert "manifests" in inside.manifests_true(world)


def test_the_old_value_comes_back(world: World) -> None:
    answer = variant("up")
    assert answer["ok"], answer["error"]
    assert len(customs(answer["steps"])) == len(world.role("balancer"))
    edge.through_the_chain(world, 5)


def test_no_secret_in_any_plan_log_or_plain_state(world: World) -> None:
    """Every secret the stack was given or made is searched for in what lies about readable."""
    secrets = dict(runner.given()["secrets"])
    for name in ("deploy_key", "kubeconfig"):
        secrets[name] = (state_dir() / "access" / name).read_text()
    needles = {name: needle for name, text in secrets.items() for needle in _needles(text)}
    assert len(needles) >= len(secrets)
    plan = variant("preview")["text"]
    places = {"plan": plan}
    engine = state_dir() / "engine"
    for path in engine.rglob("*"):
        if path.is_file() and path.stat().st_size < 50_000_000 and "passphrase" not in path.name:
            places[str(path.relative_to(engine))] = path.read_text(errors="replace")
    assert any("logs/" in place for place in places)
    assert any(".pulumi/stacks/" in place for place in places)
    found = [
        f"{name} in {place}"
        for place, text in places.items()
        for name, needle in needles.items()
        if needle in text
    ]
    assert found == []


def test_no_secret_in_a_journal_or_a_file_that_others_may_read(world: World) -> None:
    tls_key = world.text(world.role("balancer")[0], ["cat", "/etc/haproxy/tls/site.pem"])
    needles = _needles(tls_key)
    assert needles
    for machine in world.machines:
        journal = world.text(machine, ["journalctl", "--no-pager", "--quiet"])
        assert not [needle for needle in needles if needle in journal], machine
        readable = world.text(
            machine,
            [
                "sh",
                "-c",
                "find /etc /var/lib/layered-cloud /run -xdev -type f -perm /004 -print0 "
                "2>/dev/null | xargs -0 grep -l 'PRIVATE KEY' 2>/dev/null || true",
            ],
        )
        assert readable.strip() == "", f"{machine}: {readable}"


def _needles(text: str) -> list[str]:
    """Parts of a secret long enough that they cannot stand somewhere by chance."""
    secret = False
    found = []
    for line in text.splitlines():
        if "PRIVATE KEY" in line:
            secret = "BEGIN" in line
        elif secret and len(line.strip()) >= 40:
            found.append(line.strip()[:60])
        elif "client-key-data" in line or "token" in line:
            found.append(line.split()[-1][:60])
    if not found and "\n" not in text.strip():
        found.append(text.strip().rpartition("=")[2] or text.strip())
    return found[:3]


def test_the_checkout_stays_clean(world: World) -> None:
    import subprocess

    from lab.paths import CHECKOUT

    if not (Path(CHECKOUT) / ".git").exists():
        return
    shown = subprocess.run(
        ["git", "status", "--porcelain", "Pulumi.lab.yaml", "Pulumi.yaml"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown == ""
