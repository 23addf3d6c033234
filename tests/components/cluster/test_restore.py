"""What the first control plane is told to restore, and when it must not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from components.cluster import admission
from components.cluster.control_planes import ControlPlanes
from components.cluster.restore import restoring
from settings.models import Cluster, Restore
from tests.components.cluster import backups, nodes, shells
from tests.components.cluster.shells import PLANES, READ, Node, fresh
from tests.components.cluster.test_cluster_component import COMMAND, run

ARCHIVE = "lab.cp-1.20260801T120000Z.backup"


def settings(**over: object) -> Cluster:
    """Of a stack that restores."""
    given = {"backups": backups.wanted(), "restore": Restore(archive=ARCHIVE), **over}
    return nodes.cluster(**given)


def founder() -> str:
    """What the machine runs that is called worker-1 in `shells`."""
    node = nodes.control_plane(settings(), name="worker-1")
    others = [PLANES[each] for each in ("cp-2", "cp-3")]
    return admission.control_plane(
        node, ignored=["Swap"], read=READ, founder=True, others=others, restore=restoring(node)
    )


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setitem(shells.TEXTS, "restore", founder())
    return fresh(tmp_path)


def test_nothing_is_restored_beside_a_cluster_that_others_have(node: Node) -> None:
    node.secrets = {f"{admission.HANDED}cp-2": "a certificate", f"{admission.HANDED}cp-3": ""}
    done = node.run("restore")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "cluster.restore.archive: cp-2 is in a cluster, and nothing is restored beside it; take "
        "cluster.restore out of the stack, or replace the machines of all control planes"
    )
    assert node.calls == []


def test_nothing_is_restored_over_somebodys_etcd(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f"{node.root}/var/lib/etcd"
    monkeypatch.setitem(shells.TEXTS, "restore", founder().replace("/var/lib/etcd", data))
    node.write("/var/lib/etcd/member/snap/db", "somebody's")
    done = node.run("restore")
    assert done.returncode == 1
    assert f"{data} holds the data of an etcd that is not this program's" in done.stderr
    assert node.exists("/var/lib/etcd/member/snap/db")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_text_is_clean_to_shellcheck() -> None:
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "--exclude=SC2154", "-"],
        input=f"#!/bin/bash\n{founder()}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


def test_only_who_may_make_a_cluster_restores_one() -> None:
    node = nodes.control_plane(settings())
    told = restoring(node)
    further = admission.control_plane(
        node, ignored=[], read=READ, founder=False, others=[PLANES["cp-1"]], restore=told
    )
    assert "restore" not in further
    assert restoring(nodes.control_plane(nodes.cluster(backups=backups.wanted()))) is None


def test_etcds_folder_is_where_the_stack_has_it() -> None:
    moved = {"etcd": {"local": {"dataDir": "/srv/etcd"}}}
    told = restoring(nodes.control_plane(settings(cluster_configuration=moved)))
    assert told is not None
    assert (told.data, told.preflight) == ("/srv/etcd", "DirAvailable--srv-etcd")
    assert "/srv/etcd/member" in told.text


@pytest.mark.parametrize(
    ("ignored", "flag"),
    [
        (["Swap"], "Swap,DirAvailable--var-lib-etcd"),
        (["all"], "all"),
        ([], "DirAvailable--var-lib-etcd"),
    ],
)
def test_kubeadm_is_not_surprised_by_what_lies_there(ignored: list[str], flag: str) -> None:
    node = nodes.control_plane(settings())
    text = admission.control_plane(
        node, ignored=ignored, read=READ, founder=True, others=[], restore=restoring(node)
    )
    (line,) = re.findall(r"kubeadm init (.*) >", text)
    assert f"--skip-phases=addon --ignore-preflight-errors={flag}" in line


def test_the_key_goes_to_the_first_control_plane_alone() -> None:
    seen = run(
        backups=backups.wanted(),
        restore=Restore(archive=ARCHIVE),
        backup_ssh_key="hush-1",
        backup_key="hush-2",
    )
    told = [
        name
        for name in seen.names(COMMAND)
        if "hush-2" in str(seen.one(COMMAND, name).inputs["stdin"])
    ]
    assert told == ["cp-1-control-plane"]


def test_what_is_in_a_cluster_that_may_come_back_goes_with_no_machine() -> None:
    only = [nodes.control_plane()]
    assert ControlPlanes(only, backed_up=True).outlive_a_machine
    assert not ControlPlanes(only).outlive_a_machine
