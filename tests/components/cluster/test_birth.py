"""What only `kubeadm init` reads: a plan that changes it later is refused, by key."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest

from components.cluster import birth, handed_out
from settings.models import Cluster
from tests.components.cluster.nodes import cluster, control_plane


def epoch(of: Cluster | None = None, credentials: int = 1) -> str:
    node = control_plane(of or cluster())
    return birth.epoch(str(credentials), birth.facts(node.cluster, node.networks, node.api))


def test_a_new_epoch_of_the_credentials_changes_nothing_of_the_cluster() -> None:
    assert birth.refusal(epoch(), epoch(credentials=2)) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"node_mask": 25}, "cluster.node_mask was 24 when it was made, and is 25"),
        (
            {"cluster_configuration": {"imageRepository": "registry.lab.test"}},
            "cluster.cluster_configuration.imageRepository was not given when it was made, and is "
            '"registry.lab.test"',
        ),
        ({"name": "other"}, 'cluster.name was "lab" when it was made, and is "other"'),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "told",
)
def test_each_value_that_differs_is_named(changed: dict[str, Any], told: str) -> None:
    before = cluster(cluster_configuration={})
    now = before.model_copy(update=changed)
    assert told in birth.refusal(epoch(before), epoch(now))


@pytest.mark.parametrize("before", ["1", "", "nonsense"])
def test_an_epoch_of_a_program_before_refuses_nothing(before: str) -> None:
    assert birth.refusal(before, epoch()) == []


def asked(before: str, now: str, machine: object = "key") -> None:
    def given(epoch: str, key: object) -> dict[str, Any]:
        return {"connection": {"hostKey": key}, "stdin": json.dumps({"request": {"epoch": epoch}})}

    args = pulumi.ResourceHookArgs(
        urn="",
        id="",
        name="",
        type="",
        old_inputs=given(before, "key"),
        new_inputs=given(now, machine),
    )
    asyncio.run(handed_out.asked(args))


def test_the_engine_is_told_in_a_preview_too() -> None:
    with pytest.raises(pulumi.RunError) as told:
        asked(epoch(), epoch(cluster(node_mask=25)))
    assert str(told.value).splitlines() == [
        "cluster:",
        "  - cluster.node_mask was 24 when it was made, and is 25",
        f"  - {birth.REMEDY}",
    ]


def test_another_machine_makes_another_cluster() -> None:
    asked(epoch(), epoch(cluster(node_mask=25)), machine="another key")
    asked(epoch(), epoch())
