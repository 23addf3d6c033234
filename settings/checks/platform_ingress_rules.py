"""What is judged of an ingress controller's values: one row of rules a kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from settings.checks.decided import Decided, only
from settings.models.platform import Ingress


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Lists of a controller's own arguments: the `keys` of the chart's values that hold one (a way
    of several apart by dots), and what an argument that is decided looks like."""

    keys: tuple[str, ...]
    decided: re.Pattern[str]


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """Where a chart's values say how pods leave: the way to the update strategy of the workload, to
    the pods' termination grace period, and from the values to whom how many seconds are promised
    when a pod leaves. `default` is the period (seconds) that the program writes. `probe` leads to
    the readiness probe, which the program has made every `every` seconds; it is empty where the
    chart has no value for it."""

    strategy: tuple[str, ...]
    patience: tuple[str, ...]
    promised: Callable[[Mapping[str, Any]], Iterator[tuple[str, int]]]
    default: int
    probe: tuple[str, ...] = ()
    every: int = 1


@dataclass(frozen=True, kw_only=True)
class IngressRules:
    """The rules of one kind of `platform.ingress.kind`: what a stack may not undo of what the
    program writes, by values (`decided`) and by arguments, and how pods leave.

    `chart` is the last word of its chart's name; None of one that Cilium's release carries, whose
    values are `platform.cilium.values`. `keys` are the keys that the chart has, apart by
    blanks, by the place where they stand (`controller.service`; empty for the values themselves):
    other keys there would be overlooked by Helm. None where the chart's own schema refuses them, or
    below a place that is not listed. `request` is how much it takes of a request's line and header
    fields, in KiB; None where that is more than the balancers can pass on. `health` says whether
    the chart has a value for the Service's healthCheckNodePort, `one_ingress_a_host` that of two
    Ingress objects with one host it serves the older alone, `tells_requests` that with logging it
    writes a line of each request with the balancers' id. `everywhere` says that it is on every node
    whatever a stack says, and serves what its node gets: there is no number of it, and of the
    policies only Cluster is of use, which hides nobody's address then.
    """

    chart: str | None
    keys: Mapping[str, str] = field(default_factory=dict)
    decided: Callable[[Ingress], tuple[Decided, ...]]
    arguments: Arguments | None
    leaving: Leaving
    request: int | None = None
    health: bool = True
    one_ingress_a_host: bool = False
    tells_requests: bool = False
    everywhere: bool = False


def traffic_policy(ingress: Ingress, *keys: str) -> Decided:
    """The Service's externalTrafficPolicy, which the stack says elsewhere."""
    if ingress.external_traffic_policy == "Local":
        return Decided(
            keys=keys,
            why="hides clients' addresses, and has no health check by node",
            allowed=only("Local"),
            right="remove it or write Local",
        )
    said = "platform.ingress.external_traffic_policy"
    return Decided(
        keys=keys,
        why=f"is not {said} (Cluster)",
        allowed=only("Cluster"),
        right=f"say it in {said}",
    )


def placed(
    ingress: Ingress, kind: tuple[str, ...], words: tuple[object, object], replicas: tuple[str, ...]
) -> tuple[Decided, Decided]:
    """What the pods belong to, by what the chart says for a DaemonSet and a Deployment (`words`, or
    true and false), and how many they are."""
    said = "platform.ingress.replicas"
    if ingress.replicas is None:
        why, word = "leaves nodes without an ingress to answer the balancers", words[0]
    else:
        why, word = f"is not what {said} ({ingress.replicas}) needs", words[1]
    return (
        Decided(keys=kind, why=why, allowed=only(word)),
        Decided(keys=replicas, why=f"is said by {said}", allowed=only(ingress.replicas)),
    )
