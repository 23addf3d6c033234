"""Which release may follow which, where it is asked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest

from components.cluster import release, upgrade
from components.cluster.scripts.skew import kubelet_refusal, numbers, refusal
from components.host import LayerError


@pytest.mark.parametrize(
    ("runs", "wanted"),
    [("1.36.1", "1.36.1"), ("1.36.1", "1.36.3"), ("1.35.4", "1.36.0"), ("1.9.9", "1.10.0")],
)
def test_a_patch_or_the_next_minor_follows(runs: str, wanted: str) -> None:
    assert refusal(runs, wanted) is None


@pytest.mark.parametrize(
    ("runs", "wanted", "said"),
    [
        (
            "1.36.3",
            "1.36.1",
            "cluster.kubernetes_version: 1.36.1 is older than what runs: the cluster is at 1.36.3, "
            "and kubeadm takes no cluster back; write 1.36.3 or later",
        ),
        (
            "1.34.4",
            "1.36.3",
            "cluster.kubernetes_version: 1.36.3 skips 1.35: the cluster is at 1.34.4, and kubeadm "
            "goes one minor at a time; write a release of 1.35, run `pulumi up`, and then this one",
        ),
        (
            "1.36.3",
            "2.0.0",
            "cluster.kubernetes_version: 2.0.0 is of another major version: the cluster is at "
            "1.36.3; write a release of 1.36",
        ),
    ],
)
def test_anything_else_is_refused_by_key_with_what_would_be_right(
    runs: str, wanted: str, said: str
) -> None:
    assert refusal(runs, wanted) == said


@pytest.mark.parametrize(
    ("runs", "wanted", "refused"),
    [
        ("1.36.3", "1.36.3", None),
        ("1.33.0", "1.36.3", None),
        ("1.32.9", "1.36.3", "more than 3 minors newer than the kubelet of worker-9, 1.32.9"),
        ("1.36.4", "1.36.3", "older than the kubelet of worker-9, 1.36.4"),
    ],
)
def test_a_kubelet_is_three_minors_behind_at_most_and_never_ahead(
    runs: str, wanted: str, refused: str | None
) -> None:
    told = kubelet_refusal("worker-9", runs, wanted)
    assert told is None if refused is None else refused in (told or "")


def test_what_is_no_version_is_none() -> None:
    assert numbers("v1.36.3+k3s1") == (1, 36, 3)
    with pytest.raises(ValueError, match="'latest' is no version"):
        numbers("latest")


def hook(**given: Any) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(urn="urn", id="", type="x", **given)


def ask_release(runs: str | None, wanted: str, *unreachable: str) -> None:
    outputs = None if runs is None else {"version": runs}
    now = {"version": wanted, "unreachable": list(unreachable)}
    args = hook(name="founding-release", old_inputs={}, new_inputs=now, old_outputs=outputs)
    asyncio.run(release.asked(args))


def test_the_stack_is_asked_by_what_every_node_was_brought_to() -> None:
    ask_release("1.36.1", "1.36.3")
    ask_release("1.36.1", "1.36.1", "cp-2")
    ask_release(None, "1.30.0", "cp-2")  # stopped half way, or no cluster yet
    with pytest.raises(LayerError) as refused:
        ask_release("1.36.3", "1.36.1", "cp-2")
    first, second = refused.value.problems
    assert "is older than what runs: the cluster is at 1.36.3" in first
    assert second == (
        "cluster.unreachable: cp-2 cannot be upgraded, and cluster.kubernetes_version is 1.36.1 "
        "where the cluster is at 1.36.3; bring it back or replace it first, with "
        "cluster.kubernetes_version: 1.36.3"
    )


def command(version: str | None, key: str = "ssh-ed25519 A 1") -> dict[str, Any]:
    epoch = "1" if version is None else json.dumps({"cluster.kubernetes_version": version})
    return {
        "connection": {"hostKey": key},
        "stdin": json.dumps({"request": {"epoch": epoch}}),
    }


def ask_node(before: dict[str, Any], now: dict[str, Any]) -> None:
    args = hook(name="worker-2-upgrade", old_inputs=before, new_inputs=now, old_outputs={})
    asyncio.run(upgrade.refuse_a_wrong_step(args))


def test_a_node_that_an_upgrade_did_not_reach_is_asked_by_its_own_action() -> None:
    ask_node(command("1.36.1"), command("1.36.3"))
    with pytest.raises(LayerError, match=r"1\.36\.3 skips 1\.35: worker-2 is at 1\.34\.4"):
        ask_node(command("1.34.4"), command("1.36.3"))


def test_a_machine_that_is_another_one_may_have_any_release() -> None:
    ask_node(command("1.34.4"), command("1.36.3", key="ssh-ed25519 A 2"))
    ask_node(command(None), command("1.36.3"))
