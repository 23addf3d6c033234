"""Other datacentres: every profile comes up from nothing and keeps every promise.

`make test-all` runs them, one profile at a time; `make test` leaves them out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from harness import assert_one_change_a_balancer, cluster, lab, leftovers, variant

from lab import datacentre, stack
from lab.hypervisor.hypervisor import Hypervisor
from lab.probes import edge, inside, rollouts
from lab.probes.result import until
from lab.probes.world import World
from lab.software import versions
from lab.trials import PROFILE

ONE = os.environ.get(PROFILE)
PROFILES = [name for name in stack.profiles() if ONE in (None, "", name)]
pytestmark = pytest.mark.profile


@pytest.fixture(scope="module", params=PROFILES)
def other(request: pytest.FixtureRequest, able: None) -> Iterator[World]:
    """The running lab of a profile, from nothing; nothing is left of it."""
    lab("down", "--quiet")
    try:
        done = lab("up", "--profile", request.param, seconds=3600)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
        yield datacentre.world()
    finally:
        down = lab("down")
    assert down.returncode == 0, down.stdout[-3000:] + down.stderr[-2000:]
    assert leftovers() == []


def test_a_profile_keeps_every_promise(other: World) -> None:
    rows = json.loads(lab("check", "--json").stdout)
    for row in rows:
        print(f"{row['name']}: {row['detail']}")
    assert [f"{row['name']}: {row['detail']}" for row in rows if not row["ok"]] == []


def test_drills_are_felt_no_longer_than_promised(other: World) -> None:
    rows = json.loads(lab("drill", "--json").stdout)
    for row in rows:
        print(f"{row['name']}: {row['detail']}")
    assert [f"{row['name']}: {row['detail']}" for row in rows if not row["ok"]] == []


def test_one_changed_timeout_plans_one_changed_resource_a_balancer(other: World) -> None:
    assert_one_change_a_balancer(other)


def test_a_control_plane_that_is_lost_joins_the_others(other: World) -> None:
    """The first one, which made the cluster: the cluster stays, with all that is in it."""
    lost, *others = other.role("control_plane")
    if not others:
        pytest.skip("one control plane: its loss is another cluster's beginning")
    born = other.kubectl("get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}")
    Hypervisor().power_off(lost)
    answer = variant("up", replace=[f"VmLegacy::{lost}"])
    assert answer["ok"], answer["error"]
    again = other.kubectl("get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}")
    assert again == born
    until(lambda: inside.cluster_ready(other), 120, "the cluster is not ready")
    inside.every_control_plane(other)
    inside.manifests_true(other)
    until(lambda: edge.through_the_chain(other), 60, "the chain does not answer")
    went = [step for step in answer["steps"] if "replace" in step["op"] or "delete" in step["op"]]
    assert [step["urn"] for step in went if "kubernetes:" in step["urn"]] == []
    assert variant("up")["changed"] == 0


def test_an_upgrade_loses_nothing_that_clients_ask_for(other: World) -> None:
    """Node by node, under requests and streams from outside; again, it changes nothing."""
    begun = other.stack.cluster.kubernetes_version
    wanted = versions.KUBERNETES
    if begun == wanted:
        pytest.skip(f"this datacentre is made with {wanted}, the release that it would end with")
    for wrong, said in (("1.35.4", "is older than what runs"), ("1.36.0", "1.36.1 or later")):
        refused = variant("preview", changes=cluster(kubernetes_version=wrong))
        assert not refused["ok"]
        assert said in refused["error"]

    answers: list[dict[str, Any]] = []
    whole = cluster(kubernetes_version=wanted)
    seen = rollouts.loaded(
        other,
        lambda: answers.append(variant("up", seconds=1800, changes=whole)),
        stream_seconds=300,
        longest=2400,
    )
    (answer,) = answers
    assert answer["ok"], answer["error"]
    print(seen)
    assert (seen.lost, seen.streams_lost) == (0, 0), str(seen)
    replaced = [step["urn"] for step in answer["steps"] if step["op"] not in ("same", "update")]
    assert replaced == []

    each = '{.metadata.name} {.status.nodeInfo.kubeletVersion} {.spec.unschedulable}{"\\n"}'
    shown = other.kubectl("get", "nodes", "--output", f"jsonpath={{range .items[*]}}{each}{{end}}")
    assert [line.split() for line in shown.splitlines()] == [
        [name, f"v{wanted}"] for name in sorted(other.nodes)
    ]
    first = other.role("control_plane")[0]
    path = f"/var/backups/layered-cloud/etcd/before-v{wanted}.db"
    assert other.text(first, ["stat", "--format", "%a %U", path]).strip() == "600 root"
    inside.manifests_true(other)
    until(lambda: edge.through_the_chain(other), 60, "the chain does not answer")
    assert variant("up", changes=whole)["changed"] == 0
