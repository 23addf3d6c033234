"""Which release may follow which. Pure, and read on control planes too.

Sources: kubernetes.io, "Version Skew Policy"; kubeadm's own EnforceVersionPolicies.
"""

from __future__ import annotations

import re

KUBELETS_BEHIND = 3
"""Minors that a kubelet may be older than its API server; never newer."""
KEY = "cluster.kubernetes_version"


def numbers(version: str) -> tuple[int, int, int]:
    """Of a version such as 1.36.3 or v1.36.3+x; `ValueError` for anything else."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise ValueError(f"{version!r} is no version of Kubernetes")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


def refusal(runs: str, wanted: str, whose: str = "the cluster") -> str | None:
    """Why what is at `runs` may not become `wanted`, and what would be right; None if it may."""
    old, new = numbers(runs), numbers(wanted)
    said = f"{KEY}: {wanted}"
    is_at = f"{whose} is at {runs}"
    if new < old:
        return (
            f"{said} is older than what runs: {is_at}, and kubeadm takes no cluster back; write "
            f"{runs} or later"
        )
    if new[0] != old[0]:
        return f"{said} is of another major version: {is_at}; write a release of {old[0]}.{old[1]}"
    if new[1] > old[1] + 1:
        between = f"{old[0]}.{old[1] + 1}"
        return (
            f"{said} skips {between}: {is_at}, and kubeadm goes one minor at a time; write a "
            f"release of {between}, run `pulumi up`, and then this one"
        )
    return None


def kubelet_refusal(name: str, runs: str, wanted: str) -> str | None:
    """Why the kubelet of a node may not stay at `runs` while the API server becomes `wanted`."""
    old, new = numbers(runs), numbers(wanted)
    if old > new:
        return (
            f"{KEY}: {wanted} is older than the kubelet of {name}, {runs}, which may not be newer "
            f"than its API server; write {runs} or later"
        )
    if old[:2] < (new[0], new[1] - KUBELETS_BEHIND):
        return (
            f"{KEY}: {wanted} is more than {KUBELETS_BEHIND} minors newer than the kubelet of "
            f"{name}, {runs}: upgrade or delete that node first"
        )
    return None
