"""Networks and the cluster: the nodes' shares of the pods' range."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.addresses import BITS
from settings.models.stack import Stack
from settings.problems import Problem, problem

_DEFAULT_MAX_PODS = 110
_LARGEST_MASK_STEP = 16


@reads("networks", "cluster")
def pod_range_is_large_enough(stack: Stack) -> Iterator[Problem]:
    """Every node takes one /node_mask of the pod range (kube-controller-manager's limits).

    A mask equal to the range's prefix length is one share for one node: the second node, or the
    first one's successor while it lives, would get none.
    """
    pods, mask = stack.networks.pods, stack.cluster.node_mask
    nodes = len(stack.cluster.control_planes) + len(stack.cluster.workers)
    step = mask - pods.prefixlen
    path = "cluster.node_mask"
    if step == 0:
        yield problem(
            path,
            mask,
            f"is the prefix length of networks.pods ({pods}): one share, room for one node only",
            "widen networks.pods or raise the mask",
        )
    elif step < 0 or 2**step < nodes:
        yield problem(
            path,
            mask,
            f"leaves {2**step if step >= 0 else 0} node ranges in networks.pods ({pods}) "
            f"for {nodes} nodes",
            "widen networks.pods or raise the mask",
        )
    elif step > _LARGEST_MASK_STEP:
        yield problem(
            path,
            mask,
            f"is more than {_LARGEST_MASK_STEP} bits longer than networks.pods ({pods})",
            f"write {pods.prefixlen + _LARGEST_MASK_STEP} at most: kube-controller-manager's limit",
        )
    most, room = _most_pods(stack), 2 ** (BITS - mask) - 2
    if room < most:
        yield problem(
            path,
            mask,
            f"gives a node {room} addresses for {most} pods",
            f"lower the mask, or set cluster.kubelet.config.maxPods to {room} at most",
        )


def _most_pods(stack: Stack) -> int:
    """Of one node, by the kubelet's flag, else by its configuration, else by its default."""
    kubelet = stack.cluster.kubelet
    flag = kubelet.extra_args.get("max-pods", "")
    if flag.isascii() and flag.isdigit():
        return int(flag[:9])
    most = kubelet.config.get("maxPods", _DEFAULT_MAX_PODS)
    return most if isinstance(most, int) else _DEFAULT_MAX_PODS
