"""Every control plane is lost with its disk: one update brings the cluster back from a backup that
lies off the node. `make test-all` runs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import cluster, given, variant

from lab.hypervisor import hosts
from lab.hypervisor.hypervisor import Hypervisor
from lab.probes import edge, inside
from lab.probes.result import until
from lab.probes.world import World
from lab.stack import NAMESPACE
from tests import issued

pytestmark = pytest.mark.long

GOAL = 600.0
"""Seconds from the loss until a visitor is answered by the cluster that was brought back."""
FOLDER = "backups"


@dataclass(frozen=True)
class Store:
    """A Proxmox host as the place where backups are shipped to, by its own sshd."""

    folder: Path
    section: dict[str, Any]
    secrets: dict[str, str]
    opening: dict[str, str]

    def shipped(self) -> list[str]:
        """Whole backups, the oldest first."""
        return sorted(each.name for each in self.folder.glob("*.backup"))


@pytest.fixture
def store(world: World, tmp_path: Path) -> Iterator[Store]:
    host = world.topology.hosts[0]
    layout = Hypervisor().layout
    files = hosts.HostFiles(layout.node(host))
    folder = layout.vz(host) / FOLDER
    folder.mkdir()
    login, recipient = tmp_path / "login", issued.made("backup")
    public = hosts.key_pair(login, "backup")
    allowed = files.ssh / "authorized_keys"
    before = allowed.read_text()
    allowed.write_text(f'{before}restrict,command="internal-sftp" {public}\n')
    address = world.topology.nodes[host].legs[0].address.ip
    try:
        yield Store(
            folder=folder,
            section={
                "recipient": recipient.pem,
                "ssh": {
                    "url": f"ssh://root@{address}/var/lib/vz/{FOLDER}",
                    "host_keys": [(files.ssh / "host_key.pub").read_text().strip()],
                },
            },
            secrets={f"{NAMESPACE}backupSshKey": login.read_text()},
            opening={f"{NAMESPACE}backupKey": recipient.key_pem},
        )
    finally:
        allowed.write_text(before)


def replaced(answer: dict[str, Any]) -> list[str]:
    """What an update made anew."""
    return [step["urn"] for step in answer["steps"] if "replace" in step["op"]]


def told(world: World, name: str) -> str:
    """What a ConfigMap says, nothing of one that is not there."""
    words = ("get", "configmap", name, "--ignore-not-found", "--output", "jsonpath={.data.where}")
    return world.kubectl(*words)


@pytest.mark.timeout(2400)
def test_a_cluster_that_is_lost_is_brought_back_by_one_update(world: World, store: Store) -> None:
    with given(cluster(backups=store.section), store.secrets):
        answer = variant("up")
        assert answer["ok"], answer["error"]
        assert replaced(answer) == []
        world.kubectl("create", "configmap", "treasure", "--from-literal=where=island")
        identity = world.kubectl(
            "get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}"
        )
        for each in world.role("control_plane"):
            world.text(each, ["systemctl", "start", "layered-cloud-backup"], seconds=180)
        archive = store.shipped()[-1]
        world.kubectl("create", "configmap", "later", "--from-literal=where=sea")

        lost = world.role("control_plane")
        for machine in lost:
            Hypervisor().power_off(machine)
        began = time.monotonic()
        restore = cluster(backups=store.section, restore={"archive": archive})
        with given(restore, {**store.secrets, **store.opening}):
            answer = variant("up", 1200, replace=[f"VmLegacy::{machine}" for machine in lost])
        updated = time.monotonic() - began
        assert answer["ok"], answer["error"]
        until(lambda: edge.through_the_chain(world), 120, "the chain does not answer")
        took = time.monotonic() - began
        print(f"brought back by an update of {updated:.0f} s, answered after {took:.0f} s")

        assert told(world, "treasure") == "island"
        assert told(world, "later") == ""
        again = world.kubectl(
            "get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}"
        )
        assert again == identity, "it is another cluster"
        refreshed = variant("refresh")
        assert refreshed["ok"], refreshed["error"]
        assert variant("up")["ok"]
        inside.manifests_true(world)
        until(lambda: inside.cluster_ready(world), 120, "the cluster is not ready")
        settled = variant("up")
        assert settled["ok"], settled["error"]
        assert settled["changed"] == 0, settled["steps"]
        assert took <= GOAL


def test_without_backups_it_is_the_same_cluster(world: World) -> None:
    answer = variant("up")
    assert answer["ok"], answer["error"]
    assert replaced(answer) == []
    assert variant("up")["changed"] == 0
    edge.through_the_chain(world)
