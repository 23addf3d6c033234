"""A node that is looked after, as kubectl sees it: `maintenance.py VERB NAME …`, on a
control plane.

    cordon NAME         no new pods
    empty NAME SECONDS  those there leave, as their budgets allow
    back NAME           takes pods again, if `cordon` is why it took none

Who cordoned a node stands in the node's annotations: of this one and of a turn in an upgrade, one
alone says `cordoned`, and uncordons it. The standard library alone, beside `turn`, whose text
stands before this one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from components.cluster.scripts.turn import (
    AGAIN,
    OUT,
    Json,
    Refused,
    annotate,
    await_api,
    evict,
    kubectl,
    leaves,
    listed,
    node_of,
    noted,
    ready,
    say,
    takes_pods,
)

MARK = "layered-cloud/maintenance"
"""Annotation of a node in maintenance: `cordoned` by us, or `found` cordoned before."""


def cordon(name: str) -> None:
    """Marked first: cut off between the two, a later `back` uncordons what takes pods already."""
    node = node_of(name)
    known = noted(node)
    if not node["spec"].get("unschedulable"):
        annotate(name, maintenance="cordoned")
    elif known.get(OUT) == "cordoned":
        # A turn that ends must not take back what is in maintenance now.
        annotate(name, maintenance="cordoned", upgrade="found")
    elif MARK not in known:
        annotate(name, maintenance="found")
    kubectl("cordon", name)


def empty(name: str, seconds: int) -> None:
    """The node stays cordoned whatever comes of it: what has left it need not move twice."""
    if not staying(name):
        return
    others = [each for each in listed("nodes") if each["metadata"]["name"] != name]
    if not any(takes_pods(each) for each in others):
        raise Refused(
            f"{name} is not drained: no other node is Ready and takes pods, so that its own would "
            f"have nowhere to go. Make one so (`kubectl get nodes`), then {AGAIN}"
        )
    told = evict(name, seconds)
    if not told:
        return
    ended = all(each["metadata"].get("deletionTimestamp") for each in staying(name))
    if ended and not ready(node_of(name)):
        say(f"{name} is not Ready: its pods were told to end, which they do once it is back")
        return
    told.append(f"{name} stays cordoned, and what has left it stays away. Then {AGAIN}")
    raise Refused("\n".join(told))


def staying(name: str) -> list[Json]:
    """The node's pods that a drain is about."""
    pods = listed("pods", "--all-namespaces", "--field-selector", f"spec.nodeName={name}")
    return [each for each in pods if leaves(each)]


def back(name: str) -> None:
    """A node that is gone, or that was cordoned before, is left alone; one whose turn in an upgrade
    has not ended takes pods again when it has."""
    found = kubectl("get", "node", name, "--ignore-not-found", "--output", "json")
    known = noted(json.loads(found)) if found.strip() else {}
    if MARK not in known:
        return
    if known[MARK] == "cordoned" and OUT in known:
        annotate(name, maintenance=None, upgrade="cordoned")
        return
    if known[MARK] == "cordoned":
        kubectl("uncordon", name)
    annotate(name, maintenance=None)


def main(argv: Sequence[str]) -> int:
    """Exit status 1 for what stops it, told on stderr."""
    verb, name, rest = argv[0], argv[1], argv[2:]
    try:
        await_api()
        if verb == "empty":
            empty(name, int(rest[0]))
        else:
            {"cordon": cordon, "back": back}[verb](name)
    except (Refused, subprocess.TimeoutExpired) as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
