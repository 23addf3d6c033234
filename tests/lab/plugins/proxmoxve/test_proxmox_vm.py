"""A machine's life through the plugin, the engine's protocol and the API."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hypervisor import images
from lab.plugins.proxmoxve.provider import ProxmoxProvider
from tests.lab.hypervisor.cluster import IMAGE
from tests.lab.plugins.harness import UNKNOWN, CallFailed, plugin
from tests.lab.plugins.proxmoxve.proxmox_world import VM, World, machine, world

ONE = "/nodes/pve1/qemu/101"


@pytest.fixture(autouse=True)
def _no_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "unpack", lambda image, cache: Path("/unpacked") / image.name)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def changed(inputs: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    found: Any = copy.deepcopy(inputs)
    *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    into = found
    for part in parents:
        into = into[part]
    into[last] = value
    return dict(found)


def test_a_machine_is_made_started_and_has_no_difference_afterwards(at: World) -> None:
    state = at.plugin.create(VM, machine())
    assert state.id == "101"
    assert state.outputs["vmId"] == 101
    assert state.outputs["macAddresses"] == ["BC:24:11:00:00:01", "BC:24:11:00:00:02"]
    assert 101 in at.cluster.driver.on
    spec = at.cluster.driver.specs[101]
    assert [(n.bridge, n.mtu) for n in spec.nics] == [("mgmt", 1500), ("wan", 1400)]
    assert at.plugin.diff(state, machine()).nothing
    refreshed = at.plugin.read(state)
    assert refreshed is not None
    assert at.plugin.diff(refreshed, machine()).nothing
    assert at.cluster.get(f"{ONE}/config")["scsi0"].count(",size=8G,") == 1


def test_a_preview_knows_number_and_hardware_addresses(at: World) -> None:
    shown = at.plugin.create(VM, machine(), preview=True)
    assert shown.outputs["vmId"] == 101
    assert shown.outputs["macAddresses"] == ["BC:24:11:00:00:01", "BC:24:11:00:00:02"]
    assert shown.outputs["ipv4Addresses"] is UNKNOWN
    assert at.cluster.pve.vms == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("vmId", 102),
        ("nodeName", "pve2"),
        ("disks.0.fileId", "local:iso/other.img"),
        ("initialization.userDataFileId", "local:snippets/b.yaml"),
        ("initialization.vendorDataFileId", "local:snippets/b.yaml"),
        ("initialization.type", "nocloud"),
    ],
)
def test_what_replaces_with_the_real_provider_replaces_here(
    at: World, path: str, value: Any
) -> None:
    state = at.plugin.create(VM, machine())
    seen = at.plugin.diff(state, changed(machine(), path, value))
    assert seen.replaces, f"{path} does not replace"
    assert seen.replaces[0].replace("[0]", ".0") == path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cpu.cores", 2),
        ("memory.dedicated", 1024),
        ("description", "new"),
        ("tags", ["lab"]),
        ("disks.0.size", 16),
        ("disks.0.importFrom", "local:import/x.qcow2"),
        ("initialization.ipConfigs.0.ipv4.address", "198.18.0.12/24"),
        ("initialization.dns.servers", ["192.0.2.5"]),
        ("networkDevices.0.macAddress", "BC:24:11:00:00:0F"),
    ],
)
def test_what_the_real_provider_changes_in_place_is_changed_in_place(
    at: World, path: str, value: Any
) -> None:
    state = at.plugin.create(VM, machine())
    seen = at.plugin.diff(state, changed(machine(), path, value))
    assert seen.changes and not seen.replaces


def test_an_update_changes_the_configuration_and_restarts_only_when_allowed(at: World) -> None:
    state = at.plugin.create(VM, machine())
    wanted = changed(machine(), "memory.dedicated", 1024)
    state = at.plugin.update(state, wanted)
    assert ("shutdown", 101) not in at.cluster.driver.calls
    warnings = [text for severity, text, _ in at.plugin.log if severity == "warning"]
    assert any("automatic reboots are disabled by rebootAfterUpdate" in text for text in warnings)
    refreshed = at.plugin.read(state)
    assert refreshed is not None and at.plugin.diff(refreshed, wanted).nothing
    again = {**changed(wanted, "memory.dedicated", 2048), "rebootAfterUpdate": True}
    at.plugin.update(state, again)
    assert at.cluster.driver.specs[101].memory_bytes == 2048 << 20


def test_a_description_is_changed_without_a_word_about_reboots(at: World) -> None:
    state = at.plugin.create(VM, machine())
    at.plugin.update(state, machine(description="new"))
    assert at.cluster.get(f"{ONE}/config")["description"] == "new"
    assert not [text for severity, text, _ in at.plugin.log if severity == "warning"]


def test_what_is_taken_out_of_the_inputs_is_taken_out_of_the_configuration(at: World) -> None:
    state = at.plugin.create(VM, machine())
    less = machine()
    del less["description"], less["startup"]
    at.plugin.update(state, less)
    config = at.cluster.get(f"{ONE}/config")
    assert "description" not in config
    pending = {i["key"]: i.get("delete") for i in at.cluster.get(f"{ONE}/pending")}
    assert "startup" not in config or pending["startup"] == 1


def test_disks_are_grown_but_never_shrunk_or_moved(at: World) -> None:
    state = at.plugin.create(VM, machine())
    bigger = changed(machine(), "disks.0.size", 16)
    state = at.plugin.update(state, bigger)
    assert at.cluster.get(f"{ONE}/config")["scsi0"].count(",size=16G,") == 1
    with pytest.raises(
        CallFailed, match=r"requested size \(8G\) is lower than current size \(16G\)"
    ):
        at.plugin.update(state, machine())
    with pytest.raises(CallFailed, match="moving a disk is not supported by the stand-in plugin"):
        at.plugin.update(state, changed(bigger, "disks.0.datastoreId", "local-lvm"))


def test_a_machine_somebody_switched_off_is_seen_and_switched_on_again(at: World) -> None:
    state = at.plugin.create(VM, machine())
    at.cluster.driver.on.clear()
    refreshed = at.plugin.read(state)
    assert refreshed is not None
    assert at.plugin.diff(refreshed, machine()).changes == {"started": "update"}
    at.plugin.update(refreshed, machine())
    assert 101 in at.cluster.driver.on


def test_started_false_keeps_a_machine_off_and_switches_a_running_one_off(at: World) -> None:
    state = at.plugin.create(VM, machine(started=False))
    assert at.cluster.driver.calls == []
    state = at.plugin.update(state, machine())
    at.plugin.update(state, machine(started=False))
    assert [call for call, _ in at.cluster.driver.calls] == ["start", "stop"]


@pytest.mark.parametrize("power", ["on", "off", "vanished"])
def test_a_machine_is_deleted_whatever_state_it_is_in(at: World, power: str) -> None:
    state = at.plugin.create(VM, machine())
    if power == "off":
        at.cluster.driver.on.clear()
    elif power == "vanished":
        at.cluster.driver.on.clear()
        at.cluster.pve.vms.clear()
    at.plugin.delete(state)
    assert at.cluster.pve.vms == []
    assert at.plugin.read(state) is None
    at.plugin.delete(state)


def test_a_taken_number_is_refused_in_the_hosts_words(at: World) -> None:
    at.plugin.create(VM, machine())
    with pytest.raises(CallFailed) as caught:
        at.plugin.create(VM, machine(nodeName="pve2"), name="other")
    assert "VM 101 already exists on node 'pve1'" in str(caught.value)


def test_a_machine_that_does_not_start_is_kept_in_the_state_with_the_reason(at: World) -> None:
    at.cluster.driver.broken[101] = "start failed: no memory"
    with pytest.raises(CallFailed) as caught:
        at.plugin.create(VM, machine())
    assert caught.value.id == "101"
    assert caught.value.outputs["vmId"] == 101
    assert caught.value.reasons[0].startswith("start failed: no memory\nVM start: task UPID:pve1:")


def test_a_lock_that_another_task_holds_is_waited_for(at: World) -> None:
    state = at.plugin.create(VM, machine())
    at.cluster.pve.snapshot_lock(101, "backup")
    at.cluster.loop.call_soon_threadsafe(
        at.cluster.loop.call_later, 1.5, at.cluster.pve.unlock, 101
    )
    at.plugin.update(state, machine(description="after the backup"))
    assert at.cluster.get(f"{ONE}/config")["description"] == "after the backup"
    tried = [text for _, text, ephemeral in at.plugin.log if ephemeral and "trying again" in text]
    assert tried and "VM is locked (backup)" in tried[0]


def test_a_number_is_found_when_none_is_given(at: World) -> None:
    inputs = machine(started=False)
    del inputs["vmId"]
    state = at.plugin.create(VM, inputs)
    assert state.outputs["vmId"] == int(state.id) >= 100
    assert at.plugin.diff(state, inputs).nothing
    assert at.plugin.diff(state, {**inputs, "vmId": int(state.id)}).nothing


def test_unknown_and_unsupported_properties_are_errors_that_name_them(at: World) -> None:
    _, failures = at.plugin.check(VM, machine(memmory={"dedicated": 1}))
    assert failures == {"memmory": failures["memmory"]}
    assert "did you mean memory" in failures["memmory"]
    _, failures = at.plugin.check(VM, machine(clone={"vmId": 9000}))
    assert failures["clone"].endswith(
        "create the disk from an image instead (disks[].fileId or importFrom)"
    )


def test_a_cluster_that_does_not_answer_is_named_with_its_address() -> None:
    with plugin(ProxmoxProvider()) as harness:
        harness.configure(endpoint="https://127.0.0.1:9/", apiToken="a@pve!b=c")
        with pytest.raises(CallFailed, match=r"127\.0\.0\.1:9/api2/json: no answer"):
            harness.create(VM, machine())


def test_a_token_that_is_none_is_refused_before_anything_is_asked() -> None:
    with plugin(ProxmoxProvider()) as harness, pytest.raises(AssertionError) as caught:
        harness.configure(endpoint="https://127.0.0.1:9/", apiToken="secret")
    assert caught.value.args[0] == {"apiToken": "not of the form USER@REALM!NAME=SECRET"}


def test_the_look_ups_answer_as_the_sdk_expects(at: World) -> None:
    nodes = at.plugin.invoke("proxmoxve:index/getNodesLegacy:getNodesLegacy")
    assert (nodes["names"], nodes["onlines"]) == (["pve1", "pve2"], [True, True])
    for token in ("getDatastores", "getDatastoresLegacy"):
        found = at.plugin.invoke(
            f"proxmoxve:index/{token}:{token}",
            {"nodeName": "pve1", "filters": {"contentTypes": ["snippets"]}},
        )
        assert [d["id"] for d in found["datastores"]] == ["local"]
        assert "snippets" in found["datastores"][0]["contentTypes"]
    with pytest.raises(AssertionError, match=r"nodeName"):
        at.plugin.invoke("proxmoxve:index/getDatastores:getDatastores", {"node": "pve1"})


def test_the_image_the_disk_names_must_be_on_the_machines_host(at: World) -> None:
    (at.cluster.layout.vz("pve1") / "template/iso" / IMAGE).unlink()
    with pytest.raises(CallFailed, match=f"volume 'local:iso/{IMAGE}' does not exist"):
        at.plugin.create(VM, machine())
    assert at.cluster.pve.vms == []
