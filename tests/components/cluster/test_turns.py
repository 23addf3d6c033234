"""What the programs of an upgrade decide, and their texts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from components.cluster import turns
from components.cluster.scripts import snapshot, turn
from tests.components.cluster import nodes
from tests.golden_files import assert_golden

AT = "kubernetes=1.36.3-1.1 runtime=2.4.2-1"
_PROGRAM = re.compile(r"(<<'PROGRAM'\n).*?(^PROGRAM)", re.S | re.M)


@pytest.mark.parametrize(
    "name", ["control_plane", "control_plane_guard", "leave", "worker", "worker_guard"]
)
def test_every_text_is_what_was_read_and_agreed(name: str) -> None:
    its = turns.turn(nodes.control_plane() if "plane" in name else nodes.worker())
    text = _PROGRAM.sub(r"\1…\n\2", getattr(its, name)())
    assert_golden(f"cluster/upgrade/{name}.txt", text)


def ran(folder: Path, kubectl: str, patience: int) -> tuple[int, str]:
    """Exit status and words of the program as a machine has it: nothing of ours to import."""
    program = turns.turn(nodes.worker()).leave().partition("<<'PROGRAM'\n")[2]
    program = program.removesuffix("PROGRAM\n")
    program = program.replace(f"API_SECONDS = {turn.API_SECONDS}", f"API_SECONDS = {patience}")
    stand_in = folder / "kubectl"
    stand_in.write_text(f"#!/bin/sh\n{kubectl}")
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["python3", "-I", "-", "leave", "worker-1", AT, "15"],
        input=program,
        capture_output=True,
        text=True,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        cwd=folder,
        check=False,
    )
    return done.returncode, done.stderr


def test_the_program_that_is_sent_runs_by_itself(tmp_path: Path) -> None:
    assert ran(tmp_path, "echo 'the API is away' >&2; exit 1\n", 0) == (
        1,
        "the API does not answer within 0 s: the API is away\n",
    )


REPLACED = """
echo x >>"$0.asked"
case "$(wc -l <"$0.asked")" in
    2) echo 'The connection to the server 198.18.10.10:6443 was refused' >&2; exit 1 ;;
    3) echo 'Error from server: etcdserver: leader changed' >&2; exit 1 ;;
esac
case $* in
    *readyz*) echo ok ;;
    *"get node "*) cat "$0.node" ;;
