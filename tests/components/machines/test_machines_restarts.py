"""Machines in maintenance, restarted where something waits for that."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.host import LayerError
from components.machines import restarts
from components.machines.api import Api, ApiTrouble
from components.machines.render import render_restart
from components.machines.restarts import restart
from lab.hypervisor import images
from tests.components import stacks
from tests.components.mocks import run_program
from tests.lab.hypervisor.cluster import Cluster, cluster

ONE = "/nodes/pve1/qemu/101"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setattr(images, "unpack", lambda image, cache: Path("/unpacked") / image.name)
    with cluster(tmp_path) as made:
        made.create(name="worker-1", cores=1, memory=512)
        made.task("POST", f"{ONE}/status/start")
        made.driver.calls.clear()
        yield made


def api(served: Cluster) -> Api:
    return Api(served.endpoint, served.token, verify=False)


def told(served: Cluster, **form: Any) -> None:
    assert served.request("PUT", f"{ONE}/config", **form).ok


def current(served: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = served.get(f"{ONE}/config", current=1)
    return found


def test_a_machine_that_nothing_waits_for_is_left_alone(served: Cluster) -> None:
    assert restart(api(served), "worker-1", 101) is False
    assert served.driver.calls == []


def test_a_machine_with_more_cores_and_memory_is_shut_down_and_started_with_them(
    served: Cluster,
) -> None:
    told(served, cores=4, memory="2048")
    assert str(current(served)["cores"]) == "1"
    assert restart(api(served), "worker-1", 101) is True
    assert served.driver.calls == [("shutdown", 101), ("start", 101)]
    now = current(served)
    assert (str(now["cores"]), str(now["memory"])) == ("4", "2048")
    assert restart(api(served), "worker-1", 101) is False


def test_a_machine_that_is_off_stays_off(served: Cluster) -> None:
    served.task("POST", f"{ONE}/status/stop")
    served.driver.calls.clear()
    told(served, cores=4)
    assert restart(api(served), "worker-1", 101) is False
    assert served.driver.calls == []


def test_a_guest_that_does_not_shut_down_is_not_forced(served: Cluster) -> None:
    served.driver.stubborn.add(101)
    told(served, cores=4)
    with pytest.raises(ApiTrouble, match="got timeout; worker-1 is not forced off"):
        restart(api(served), "worker-1", 101)
    assert served.driver.calls == [("shutdown", 101)]
    assert served.get(f"{ONE}/status/current")["status"] == "running"


def test_another_machine_of_that_id_is_not_touched(served: Cluster) -> None:
    told(served, cores=4)
    with pytest.raises(ApiTrouble, match="Proxmox has no VM 101 of that name"):
        restart(api(served), "lb-a", 101)
    assert served.driver.calls == []


def test_one_that_does_not_run_again_is_told_with_what_waits(
    served: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "START_SECONDS", 0)
    told(served, cores=4)
    monkeypatch.setattr(served.pve.vm(101), "apply_pending", lambda: None)
    with pytest.raises(ApiTrouble, match=r"does not run with what waited \(cores waits still\)"):
        restart(api(served), "worker-1", 101)


def ran(text: str, folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """As an action runs it, with programs of ours in front."""
    folder.mkdir(exist_ok=True)
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", "-eu", "-o", "pipefail", "-c", text],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


HOLDS = 'case "$5" in 198.18.10.1) echo "2: eth1 inet 198.18.10.1/32 scope global eth1" ;; esac'


def test_who_holds_an_address_is_not_spared(tmp_path: Path) -> None:
    text = render_restart("spared", vips=["198.18.10.1", "198.18.10.2"], seconds=0)
    refused = ran(text, tmp_path / "bin", ip=HOLDS)
    assert refused.returncode == 1
    assert "still holds 198.18.10.1, in maintenance for 0 s: its peer does not serve" in (
        refused.stderr
    )


@pytest.mark.parametrize("vips", [(), ("198.18.10.2",)])
def test_who_holds_none_is(tmp_path: Path, vips: tuple[str, ...]) -> None:
    assert ran(render_restart("spared", vips=vips, seconds=0), tmp_path, ip=HOLDS).returncode == 0


def test_an_address_that_leaves_is_waited_for(tmp_path: Path) -> None:
    text = render_restart("spared", vips=["198.18.10.1"], seconds=30)
    once = f"[ -e {tmp_path}/gone ] || {{ touch {tmp_path}/gone; {HOLDS}; }}"
    assert ran(text, tmp_path / "bin", ip=once).returncode == 0


@pytest.mark.parametrize(
    ("role", "says", "status"),
    [
        ("balancer", "healthy", 0),
        ("router", "keepalived.service is failed", 1),
        ("worker", "active", 0),
        ("control_plane", "activating", 1),
    ],
)
def test_one_that_is_back_is_well_by_its_own_words(
    tmp_path: Path, role: str, says: str, status: int
) -> None:
    health = tmp_path / "bin" / "health"
    text = render_restart("well", role=role, health=health, seconds=0)
    found = ran(
        text,
        tmp_path / "bin",
        health=f"echo '{says}'",
        systemctl=f"echo {says}; echo {says}",
    )
    assert found.returncode == status, found.stderr
    if status:
        assert says in found.stderr


def hooks(monkeypatch: pytest.MonkeyPatch) -> tuple[restarts._Asked, list[tuple[str, int]]]:
    done: list[tuple[str, int]] = []
    monkeypatch.setattr(
        restarts, "_restarted", lambda proxmox, token, name, number: done.append((name, number))
    )
    made: list[restarts._Asked] = []
    run_program(lambda: made.append(restarts._Asked("restarts", stacks.lab().proxmox, "token")))
    return made[0], done


def told_of(urn: str, **inputs: Any) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(urn=urn, id="", name="", type="", new_inputs=inputs)


def test_who_was_asked_in_an_earlier_update_is_not_restarted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A restart that failed leaves an answer in the state, and the peer may have died since."""
    asked, done = hooks(monkeypatch)
    restart_it = told_of("urn::restart", machine="lb-a", vmId=111.0, after="urn::lb-a-spared")
    with pytest.raises(LayerError, match=r"take lb-a out of maintenance\.machines"):
        asyncio.run(asked._restarted(restart_it))
    assert done == []
    asked._noted(told_of("urn::lb-a-spared"))
    asyncio.run(asked._restarted(restart_it))
    assert done == [("lb-a", 111)]
