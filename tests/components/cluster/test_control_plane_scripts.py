"""How a machine becomes a control plane, run with recorded stand-ins for kubeadm and kubectl, and
for python3 where etcd would be asked (`test_etcd_members` asks a real one)."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.components.cluster.shells import (
    Node,
    authority,
    beside,
    fresh,
    kubeadms,
    openssl,
)

MARKERS = "/etc/kubernetes/layered-cloud"
KEYS = ("ca", "front-proxy-ca", "etcd/ca")

KUBEADM = """case $1 in
    init) echo conf >"{root}/etc/kubernetes/kubelet.conf" ;;
    join)
        cat "$3" >"{root}/seen"
        echo conf >"{root}/etc/kubernetes/kubelet.conf"
        ;;
    reset) rm -rf "{root}/etc/kubernetes/kubelet.conf" "{root}/etc/kubernetes/pki" ;;
esac"""


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = fresh(tmp_path)
    made.program("kubeadm", KUBEADM.format(root=made.root))
    made.program("python3", "")
    made.write("/etc/machine-id", "me\n")
    return made


def member(node: Node, name: str = "plane") -> Node:
    """Another machine, a control plane of a cluster."""
    plane = beside(node, name)
    authority(plane)
    pki = plane.root / "etc/kubernetes/pki"
    (pki / "etcd").mkdir()
    for key in KEYS[1:]:
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", 9, "-subj", f"/CN={Path(key).name}"),
            *("-keyout", pki / f"{key}.key", "-out", pki / f"{key}.crt"),
        )
    openssl("genrsa", "-out", pki / "sa.key", 2048)
    openssl("rsa", "-in", pki / "sa.key", "-pubout", "-out", pki / "sa.pub")
    for path in pki.rglob("*.key"):
        path.chmod(0o600)
    plane.write(f"{MARKERS}/initialised", "")
    plane.write("/etc/kubernetes/kubelet.conf", "conf")
    return plane


def handed(node: Node, plane: Node) -> str:
    """What the other machine hands over to this one."""
    assert node.run("ask").returncode == 0
    plane.secrets = {"request": node.run("asked").stdout.partition("\n")[2].rstrip("\n")}
    done = plane.run("hand-over")
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def test_the_first_one_makes_a_cluster_that_nobody_else_has(node: Node) -> None:
    node.secrets = {"handed-cp-2": "", "handed-cp-3": ""}
    node.program("openssl", "exit 1")
    assert node.run("control-plane-guard").returncode != 0
    done = node.run("founder")
    assert done.returncode == 0, done.stderr
    assert kubeadms(node) == ["init"]
    assert node.calls[0].startswith("openssl s_client -connect 198.18.10.10:6443")
    assert node.run("control-plane-guard").returncode == 0


def test_a_founder_whose_machine_is_another_one_joins_the_others(node: Node) -> None:
    """Never a second cluster beside a living one."""
    node.secrets = {"handed-cp-2": "", "handed-cp-3": handed(node, member(node))}
    done = node.run("founder")
    assert done.returncode == 0, done.stderr
    assert kubeadms(node) == ["join"]
    config = yaml.safe_load((node.root / "seen").read_text())
    assert config["controlPlane"]["localAPIEndpoint"]["advertiseAddress"] == "198.18.10.21"
    assert node.run("control-plane-guard").returncode == 0


def test_no_cluster_is_made_while_somebody_answers_behind_the_balancers(node: Node) -> None:
    node.program("openssl", 'echo "-----BEGIN CERTIFICATE-----"')
    done = node.run("founder")
    assert done.returncode == 1
    assert "an API server answers at 198.18.10.10:6443, yet none of this stack's" in done.stderr
    assert kubeadms(node) == []


def test_one_alone_asks_nobody(node: Node) -> None:
    node.program("openssl", "exit 1")
    assert node.run("founder-alone").returncode == 0
    assert [call.split()[0] for call in node.calls if not call.startswith("systemctl")] == [
        "kubeadm"
    ]


def test_any_other_never_makes_a_cluster(node: Node) -> None:
    node.secrets = {"handed-cp-1": ""}
    done = node.run("further")
    assert done.returncode == 1
    assert "worker-1 may not make a cluster, and nobody has one that it could join" in done.stderr
    assert kubeadms(node) == []


def test_who_is_in_no_cluster_hands_nothing_over(node: Node) -> None:
    plane = member(node)
    (plane.root / "etc/kubernetes/layered-cloud/initialised").unlink()
    assert handed(node, plane) == ""


def test_the_clusters_keys_arrive_as_they_were_and_are_read_by_nobody_else(node: Node) -> None:
    plane = member(node)
    given = handed(node, plane)
    node.secrets = {"handed-cp-1": given}
    done = node.run("further")
    assert done.returncode == 0, done.stderr
    theirs, ours = (each.root / "etc/kubernetes/pki" for each in (plane, node))
    for name in (*(f"{key}.{end}" for key in KEYS for end in ("crt", "key")), "sa.key", "sa.pub"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
        assert (ours / name).stat().st_mode == (theirs / name).stat().st_mode
    assert "PRIVATE" not in given
    said = [given, done.stdout, done.stderr, *node.calls, *plane.calls]
    for key in theirs.rglob("*.key"):
        assert not any(key.read_text().splitlines()[1] in each for each in said)


def test_another_machine_cannot_open_what_is_handed_over(node: Node) -> None:
    stranger = beside(node, "stranger")
    stranger.write("/etc/machine-id", "another\n")
    assert stranger.run("ask").returncode == 0
    stranger.secrets = {"handed-cp-1": handed(node, member(node))}
    done = stranger.run("further")
    assert done.returncode == 1
    assert "run `pulumi up --replace` with the URN of worker-1-identity" in done.stderr


def test_what_was_tampered_with_is_not_taken(node: Node) -> None:
    given = handed(node, member(node))
    lines = given.splitlines()
    place = lines.index("-----BEGIN CMS-----") + 40
    lines[place] = lines[place][::-1]
    node.secrets = {"handed-cp-1": "\n".join(lines)}
    done = node.run("further")
    assert done.returncode == 1
    assert "with the URN of worker-1-certificate-cp-1" in done.stderr
    assert not node.exists("/etc/kubernetes/pki/ca.key")
    assert kubeadms(node) == []


def programs(node: Node) -> list[str]:
    """What was run of kubeadm and of etcd's members, in order."""
    return [
        " ".join(call.split()[:2]) if call.startswith("kubeadm") else " ".join(call.split()[:3])
        for call in node.calls
        if call.startswith(("kubeadm", "python3"))
    ]