esac
"""


@pytest.mark.parametrize("patience", [turn.API_SECONDS, 0])
def test_an_api_server_that_is_replaced_meanwhile_is_waited_for(
    tmp_path: Path, patience: int
) -> None:
    (tmp_path / "kubectl.node").write_text(json.dumps(node(software=AT)))
    told = (
        (0, f"worker-1 is at {AT}\n")
        if patience
        else (1, "The connection to the server 198.18.10.10:6443 was refused\n")
    )
    assert ran(tmp_path, REPLACED, patience) == told


def test_coredns_stays_where_the_stack_says_its_release() -> None:
    own = nodes.cluster(cluster_configuration={"dns": {"imageTag": "v1.14.7"}})
    none = nodes.cluster(cluster_configuration={})
    for chosen, stays in ((own, True), (none, False)):
        text = turns.turn(nodes.control_plane(chosen)).control_plane()
        for verb in ("apply v1.36.3 --yes", "node"):
            skipped = f"kubeadm upgrade {verb} --skip-phases addon/coredns"
            assert (skipped in text) is stays
        # Before it changes anything kubeadm looks at what it will not touch.
        (plan,) = re.findall("kubeadm upgrade plan .*", text)
        assert ("CoreDNSUnsupportedPlugins,CoreDNSMigration" in plan) is stays
    of_all = nodes.cluster(
        cluster_configuration={"dns": {"imageTag": "v1.14.7"}}, ignore_preflight_errors=["all"]
    )
    (plan,) = re.findall(
        "kubeadm upgrade plan .*", turns.turn(nodes.control_plane(of_all)).control_plane()
    )
    assert plan.endswith("--ignore-preflight-errors=all")


def node(
    kubelet: str = "v1.36.3", runtime: str = "containerd://2.4.2", **annotations: str
) -> dict[str, Any]:
    given = {f"layered-cloud/{key}": value for key, value in annotations.items()}
    info = {"kubeletVersion": kubelet, "containerRuntimeVersion": runtime}
    return {
        "metadata": {"name": "worker-1", "annotations": given},
        "spec": {},
        "status": {"nodeInfo": info, "conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.mark.parametrize(
    ("given", "due"),
    [
        (node(), False),  # of a cluster that was made before this was noted
        (node(software=AT), False),
        (node("v1.36.2"), True),
        (node("v1.36.2", software=AT), True),
        (node(runtime="containerd://v2.4.1"), True),
        (node(runtime="containerd://v2.4.2"), False),
        (node(runtime="cri-o://unknown"), False),
        (node(software="kubernetes=1.36.3-1.0 runtime=2.4.2-1"), True),
        (node(software=AT, upgrade="cordoned"), True),
    ],
)
def test_whose_turn_it_is(given: dict[str, Any], due: bool) -> None:
    assert turn.due(given, AT) is due


@pytest.mark.parametrize("package", ["1:2.4.2-1", "2.4.2-1~debian.12~bookworm", "2.4.2~ds1-1+b3"])
def test_a_packages_version_is_known_by_the_release_in_it(package: str) -> None:
    assert turn.runs(node(), f"kubernetes=1.36.3-1.1 runtime={package}")
    assert not turn.runs(
        node(runtime="containerd://2.4.1"), f"kubernetes=1.36.3-1.1 runtime={package}"
    )


LABELS = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("selector", "takes"),
    [
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({}, True),
        (None, False),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "x", "operator": "Exists"}]}, False),
    ],
)
def test_whose_budget_it_is(selector: dict[str, Any] | None, takes: bool) -> None:
    assert turn.selects(selector, LABELS) is takes


def pod(**metadata: Any) -> dict[str, Any]:
    owner = [{"kind": "ReplicaSet"}]
    known = {"name": "p", "namespace": "n", "labels": LABELS, "ownerReferences": owner}
    return {"metadata": {**known, **metadata}, "status": {"phase": "Running"}}


def test_a_drain_is_not_about_daemons_mirrors_and_what_is_over() -> None:
    assert turn.leaves(pod())
    assert not turn.leaves(pod(ownerReferences=[{"kind": "DaemonSet"}]))
    assert not turn.leaves(pod(annotations={turn.MIRROR: "1"}))
    assert not turn.leaves({**pod(), "status": {"phase": "Succeeded"}})


def test_each_pod_that_stays_says_why() -> None:
    budget = {
        "metadata": {"name": "stays", "namespace": "n"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2},
    }
    elsewhere = {**budget, "metadata": {"name": "stays", "namespace": "other"}}
    assert "PodDisruptionBudget stays allows no disruption (2 healthy, 2 wanted)" in turn.reason(
        pod(), [elsewhere, budget]
    )
    assert turn.reason(pod(), [elsewhere]).startswith("did not leave in time")
    alone = pod(ownerReferences=[])
    assert turn.reason(alone, []).startswith("has no controller")
    ending = pod(deletionTimestamp="now", deletionGracePeriodSeconds=600)
    assert turn.reason(ending, [budget]).startswith("is ending, for which it has 600 s")


class Api:
    """kubectl, answered in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *nodes: dict[str, Any]) -> None:
        self.nodes = {each["metadata"]["name"]: each for each in nodes}
        self.calls: list[str] = []
        self.version = "v1.36.2"
        monkeypatch.setattr(turn, "kubectl", self.answer)
        monkeypatch.setattr(turn.time, "sleep", lambda _: None)

    def answer(self, *words: str, seconds: float = 30) -> str:
        del seconds
        self.calls.append(" ".join(words[:3]))
        if words[:2] == ("get", "--raw"):
            return json.dumps({"gitVersion": self.version})
        if words[:2] == ("get", "nodes"):
            return json.dumps({"items": list(self.nodes.values())})
        if words[:2] == ("get", "node"):
            return json.dumps(self.nodes[words[2]])
        if words[0] in ("cordon", "uncordon"):
            self.nodes[words[1]]["spec"]["unschedulable"] = words[0] == "cordon"
        if words[0] == "annotate":
            self.annotate(words[2], words[4:])
        return ""

    def annotate(self, name: str, words: Sequence[str]) -> None:
        known = self.nodes[name]["metadata"]["annotations"]
        for each in words:
            key, _, value = each.partition("=")
            if value:
                known[key] = value
            else:
                known.pop(key.removesuffix("-"), None)


