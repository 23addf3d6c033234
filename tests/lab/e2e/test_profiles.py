"""Other datacentres: every profile comes up from nothing and keeps every promise.

`make test-all` runs them, one profile at a time; `make test` leaves them out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from harness import assert_one_change_a_balancer, lab, leftovers, variant

from lab import datacentre, stack
from lab.hypervisor.hypervisor import Hypervisor
from lab.probes import edge, inside
from lab.probes.result import until
from lab.probes.world import World
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
