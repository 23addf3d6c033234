"""The API judged by a client that is not ours: the real Proxmox plugin under the real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve
import pytest

from components.machines import restarts
from components.machines.moves import Known, Moves
from lab.engine import Engine, EngineError, find_cli, workspace
from lab.hypervisor import images
from lab.paths import CHECKOUT
from lab.processes import children
from settings.files import load_stack
from tests.lab.hypervisor.cluster import IMAGE, Cluster, cluster
from tests.lab.plugins import real

PROJECT = {"name": "layered-cloud", "runtime": "python"}
ONE = "/nodes/pve1/qemu/101"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    real.built("proxmoxve")
    if find_cli() is None:
        pytest.skip("no pulumi command line here yet: `make up` builds it")
    monkeypatch.setenv("LAYERED_CLOUD_STATE", str(tmp_path / "engine"))
    monkeypatch.setattr(images, "unpack", lambda image, cache: Path("/unpacked") / image.name)
    with cluster(tmp_path / "lab") as made:
        yield made


def machine(endpoint: str, token: str, **changes: Any) -> proxmoxve.VmLegacy:
    """A VM as the program has it, without the snippet (which takes SSH)."""
    provider = proxmoxve.Provider("proxmox", endpoint=endpoint, api_token=token, insecure=True)
    moves = Moves("machines")
    moves.knows("worker-1", Known(role="worker", networks=("management",)))
    settings: dict[str, Any] = {
        "name": "worker-1",
        "vm_id": 101,
        "node_name": "pve1",
        "migrate": True,
        "description": "worker of lab, made by layered-cloud",
        "tags": ["lab", "worker"],
        "agent": {"enabled": False},
        "stop_on_destroy": True,
        "reboot_after_update": False,
        "on_boot": True,
        "started": True,
        "startup": {"order": 4},
        "operating_system": {"type": "l26"},
        "cpu": {"cores": 2, "type": "x86-64-v2-AES"},
        "memory": {"dedicated": 512},
        "scsi_hardware": "virtio-scsi-single",
        "serial_devices": [{"device": "socket"}],
        "disks": disk(8),
        "network_devices": [
            {"bridge": "mgmt", "mac_address": "BC:24:11:00:00:01", "model": "virtio"}
        ],
        "initialization": {
            "datastore_id": "local",
            "interface": "ide2",
            "dns": {"domain": "lab.test", "servers": ["198.18.0.4"]},
            "ip_configs": [{"ipv4": {"address": "198.18.0.41/24"}}],
        },
    }
    return proxmoxve.VmLegacy(
        "worker-1",
        **settings | changes,
        opts=pulumi.ResourceOptions(
            provider=provider,
            delete_before_replace=True,
            ignore_changes=["disks[0].speed"],
            hooks=pulumi.ResourceHookBinding(before_update=[moves.hook]),
        ),
    )


def disk(size: int) -> list[dict[str, Any]]:
    return [
        {
            **{"interface": "scsi0", "datastore_id": "local", "size": size},
            **{"import_from": f"local:iso/{IMAGE}", "discard": "on", "iothread": True},
        }
    ]


def begin(served: Cluster, **changes: Any) -> Engine:
    def program() -> None:
        machine(served.endpoint, served.token, **changes)

    return workspace("lab", program=program, project=PROJECT)


def urn(engine: Engine) -> str:
    return next(each["urn"] for each in engine.resources() if "VmLegacy" in each["urn"])


def test_what_is_written_is_what_is_read_back(served: Cluster) -> None:
    with begin(served) as engine:
        made = engine.up()
        assert made.changes == {"create": 3}
        assert made.warnings == []
        assert ("start", 101) in served.driver.calls
        again = engine.up()
        assert again.changed == 0, again.steps
        refreshed = engine.refresh()
        assert refreshed.changed == 0, refreshed.steps
        assert engine.up().changed == 0


def test_a_change_in_place_a_replacement_and_the_end(served: Cluster) -> None:
    with begin(served) as engine:
        engine.up()
    with begin(served, memory={"dedicated": 1024}) as engine:
        assert engine.up().changes.get("update") == 1
        assert engine.up().changed == 0
        started = time.monotonic()
        engine.up(replace=[urn(engine)])
        assert ("destroy", 101) in served.driver.calls
        assert engine.up().changed == 0
        engine.destroy()
        # The plugin waits until a deleted machine is gone: it must go.
        assert time.monotonic() - started < 60
    assert served.get("/cluster/resources", type="vm") == []


RUN = """
    import sys
    from tests.lab.hypervisor.test_pve_client import PROJECT, machine
    from lab.engine import workspace

    def program():
        machine(*sys.argv[1:])

    with workspace("lab", program=program, project=PROJECT) as engine:
        engine.up()