def test_a_node_that_somebody_else_had_cordoned_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = node("v1.36.2"), node("v1.36.2")
    other["metadata"]["name"] = "worker-2"
    one["spec"]["unschedulable"] = True
    api = Api(monkeypatch, one, other)
    turn.drain("worker-1", AT, 5)
    one["status"]["nodeInfo"]["kubeletVersion"] = "v1.36.3"
    turn.back("worker-1", AT, 5)
    assert one["spec"]["unschedulable"]
    assert one["metadata"]["annotations"] == {"layered-cloud/software": AT}
    assert "uncordon worker-1" not in api.calls


def test_pods_stay_where_there_is_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, plane = node("v1.36.2"), node("v1.36.2")
    plane["metadata"]["name"] = "cp-1"
    plane["spec"]["taints"] = [{"key": "x", "effect": "NoSchedule"}]
    api = Api(monkeypatch, one, plane)
    turn.drain("worker-1", AT, 5)
    assert not [each for each in api.calls if each.startswith("drain")]
    assert "no other node takes pods" in capsys.readouterr().err


def test_a_node_that_does_not_come_back_stays_out_and_is_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = node("v1.36.2", upgrade="cordoned")
    one["spec"]["unschedulable"] = True
    Api(monkeypatch, one)
    with pytest.raises(
        turn.Refused, match=r"worker-1 is not Ready with .* \(Ready, kubelet v1\.36\.2"
    ):
        turn.back("worker-1", AT, 0)
    assert one["spec"]["unschedulable"]


def test_a_node_that_was_never_out_is_only_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at birth, when no node is Ready yet."""
    one = node()
    one["status"]["conditions"] = []
    api = Api(monkeypatch, one)
    turn.back("worker-1", AT, 0)
    assert one["metadata"]["annotations"] == {"layered-cloud/software": AT}
    assert "uncordon worker-1" not in api.calls


def test_a_wrong_step_is_refused_before_kubeadm_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Api(monkeypatch, node("v1.32.9"))
    api.version = "v1.34.4"
    with pytest.raises(turn.Refused) as refused:
        turn.permit("1.36.3")
    api_s, kubelets = str(refused.value).splitlines()
    assert "1.36.3 skips 1.35: the cluster is at 1.34.4" in api_s
    assert "more than 3 minors newer than the kubelet of worker-1, 1.32.9" in kubelets
    api.version = "v1.36.3"
    api.nodes["worker-1"]["status"]["nodeInfo"]["kubeletVersion"] = "v1.36.1"
    turn.permit("1.36.3")


PAGES = b"\0" * 16 + snapshot.MAGIC + b"\0" * (1024 - 20)
WHOLE = PAGES + hashlib.sha256(PAGES).digest()


def lines(data: bytes) -> list[bytes]:
    return [
        json.dumps({"result": {"blob": base64.b64encode(data[at : at + 300]).decode()}}).encode()
        for at in range(0, len(data), 300)
    ]


def test_a_snapshot_is_there_whole_and_roots_alone(tmp_path: Path) -> None:
    path = tmp_path / "etcd" / "before.db"
    assert snapshot.write(path, snapshot.pieces(lines(WHOLE))) == 1024
    assert path.read_bytes() == WHOLE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (WHOLE[:-1], "cut off"),
        (b"", "cut off"),
        (WHOLE[:-1] + b"x", "its checksum is another one"),
        (b"x" * 1024 + hashlib.sha256(b"x" * 1024).digest(), "no database of etcd's"),
    ],
)
def test_what_is_not_whole_is_not_kept(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "before.db"
    path.write_bytes(b"of an earlier one")
    with pytest.raises(snapshot.Refused, match=said):
        snapshot.write(path, snapshot.pieces(lines(data)))
    assert path.read_bytes() == b"of an earlier one"
    assert [each.name for each in tmp_path.iterdir()] == ["before.db"]


def test_a_stream_that_etcd_breaks_off_is_told(tmp_path: Path) -> None:
    broken = [*lines(WHOLE)[:1], b'{"error": {"message": "no leader"}}']
    with pytest.raises(snapshot.Refused, match="etcd broke off: no leader"):
        snapshot.write(tmp_path / "x.db", snapshot.pieces(broken))


def test_the_newest_few_stay(tmp_path: Path) -> None:

    for age in range(5):
        (tmp_path / f"{age}.db").write_text("")
        os.utime(tmp_path / f"{age}.db", (1000 - age, 1000 - age))
    snapshot.forget(tmp_path, 3)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["0.db", "1.db", "2.db"]
