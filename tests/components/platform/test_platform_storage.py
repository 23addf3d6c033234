"""Storage: the plugin's values, its token, and what it asks of the nodes and their machines."""

from __future__ import annotations

from ipaddress import IPv4Address

from components.cluster import kubelet
from components.cluster.model import topology
from components.platform import storage
from components.platform.addon import Addon
from tests.components import stacks
from tests.components.platform.platform_args import plain, site


def made() -> Addon:
    found = storage.addon(site(plain()))
    assert found is not None
    return found


def test_a_stack_without_it_has_none_and_neither_labels_nodes_nor_leaves_their_disks() -> None:
    lab = stacks.lab()
    assert storage.addon(site(lab.platform)) is None
    assert (lab.region, lab.volume_roles) == (None, frozenset())


def test_no_value_has_the_token_whose_files_are_those_of_its_secret() -> None:
    addon = made()
    (cluster,) = addon.values["config"]["clusters"]
    assert set(cluster) == {"url", "insecure", "region", "token_id_file", "token_secret_file"}
    (volume,), (mount,) = addon.values["extraVolumes"], addon.values["extraVolumeMounts"]
    (name,) = addon.secrets
    assert volume["secret"]["secretName"] == name
    assert volume["name"] == mount["name"]
    files = {f"{mount['mountPath']}/{key}" for key in addon.secrets[name]}
    assert files == {cluster["token_id_file"], cluster["token_secret_file"]}
    wanted = {f"{addon.namespace}/{name}/{key}" for key in addon.secrets[name]}
    assert wanted <= set(plain().references())


def test_one_class_is_the_default() -> None:
    word = "storageclass.kubernetes.io/is-default-class"
    said = {each["name"]: each["annotations"][word] for each in made().values["storageClass"]}
    assert said == {"fast": "true", "bulk": "false"}


def test_a_node_is_labelled_with_where_it_stands_beside_the_stacks_own_labels() -> None:
    text = kubelet.environment(
        "worker-1",
        IPv4Address("198.18.10.31"),
        {"node-labels": "tier=gold"},
        topology("proxmox", "pve1"),
    )
    assert (
        "--node-labels=topology.kubernetes.io/region=proxmox,"
        "topology.kubernetes.io/zone=pve1,tier=gold" in text
    )
    assert "node-labels" not in kubelet.environment("worker-1", IPv4Address("198.18.10.31"), {})
