"""A key that only `kubeadm init` reads is remembered, so that a later change of it is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from components.cluster import birth, kubeadm
from settings.models import Stack
from settings.reference import every_key
from tests.components import stacks
from tests.components.cluster.nodes import API, control_plane
from tests.components.other_values import others, places

CHANGED_LATER = {
    "cluster.kubernetes_version": "`kubeadm upgrade` changes it",
    "networks.domain": "a name in a certificate, beside the addresses that everybody calls",
}
"""Keys that stand in what kubeadm reads, and that a cluster may outlive a change of."""

LEAVES = [
    path
    for path, key in every_key().items()
    if path.partition(".")[0] in ("cluster", "networks") and key.model is None
]


def said(config: dict[str, Any]) -> tuple[str, dict[str, str]] | None:
    """What the first control plane is made with, and what is remembered of it; None if the
    settings' types refuse the stack."""
    try:
        stack = Stack.model_validate(config)
    except ValidationError:
        return None
    node = control_plane(stack.cluster, networks=stack.networks)
    return kubeadm.config(node), birth.facts(stack.cluster, stack.networks, API)


@pytest.mark.parametrize("leaf", LEAVES)
def test_what_kubeadm_reads_at_init_is_remembered(leaf: str) -> None:
    config = stacks.lab().model_dump(mode="json")
    before = said(config)
    assert before is not None
    tried = 0
    for index, (holder, last) in enumerate(places(config, leaf)):
        for other in others(holder[last], leaf):
            changed = copy.deepcopy(config)
            list(places(changed, leaf))[index][0][last] = other
            after = said(changed)
            if after is None:
                continue
            tried += 1
            forgotten = after[0] != before[0] and after[1] == before[1]
            assert forgotten == (leaf in CHANGED_LATER), (
                f"{leaf} is rendered into kubeadm's configuration, which is read once: add it to "
                "`facts` in components/cluster/birth.py, or say in CHANGED_LATER what becomes of a "
                "change"
            )
    assert tried or not list(places(config, leaf)), f"no other value of {leaf} was tried"