def test_a_stale_member_goes_before_anything_is_joined(node: Node) -> None:
    node.secrets = {"handed-cp-1": handed(node, member(node))}
    assert node.run("further").returncode == 0
    assert programs(node) == ["python3 - remove", "kubeadm join"]
    (call,) = [each for each in node.calls if each.startswith("python3")]
    # Who stays: the others, not this machine's own member of before.
    assert call.split()[4:] == ["198.18.10.22", "198.18.10.23"]


def test_a_join_that_was_cut_off_is_run_again_from_nothing(node: Node) -> None:
    node.secrets = {"handed-cp-1": handed(node, member(node))}
    node.program("kubeadm", "case $1 in join) kill -9 $PPID ;; esac")
    assert node.run("further").returncode != 0
    assert node.run("control-plane-guard").returncode != 0
    node.program("kubeadm", KUBEADM.format(root=node.root))
    again = node.run("further")
    assert again.returncode == 0, again.stderr
    assert programs(node)[-3:] == ["python3 - remove", "kubeadm reset", "kubeadm join"]
    assert node.exists("/etc/kubernetes/pki/etcd/ca.key")
    assert node.run("control-plane-guard").returncode == 0


def test_a_failed_join_gives_its_vote_back_before_its_etcd_goes(node: Node) -> None:
    node.secrets = {"handed-cp-1": handed(node, member(node))}
    node.program("kubeadm", 'case $1 in join) echo "etcd: unhealthy"; exit 1 ;; esac')
    done = node.run("further")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "etcd: unhealthy"
    joined, left = ["python3 - remove", "kubeadm join"], ["python3 - remove", "kubeadm reset"]
    assert programs(node) == [*joined, *left]
    assert "the node was reset; correct the cause and run `pulumi up` again" in done.stderr


