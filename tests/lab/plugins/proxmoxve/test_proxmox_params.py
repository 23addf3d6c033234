"""Inputs to configuration and back, without any host."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import unquote

import pytest

from lab.plugins.proxmoxve import vmparams, vmread
from tests.lab.plugins.proxmoxve.proxmox_world import machine


def live(inputs: dict[str, Any], **changes: str | None) -> dict[str, str]:
    """What a host lists for these inputs, with changes (None takes a key away)."""
    config = vmparams.config(inputs)
    for entry in inputs["disks"]:
        options = ",".join(vmparams.disk_options(entry))
        config[entry["interface"]] = f"local:101/vm-101-disk-0.raw,{options},size=8G"
    config["ide2"] = "local:101/vm-101-cloudinit.qcow2,media=cdrom"
    for key, value in changes.items():
        if value is None:
            config.pop(key)
        else:
            config[key] = value
    return config


def test_a_routers_inputs_become_its_configuration() -> None:
    config = vmparams.config(machine())
    assert config == {
        "acpi": "1",
        "agent": "enabled=0",
        "balloon": "0",
        "bios": "seabios",
        "cores": "1",
        "cpu": "cputype=x86-64-v2-AES",
        "description": "router of lab",
        "ipconfig0": "ip=198.18.0.11/24",
        "ipconfig1": "gw=203.0.113.1,ip=203.0.113.2/24",
        "memory": "512",
        "name": "router-a",
        "nameserver": "192.0.2.4",
        "net0": "virtio=BC:24:11:00:00:01,bridge=mgmt,firewall=0",
        "net1": "virtio=BC:24:11:00:00:02,bridge=wan,firewall=0,mtu=1400",
        "onboot": "1",
        "ostype": "l26",
        "protection": "0",
        "scsihw": "virtio-scsi-single",
        "searchdomain": "lab.test",
        "serial0": "socket",
        "sockets": "1",
        "startup": "order=1",
        "tablet": "1",
        "tags": "lab;router",
    }


def test_disks_are_made_from_their_image_or_empty() -> None:
    entry = machine()["disks"][0]
    assert vmparams.disk(entry, create=True) == (
        "local:0,import-from=local:iso/debian.img,aio=io_uring,cache=none,discard=on,"
        "backup=1,iothread=1,replicate=1,ssd=0"
    )
    assert vmparams.disk({"interface": "virtio0"}, create=True).startswith("local-lvm:8,aio=")
    imported = {"interface": "scsi0", "importFrom": "local:import/x.qcow2", "fileFormat": "raw"}
    assert vmparams.disk(imported, create=True).startswith(
        "local-lvm:0,import-from=local:import/x.qcow2,format=raw,"
    )


def test_accounts_and_snippets_become_cloud_init_keys() -> None:
    found = vmparams.initialization(
        {
            "userAccount": {"username": "root", "keys": ["ssh-ed25519 A+/ x ", "ssh-rsa B"]},
            "userDataFileId": "local:snippets/u.yaml",
            "vendorDataFileId": "local:snippets/v.yaml",
            "upgrade": False,
        }
    )
    assert unquote(found["sshkeys"]) == "ssh-ed25519 A+/ x\nssh-rsa B"
    assert found["cicustom"] == "user=local:snippets/u.yaml,vendor=local:snippets/v.yaml"
    assert (found["ciuser"], found["ciupgrade"]) == ("root", "0")


def test_what_was_written_reads_back_as_it_was_written() -> None:
    inputs = machine()
    before = copy.deepcopy(inputs)
    assert vmread.observed(inputs, live(inputs), running=True) == before
    assert inputs == before


def test_a_default_that_nobody_wrote_is_no_drift() -> None:
    inputs = {"nodeName": "pve1", "name": "x", "disks": [], "networkDevices": []}
    config = {**live(machine()), "name": "x"}
    for key in [k for k in config if k.startswith(("net", "scsi0"))]:
        del config[key]
    read = vmread.observed(inputs, config, running=True)
    assert {key: read[key] for key in ("nodeName", "name")} == {"nodeName": "pve1", "name": "x"}
    assert "memory" not in read and "cpu" not in read and "started" not in read


@pytest.mark.parametrize(
    ("changes", "path", "value"),
    [
        ({"cores": "4"}, ("cpu", "cores"), 4),
        ({"memory": "1024"}, ("memory", "dedicated"), 1024),
        ({"memory": "current=2048"}, ("memory", "dedicated"), 2048),
        ({"name": "other"}, ("name",), "other"),
        ({"onboot": "0"}, ("onBoot",), False),
        ({"description": None}, ("description",), None),
        ({"tags": "lab"}, ("tags",), ["lab"]),
        ({"ostype": "other"}, ("operatingSystem", "type"), "other"),
        ({"startup": "order=9,up=5"}, ("startup",), {"order": 9, "upDelay": 5}),
        ({"net0": "virtio=BC:24:11:00:00:09,bridge=lan,firewall=1"},
         ("networkDevices", 0),
         {"bridge": "lan", "macAddress": "BC:24:11:00:00:09", "model": "virtio", "firewall": True}),
        ({"net1": None}, ("networkDevices", 1, "enabled"), False),
        ({"net2": "virtio=BC:24:11:00:00:0A,bridge=lan"}, ("networkDevices", 2, "bridge"), "lan"),
        ({"scsi0": "fast:vm-101-disk-0,size=16G"}, ("disks", 0, "size"), 16),
        ({"scsi0": "fast:vm-101-disk-0,size=16G"}, ("disks", 0, "datastoreId"), "fast"),
        ({"searchdomain": "x"}, ("initialization", "dns", "domain"), "x"),
        ({"ipconfig1": "ip=203.0.113.9/24"},
         ("initialization", "ipConfigs", 1, "ipv4"),
         {"address": "203.0.113.9/24", "gateway": None}),
        ({"cicustom": "user=local:snippets/n.yaml"},
         ("initialization", "userDataFileId"), "local:snippets/n.yaml"),
    ],
)  # fmt: skip
def test_what_somebody_changed_by_hand_shows_at_its_property(
    changes: dict[str, str | None], path: tuple[str | int, ...], value: Any
) -> None:
    inputs = machine()
    found: Any = vmread.observed(inputs, live(inputs, **changes), running=True)
    for part in path:
        found = found[part]
    assert found == value


def test_a_vanished_disk_or_cloud_init_drive_shows() -> None:
    inputs = machine()
    read = vmread.observed(inputs, live(inputs, scsi0=None, ide2=None), running=True)
    assert "disks" not in read and "initialization" not in read


def test_a_machine_that_is_off_shows_as_not_started() -> None:
    inputs = machine()
    assert vmread.observed(inputs, live(inputs), running=False)["started"] is False


@pytest.mark.parametrize("name", sorted(vmparams.UNSUPPORTED))
def test_what_the_stand_in_does_not_do_is_refused_by_name(name: str) -> None:
    found = dict(vmparams.unsupported({name: {"x": 1}}))
    assert list(found) == [name]
    assert found[name].startswith("the stand-in plugin does not do this; ")
