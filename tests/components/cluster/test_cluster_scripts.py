"""The shell texts of the cluster's actions, run with recorded stand-ins for kubeadm and kubectl."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from components.cluster import birth
from tests.components.cluster.shells import (
    INIT,
    JOINED,
    TEXTS,
    Node,
    authority,
    beside,
    fresh,
    kubeadms,
    openssl,
    signed,
)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_text_is_clean_to_shellcheck(name: str) -> None:
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "--exclude=SC2154", "-"],
        input=f"#!/bin/bash\n{TEXTS[name]}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return fresh(tmp_path)


def test_init_runs_once_and_its_guard_holds_afterwards(node: Node) -> None:
    node.program("kubeadm", INIT.format(root=node.root))
    assert node.run("init-guard").returncode != 0
    done = node.run("init")
    assert done.returncode == 0, done.stderr
    assert [call for call in node.calls if "kubeadm" in call] == [
        f"kubeadm init --config {node.root}/etc/kubernetes/kubeadm-config.yaml --skip-token-print "
        "--ignore-preflight-errors=Swap,Mem"
    ]
    assert node.run("init-guard").returncode == 0


def test_a_failed_init_says_kubeadms_words_first_and_leaves_a_clean_node(node: Node) -> None:
    node.program("kubeadm", 'case $1 in init) echo "[ERROR Port-6443]: in use"; exit 1 ;; esac')
    done = node.run("init")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "[ERROR Port-6443]: in use"
    assert "correct the cause and run `pulumi up` again" in done.stderr
    assert node.calls[-1] == "kubeadm reset --force"
    assert node.run("init-guard").returncode != 0


def test_an_init_that_died_half_way_begins_from_nothing(node: Node) -> None:
    node.write("/etc/kubernetes/layered-cloud/attempted", "")
    node.write("/etc/cni/net.d/10-old.conf", "")
    node.program("kubeadm", INIT.format(root=node.root))
    assert node.run("init").returncode == 0
    assert [call.split()[1] for call in node.calls if "kubeadm" in call] == ["reset", "init"]
    assert not node.exists("/etc/cni/net.d/10-old.conf")


def test_other_values_make_a_cluster_anew_that_nobody_was_given(node: Node) -> None:
    """A wrong one that kubeadm took, and that kept the API from answering."""
    node.program("kubeadm", INIT.format(root=node.root))
    assert node.run("init").returncode == 0
    assert node.run("init-guard-others").returncode != 0
    assert node.run("init-others").returncode == 0
    assert kubeadms(node) == ["init", "reset", "init"]
    assert node.run("init-guard-others").returncode == 0
    assert node.run("init-guard").returncode != 0


def test_other_values_are_refused_by_key_once_the_cluster_was_given_out(node: Node) -> None:
    node.program("kubeadm", INIT.format(root=node.root))
    node.program("kubectl", 'case "$*" in *create*) echo kind: x ;; apply*) cat ;; esac')
    assert node.run("init").returncode == 0
    assert node.run("access").returncode == 0
    done = node.run("init-others")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "cluster: it was made with other values (<) than the stack has now (>):",
        "< cluster.node_mask 24",
        "> cluster.node_mask 25",
        birth.REMEDY,
    ]
    assert kubeadms(node) == ["init"]
    assert node.run("init-guard").returncode == 0


def test_a_cluster_made_before_its_values_were_noted_is_left_alone(node: Node) -> None:
    node.write("/etc/kubernetes/layered-cloud/initialised", "")
    node.write("/etc/kubernetes/kubelet.conf", "conf")
    assert node.run("init-guard-others").returncode == 0


def test_a_cluster_that_is_not_ours_is_never_reset_before_init(node: Node) -> None:
    node.write("/etc/kubernetes/kubelet.conf", "somebody's")
    node.program("kubeadm", 'case $1 in init) echo "[ERROR FileAvailable]"; exit 1 ;; esac')
    node.run("init")
    assert next(call.split()[1] for call in node.calls if "kubeadm" in call) == "init"


def test_a_join_is_by_a_certificate_of_this_nodes_alone_and_the_authority_is_pinned(
    node: Node,
) -> None:
    plane = beside(node, "plane")
    ca = authority(plane)
    node.secrets = {"join": signed(node, plane)}
    node.program("kubeadm", JOINED.format(root=node.root))
    done = node.run("join")
    assert done.returncode == 0, done.stderr
    assert "token" not in (node.root / "seen").read_text()
    config = yaml.safe_load((node.root / "discovery").read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    assert cluster["server"] == "https://198.18.10.10:6443"
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == ca
    mine = base64.b64decode(user["client-certificate-data"]).decode()
    shown = openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", given=mine)
    assert shown == "subject=CN=system:node:worker-1,O=system:nodes\n"
    (node.root / "mine").write_text(mine)
    purpose = ("-purpose", "sslclient", "-CAfile", plane.root / "etc/kubernetes/pki/ca.crt")
    assert openssl("verify", *purpose, node.root / "mine").endswith("OK\n")
    key = base64.b64decode(user["client-key-data"]).decode()
    assert openssl("pkey", "-pubout", given=key) == (
        openssl("x509", "-noout", "-pubkey", given=mine)
    )
    kept = node.root / "etc/kubernetes/layered-cloud-join/key"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (key, 0o600)
    for said in (*node.calls, *plane.calls, done.stdout, done.stderr, node.secrets["join"]):
        assert key.splitlines()[1] not in said


def test_a_failed_join_is_taken_up_again_whenever_with_what_the_state_has(node: Node) -> None:
    """A bootstrap token would be over after minutes, and the state would hand it out for ever."""
    plane = beside(node, "plane")
    authority(plane)
    node.secrets = {"join": signed(node, plane)}
    node.program("kubeadm", 'case $1 in join) echo "connection refused"; exit 1 ;; esac')
    assert node.run("join").returncode == 1
    node.program("kubeadm", JOINED.format(root=node.root))
    assert node.run("join").returncode == 0
    mine = openssl("x509", "-noout", "-checkend", 330 * 86400, given=node.secrets["join"])
    assert mine == "Certificate will not expire\n"


def test_one_that_is_over_says_how_to_have_it_signed_again(node: Node) -> None:
    plane = beside(node, "plane")
    authority(plane)
    whole = signed(node, plane)
    old = openssl(
        *("x509", "-req", "-days", -1, "-in", node.root / "etc/kubernetes/layered-cloud-join/csr"),
        *("-CA", plane.root / "etc/kubernetes/pki/ca.crt"),
        *("-CAkey", plane.root / "etc/kubernetes/pki/ca.key", "-set_serial", 7),
    )
    end = "-----END CERTIFICATE-----\n"
    node.secrets = {"join": old + whole.partition(end)[2]}
    done = node.run("join")
    assert done.returncode == 1
    assert "run `pulumi up --replace` with the URN of worker-1-certificate" in done.stderr
    assert not [call for call in node.calls if "kubeadm" in call]


def test_the_key_is_made_once_for_a_machine_and_anew_on_a_copy_of_its_disk(node: Node) -> None:
    node.write("/etc/machine-id", "me\n")
    assert node.run("ask-guard").returncode != 0
    assert node.run("ask").returncode == 0
    assert node.run("ask-guard").returncode == 0
    node.write("/etc/machine-id", "my-copy\n")
    assert node.run("ask-guard").returncode != 0


def test_nobody_is_made_another_node_than_he_is(node: Node) -> None:
    plane = beside(node, "plane")
    authority(plane)
    for subject in ("/O=system:masters/CN=admin", "/O=system:nodes/CN=system:node:worker-2"):
        wrong = ("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null")
        plane.secrets = {"request": openssl(*wrong, "-subj", subject)}
        done = plane.run("sign")
        assert done.returncode == 1
        assert done.stdout == ""
        assert "worker-1 asked for another node's certificate (subject=" in done.stderr
    plane.secrets = {"request": "nonsense"}
    assert plane.run("sign").returncode != 0


def test_the_key_outlives_a_reset_as_the_state_has_a_certificate_for_it(node: Node) -> None:
    plane = beside(node, "plane")
    authority(plane)
    node.secrets = {"join": signed(node, plane)}
    node.program("kubeadm", JOINED.format(root=node.root))
    assert node.run("reset").returncode == 0
    assert node.run("ask-guard").returncode == 0
    assert node.run("join").returncode == 0


def test_a_certificate_of_another_key_is_not_tried(node: Node) -> None:
    plane = beside(node, "plane")
    authority(plane)
    node.secrets = {"join": signed(node, plane)}
    assert node.run("ask").returncode == 0
    done = node.run("join")
    assert done.returncode == 1
    assert "run `pulumi up --replace` with the URN of worker-1-identity" in done.stderr


def test_a_joined_node_of_this_cluster_is_left_alone(node: Node) -> None:
    plane = beside(node, "plane")
    ca = authority(plane)
    node.secrets = {"join": signed(node, plane)}
    node.write("/etc/kubernetes/kubelet.conf", "conf")
    node.write("/etc/kubernetes/pki/ca.crt", ca)
    assert node.run("join-guard").returncode == 0


def test_a_member_of_a_cluster_that_is_no_more_joins_anew(node: Node) -> None:
    plane = beside(node, "plane")
    old = authority(plane)
    authority(plane, "new")
    node.secrets = {"join": signed(node, plane)}
    node.write("/etc/kubernetes/kubelet.conf", "conf")
    node.write("/etc/kubernetes/pki/ca.crt", old)
    node.program("kubeadm", "exit 0")
    assert node.run("join-guard").returncode != 0
    assert node.run("join").returncode == 0
    assert [call.split()[1] for call in node.calls if "kubeadm" in call] == ["reset", "join"]


def test_a_failed_join_says_kubeadms_words_first_and_leaves_a_clean_node(node: Node) -> None:
    plane = beside(node, "plane")
    authority(plane)
    node.secrets = {"join": signed(node, plane)}
    node.program("kubeadm", 'case $1 in join) echo "connection refused"; exit 1 ;; esac')
    done = node.run("join")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "connection refused"
    assert node.calls[-1] == "kubeadm reset --force"


def test_a_join_without_a_certificate_says_what_to_do(node: Node) -> None:
    node.secrets = {"join": ""}
    done = node.run("join")
    assert done.returncode == 1
    assert "the control plane signed nothing; run `pulumi up` again" in done.stderr


@pytest.mark.parametrize(("known", "holds"), [("", True), ("me", True), ("another", False)])
def test_a_node_of_the_same_name_on_another_machine_is_stale(
    node: Node, known: str, holds: bool
) -> None:
    node.secrets = {"machine": "me"}
    node.write("/etc/kubernetes/layered-cloud/initialised", "")
    node.write("/etc/kubernetes/kubelet.conf", "conf")
    node.program("kubectl", f'printf "%s" "{known}"')
    assert (node.run("stale-guard").returncode == 0) == holds


def test_nothing_is_stale_on_a_machine_that_is_in_no_cluster(node: Node) -> None:
    node.secrets = {"machine": "me"}
    node.program("kubectl", "exit 1")
    assert node.run("stale-guard").returncode == 0
    assert node.calls == []


@pytest.mark.parametrize(("known", "drained"), [("me", True), ("another", False), ("", False)])
def test_only_this_very_machine_is_drained_when_it_leaves(
    node: Node, known: str, drained: bool
) -> None:
    node.secrets = {"machine": "me"}
    node.program("kubectl", f'[ "$1" != get ] || printf "%s" "{known}"')
    assert node.run("leave").returncode == 0
    assert [call.split()[1] for call in node.calls] == (
        ["get", "drain", "delete"] if drained else ["get"]
    )


def test_a_node_that_cannot_be_drained_leaves_all_the_same(node: Node) -> None:
    node.secrets = {"machine": "me"}
    node.program("kubectl", "case $1 in get) printf me ;; drain) exit 1 ;; esac")
    done = node.run("leave")
    assert done.returncode == 0
    assert "worker-1 could not be drained in 240 s; it is removed all the same" in done.stderr
    assert node.calls[-1].startswith("kubectl delete node worker-1")


def test_a_member_is_awaited_by_its_machine_id(node: Node) -> None:
    node.secrets = {"machine": "me"}
    node.program(
        "kubectl",
        f'n=$(wc -l <"{node.root}/calls"); [ "$n" -lt 2 ] || printf me',
    )
    assert node.run("member").returncode == 0
    assert len(node.calls) == 2


def test_the_api_is_asked_through_both_vips_before_the_role_is_given(node: Node) -> None:
    node.program("kubectl", 'case "$*" in *create*) echo kind: x ;; apply*) cat ;; esac')
    node.write("/etc/kubernetes/layered-cloud/initialised", "")
    done = node.run("access")
    assert done.returncode == 0, done.stderr
    servers = [call.split()[2] for call in node.calls if call.startswith("kubectl --server h")]
    assert servers == ["https://198.18.10.10:6443", "https://198.18.0.10:6443"]
    assert any(
        "create clusterrolebinding layered-cloud-administrator --clusterrole cluster-admin "
        "--user layered-cloud-2" in call
        for call in node.calls
    )


def test_access_is_given_anew_when_the_role_is_somebody_elses(node: Node) -> None:
    node.write("/etc/kubernetes/layered-cloud/delivered", "")
    node.program("kubectl", 'case "$*" in *jsonpath*) printf layered-cloud-1 ;; esac')
    assert node.run("access-guard").returncode != 0
    node.program("kubectl", 'case "$*" in *jsonpath*) printf layered-cloud-2 ;; esac')
    assert node.run("access-guard").returncode == 0


def test_the_kubeconfig_leads_through_the_management_vip(node: Node) -> None:
    node.program("kubeadm", 'printf "    server: https://198.18.10.10:6443\\n  name: lab\\n"')
    done = node.run("kubeconfig")
    assert done.stdout == "    server: https://198.18.0.10:6443\n  name: lab\n"
    assert "--client-name layered-cloud-2 --validity-period 8760h" in node.calls[0]


def test_only_swap_that_fstab_names_is_switched_off(node: Node) -> None:
    node.write(
        "/etc/fstab", "# /dev/vdx none swap sw 0 0\n/dev/vda1 / ext4 d 0 1\n/dev/vdb n swap\n"
    )
    node.program("swapon", "printf '/dev/vdb\\n/dev/host\\n'")
    node.program("swapoff", "")
    done = node.run("swap")
    assert done.returncode == 0, done.stderr
    assert [call for call in node.calls if call.startswith("swapoff")] == ["swapoff /dev/vdb"]
    assert "systemctl --quiet mask swap.target" in node.calls