def test_nothing_is_reset_while_etcd_cannot_spare_a_member(node: Node) -> None:
    node.secrets = {"handed-cp-1": handed(node, member(node))}
    node.write("/etc/kubernetes/kubelet.conf", "half")
    node.program("python3", 'echo "etcd could not remove its members" >&2; exit 1')
    done = node.run("further")
    assert done.returncode != 0
    assert "etcd could not remove its members" in done.stderr
    assert kubeadms(node) == []


def test_a_control_plane_of_another_cluster_than_the_others_joins_theirs(node: Node) -> None:
    node.secrets = {"handed-cp-1": handed(node, member(node, "first"))}
    assert node.run("further").returncode == 0
    node.secrets = {"handed-cp-1": handed(node, member(node, "second"))}
    assert node.run("control-plane-guard").returncode != 0
    assert node.run("further").returncode == 0
    assert kubeadms(node) == ["join", "reset", "join"]
    assert node.run("control-plane-guard").returncode == 0


def test_what_joined_is_refused_other_values_like_what_made_it(node: Node) -> None:
    node.secrets = {"handed-cp-3": handed(node, member(node))}
    assert node.run("founder").returncode == 0
    assert node.exists(f"{MARKERS}/delivered")
    assert "cluster.node_mask 24" in (node.root / f"{MARKERS}/initialised".lstrip("/")).read_text()


NODES = """case "$*" in
    *"get nodes"*) printf 'node/cp-1\\nnode/cp-3\\n{more}' ;;
esac"""


@pytest.mark.parametrize(
    ("stale", "more", "holds"),
    [("", "", True), ("cp-4 198.18.10.24", "", False), ("", "node/cp-4\\n", False)],
)
def test_nobody_else_is_a_control_plane(node: Node, stale: str, more: str, holds: bool) -> None:
    node.program("python3", f'printf "{stale}"')
    node.program("kubectl", NODES.format(more=more))
    assert (node.run("members-guard").returncode == 0) == holds


@pytest.mark.parametrize("silent", ["python3", "kubectl"])
def test_silence_is_no_answer(node: Node, silent: str) -> None:
    node.program("kubectl", NODES.format(more=""))
    node.program(silent, "exit 1")
    assert node.run("members-guard").returncode != 0


def test_who_left_the_stack_is_drained_loses_its_vote_then_its_node(node: Node) -> None:
    node.program("kubectl", NODES.format(more="node/cp-4\\nnode/cp-5\\n"))
    assert node.run("members").returncode == 0
    did = [" ".join(call.split()[:4]) for call in node.calls if "get" not in call]
    assert [" ".join(each.split()[:3]) for each in did] == [
        "kubectl drain cp-4",
        "kubectl drain cp-5",
        "python3 - remove",
        "kubectl delete node",
        "kubectl delete node",
    ]
    kept = next(call for call in node.calls if call.startswith("python3"))
    assert kept.split()[4:] == ["198.18.10.21", "198.18.10.22", "198.18.10.23"]


def test_a_node_stays_whose_vote_cannot_be_taken(node: Node) -> None:
    node.program("kubectl", NODES.format(more="node/cp-4\\n"))
    node.program("python3", "exit 1")
    assert node.run("members").returncode != 0
    assert not [call for call in node.calls if call.startswith("kubectl delete")]


def test_the_identity_is_remembered_once_and_told_ever_after(node: Node) -> None:
    node.program("kubectl", '[ "$1 $2" != "get configmap" ] || [ ! -e there ] || echo configmap/x')
    node.secrets = {"identity": "lab-SHA256:first"}
    assert node.run("identity-guard").returncode != 0
    assert node.run("identity").returncode == 0
    assert "--from-literal identity=lab-SHA256:first" in node.calls[-1]
    node.program("kubectl", "echo configmap/layered-cloud-identity")
    assert node.run("identity-guard").returncode == 0