"""


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def _tree(pid: int) -> list[int]:
    return [pid, *(each for child in children(pid) for each in _tree(child))]


def test_a_machine_that_was_made_when_the_engine_was_killed_is_taken_up(served: Cluster) -> None:
    """The client takes "already exists" for its own success."""
    served.driver.hold = 2
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUN), served.endpoint, served.token],
        cwd=CHECKOUT,
        start_new_session=True,
    )
    _until(lambda: bool(served.get("/cluster/resources", type="vm")))
    for pid in _tree(child.pid):
        os.kill(pid, signal.SIGKILL)
    child.wait()
    with begin(served) as engine:
        assert not [each for each in engine.resources() if "VmLegacy" in each["urn"]]
        assert engine.up().changes.get("create") == 1
        assert engine.up().changed == 0
        assert not engine.state().get("pending_operations")


def test_a_machine_moves_to_another_host_as_it_runs(served: Cluster) -> None:
    with begin(served) as engine:
        engine.up()
    served.driver.calls.clear()
    with begin(served, node_name="pve2") as engine:
        moved = engine.up()
        assert moved.changes.get("update") == 1, moved.steps
        assert moved.warnings == []
        assert engine.up().changed == 0
        assert engine.refresh().changed == 0
    (there,) = served.get("/cluster/resources", type="vm")
    assert (there["node"], there["status"]) == ("pve2", "running")
    assert served.driver.calls == [], "it was switched off on the way"


def test_a_move_that_failed_is_told_and_goes_on_after_a_refresh(served: Cluster) -> None:
    """The provider notes the new host although the machine never left the old one."""
    with begin(served) as engine:
        engine.up()
    served.pve.vm(101).lock = "backup"
    with begin(served, node_name="pve2") as engine:
        with pytest.raises(EngineError, match="VM is locked"):
            engine.up()
        served.pve.vm(101).lock = None
        with pytest.raises(EngineError, match=r"its move to pve2 failed.*pulumi up --refresh"):
            engine.up()
        engine.refresh()
        assert engine.up().changes.get("update") == 1
    (there,) = served.get("/cluster/resources", type="vm")
    assert there["node"] == "pve2"


def test_a_disk_grows_beneath_a_machine_that_runs(served: Cluster) -> None:
    with begin(served) as engine:
        engine.up()
    served.driver.calls.clear()
    with begin(served, disks=disk(10)) as engine:
        assert engine.up().changes.get("update") == 1
        assert engine.up().changed == 0
    assert "size=10G" in served.get(f"{ONE}/config", current=1)["scsi0"]
    assert served.driver.calls == [], "it was switched off for that"


def test_what_a_machine_cannot_become_is_refused_before_anything_is_done(served: Cluster) -> None:
    with begin(served) as engine:
        engine.up()
    before = served.get(f"{ONE}/config")
    ip = {"ipv4": {"address": "198.18.0.42/24"}}
    told = {
        **{"datastore_id": "local", "interface": "ide2"},
        **{"dns": {"domain": "lab.test", "servers": ["198.18.0.4"]}, "ip_configs": [ip]},
    }
    refused: dict[str, dict[str, Any]] = {
        "disk is 4 GiB where it has 8 GiB": {"disks": disk(4)},
        "disk and cores differ": {
            "disks": disk(10),
            "cpu": {"cores": 4, "type": "x86-64-v2-AES"},
        },
        "management makes 198.18.0.42/24 of 198.18.0.41/24": {"initialization": told},
    }
    for words, changed in refused.items():
        with begin(served, **changed) as engine:
            with pytest.raises(EngineError, match=words):
                engine.preview()
            with pytest.raises(EngineError, match=words):
                engine.up()
    assert served.get(f"{ONE}/config") == before


def restarting(served: Cluster, cores: int) -> Engine:
    """The machine, and what asks for its restart, as a stack with it in maintenance has them; in
    place of the action that asks the machine, a component."""
    proxmox = load_stack(CHECKOUT / "Pulumi.lab.yaml").proxmox.model_copy(
        update={"endpoint": served.endpoint, "insecure": True}
    )

    def program() -> None:
        cpu = {"cores": cores, "type": "x86-64-v2-AES"}
        vm = machine(served.endpoint, served.token, cpu=cpu)
        asked = restarts._Asked("restarts", proxmox, served.token)
        spared = restarts.Restart(
            "worker-1-spared",
            {"cores": cores, "vm": vm.urn},
            pulumi.ResourceOptions(hooks=restarts._before(asked.noting)),
        )
        restarts.Restart(
            "worker-1-restart",
            {"machine": "worker-1", "vmId": 101, "cores": cores, "after": spared.urn},
            pulumi.ResourceOptions(hooks=restarts._before(asked.restarting)),
        )

    return workspace("lab", program=program, project=PROJECT)


def test_more_cores_wait_for_a_restart_that_is_asked_for_in_an_update_only(
    served: Cluster,
) -> None:
    with restarting(served, 2) as engine:
        engine.up()
    assert served.driver.calls == [("start", 101)], "nothing waits for a machine that is new"
    served.driver.calls.clear()
    with restarting(served, 4) as engine:
        engine.preview()
        assert served.driver.calls == []
        engine.up()
        assert served.driver.calls == [("shutdown", 101), ("start", 101)]
        assert str(served.get(f"{ONE}/config", current=1)["cores"]) == "4"
        assert engine.up().changed == 0
    assert served.driver.calls == [("shutdown", 101), ("start", 101)]


def test_a_restart_that_failed_is_not_done_by_the_next_update(served: Cluster) -> None:
    """What the machine said of its peer stands in the state, and was true then."""
    with restarting(served, 2) as engine:
        engine.up()
    served.driver.stubborn.add(101)
    with restarting(served, 4) as engine:
        with pytest.raises(EngineError, match="worker-1 is not forced off"):
            engine.up()
        served.driver.stubborn.clear()
        with pytest.raises(EngineError, match=r"take worker-1 out of maintenance\.machines"):
            engine.up()
    assert ("start", 101) not in served.driver.calls[1:]
