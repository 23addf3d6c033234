from __future__ import annotations

from urllib.parse import quote

import pytest
import yaml

from lab.hypervisor import seed, vmconfig
from tests.golden_files import assert_golden

ROUTER = {
    "name": "router-a",
    "net0": "virtio=BC:24:11:00:00:01,bridge=mgmt,firewall=0",
    "net1": "virtio=BC:24:11:00:00:02,bridge=lan",
    "net10": "virtio=BC:24:11:00:00:10,bridge=sync",
    "net2": "virtio=BC:24:11:00:00:03,bridge=wan,mtu=1400",
    "ipconfig0": "ip=198.18.0.11/24",
    "ipconfig1": "ip=198.18.10.2/24,gw=198.18.10.1",
    "ipconfig2": "ip=dhcp,ip6=auto",
    "nameserver": "192.0.2.4 192.0.2.5",
    "searchdomain": "lab.test",
    "ciuser": "root",
    "sshkeys": quote("ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n", safe=""),
    "ide2": "local:101/vm-101-cloudinit.qcow2,media=cdrom",
    "scsi0": "local:101/vm-101-disk-0.raw,size=8G",
}


def none(volume: str) -> str:
    raise AssertionError(f"asked for {volume}")


@pytest.mark.parametrize("name", ["user-data", "network-config", "meta-data", "vendor-data"])
def test_the_seed_of_a_router_is_the_golden_one(name: str) -> None:
    made = seed.build(ROUTER, 101, none)
    assert made is not None
    assert_golden(f"lab/seed/{name}", made.files()[name])


def test_the_network_configuration_is_valid_yaml_with_nics_in_order() -> None:
    entries = yaml.safe_load(seed.network_config(ROUTER))["config"]
    assert [e.get("name") for e in entries] == ["eth0", "eth1", "eth2", "eth10", None]
    assert entries[1]["subnets"] == [
        {
            "type": "static",
            "address": "198.18.10.2",
            "netmask": "255.255.255.0",
            "gateway": "198.18.10.1",
        }
    ]
    assert "subnets" not in entries[3]


def test_without_a_cloud_init_drive_there_is_no_seed() -> None:
    assert seed.build({**ROUTER, "ide2": "none,media=cdrom"}, 101, none) is None


def test_a_snippet_replaces_what_would_be_generated() -> None:
    config = {**ROUTER, "cicustom": "user=local:snippets/u.yaml,meta=local:snippets/m"}
    made = seed.build(
        config, 101, {"local:snippets/u.yaml": "U", "local:snippets/m": "M"}.__getitem__
    )
    assert made is not None
    assert (made.user_data, made.meta_data) == ("U", "M")
    assert made.network_config == seed.network_config(ROUTER)


def test_the_instance_changes_exactly_when_its_data_does() -> None:
    one = seed.build(ROUTER, 101, none)
    same = seed.build({**ROUTER, "memory": "4096", "description": "new"}, 101, none)
    other = seed.build({**ROUTER, "ipconfig0": "ip=198.18.0.12/24"}, 101, none)
    assert one is not None and same is not None and other is not None
    assert one.meta_data == same.meta_data != other.meta_data


def test_a_machine_is_named_by_its_name_its_domain_or_its_number() -> None:
    assert seed.host_names({"name": "a.example"}, 101) == ("a", "a.example")
    assert seed.host_names({"name": "a", "searchdomain": "lab.test x"}, 101) == ("a", "a.lab.test")
    assert seed.host_names({}, 101) == ("VM101", None)


def test_an_ordinary_user_gets_the_distributions_defaults_beside_it() -> None:
    text = seed.user_data({"ciuser": "debian", "ciupgrade": 0}, 101)
    assert yaml.safe_load(text) == {
        "hostname": "VM101",
        "manage_etc_hosts": True,
        "user": "debian",
        "chpasswd": {"expire": False},
        "users": ["default"],
    }


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("net0", "virtio=zz,bridge=mgmt", "net0: no hardware address in 'virtio=zz,bridge=mgmt'"),
        ("net0", "virtio=BC:24:11:00:00:01", "net0: no bridge in"),
        ("net0", "virtio=BC:24:11:00:00:01,bridge=x,mtu=5", "net0: mtu 5 is out of range"),
        ("net0", "virtio=BC:24:11:00:00:01,bridge=x,tag=5", "net0: VLAN tags are not carried"),
        ("ipconfig0", "ip=300.1.1.1/24", "ipconfig0:"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(key: str, value: str, words: str) -> None:
    with pytest.raises(vmconfig.ConfigError) as caught:
        seed.build({**ROUTER, key: value}, 101, none)
    assert words in str(caught.value)


def test_nics_are_read_with_every_option_the_hypervisor_obeys() -> None:
    (first,) = vmconfig.nics(
        {"net3": "model=virtio,macaddr=BC:24:11:00:00:01,bridge=lan,mtu=1,firewall=1,link_down=1"}
    )
    assert first == vmconfig.Nic(
        index=3,
        model="virtio",
        mac="bc:24:11:00:00:01",
        bridge="lan",
        mtu=None,
        firewall=True,
        link_down=True,
    )
    assert first.interface == "eth3"


def test_the_boot_disk_follows_the_boot_order_and_is_no_cdrom() -> None:
    config = {
        "ide2": "local:101/vm-101-cloudinit.qcow2,media=cdrom",
        "scsi0": "local:101/vm-101-disk-0.raw,size=8G",
        "virtio1": "local:101/vm-101-disk-1.raw,size=8G",
    }
    assert vmconfig.boot_disk(config).key == "scsi0"  # type: ignore[union-attr]
    ordered = {**config, "boot": "order=ide2;virtio1;scsi0"}
    assert vmconfig.boot_disk(ordered).key == "virtio1"  # type: ignore[union-attr]
    assert vmconfig.boot_disk({"ide2": config["ide2"]}) is None
