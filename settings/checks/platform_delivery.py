"""Delivery: a repository that can be read without telling anybody, and values that a stack may not
undo.

Sources: the charts' values.yaml, flux2 2.18 and argo-cd 10.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from settings.checks.chart_keys import overlooked
from settings.checks.decided import Decided, off, on, undone
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_KINDS = "leaves the hand-over without its kinds"
_NOBODY = "leaves nobody to deliver"


@dataclass(frozen=True, kw_only=True)
class DeliveryRules:
    """What is judged of a kind's chart: its name, what a stack may not undo, the keys it has."""

    chart: str
    decided: tuple[Decided, ...]
    keys: Mapping[str, str]


FLUX: Final = DeliveryRules(
    chart="flux2",
    decided=(
        Decided(keys=("installCRDs",), why=_KINDS, allowed=on),
        Decided(keys=("sourceController", "create"), why=_NOBODY, allowed=on),
        Decided(keys=("kustomizeController", "create"), why=_NOBODY, allowed=on),
        Decided(keys=("rbac", "create"), why="may change nothing in the cluster", allowed=on),
        Decided(
            keys=("multitenancy", "enabled"),
            why="has the hand-over act for an account that may do nothing",
            allowed=off,
        ),
        Decided(
            keys=("watchAllNamespaces",),
            why="overlooks what the repository has for other namespaces",
            allowed=on,
        ),
    ),
    keys={
        "": """installCRDs crds multitenancy clusterDomain cli helmController
            imageAutomationController imageReflectionController kustomizeController
            notificationController sourceController sourceWatcher policies rbac logLevel
            watchAllNamespaces imagePullSecrets extraObjects prometheus distro""",
    },
)
ARGO_CD: Final = DeliveryRules(
    chart="argo-cd",
    decided=(
        Decided(keys=("crds", "install"), why=_KINDS, allowed=on),
        Decided(
            keys=("crds", "keep"), why="takes every Application away with the release", allowed=on
        ),
        Decided(keys=("createClusterRoles",), why="may change nothing in the cluster", allowed=on),
        Decided(keys=("namespaceOverride",), why="is not where the hand-over is"),
        Decided(
            keys=("configs", "cm", "timeout.reconciliation"),
            why="is how often the repository is asked, which platform.delivery.every says",
        ),
    ),
    keys={
        "": """nameOverride fullnameOverride namespaceOverride kubeVersionOverride
            apiVersionOverrides createAggregateRoles createClusterRoles openshift crds global
            configs controller dex redis redis-ha externalRedis redisSecretInit server repoServer
            applicationSet notifications commitServer extraObjects""",
    },
)
DELIVERY: Final[Mapping[str, DeliveryRules]] = {"flux": FLUX, "argo-cd": ARGO_CD}
"""By the word of `platform.delivery.kind`."""
_VALUES = "platform.delivery.chart.values"


@reads("platform")
def delivery_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """It knows its kinds, and may do what the repository says."""
    given = stack.platform.delivery
    if given is not None:
        rules = DELIVERY[given.kind]
        yield from undone(_VALUES, given.chart.values, rules.decided)
        yield from overlooked(_VALUES, given.chart.values, rules.chart, rules.keys)


@reads("platform")
def delivery_chart_is_of_its_kind(stack: Stack) -> Iterator[Problem]:
    """The values are those of one chart; a copy of it under another name is taken as it is."""
    given = stack.platform.delivery
    if given is None:
        return
    name = given.chart.last_word
    others = {rules.chart: kind for kind, rules in DELIVERY.items() if kind != given.kind}
    if name in others:
        yield problem(
            "platform.delivery.chart.chart",
            given.chart.chart,
            f"is what platform.delivery.kind calls {others[name]}, and it says {given.kind}",
            f"write {DELIVERY[given.kind].chart}, or the other kind",
        )


@reads("platform")
def the_repository_is_read_in_secret(stack: Stack) -> Iterator[Problem]:
    """A URL stands in the stack file and in the cluster's objects; what goes by plain HTTP is read
    by who is on the way."""
    given = stack.platform.delivery
    if given is None:
        return
    here = "platform.delivery.repository"
    parts = urlsplit(given.repository)
    if parts.username is not None:
        wrong = "has the user in it, in clear text"
        right = "leave it out, and write credentials: true"
        yield problem(here, ABSENT, wrong, right)
    if given.credentials and parts.scheme != "https":
        wrong = "is asked in clear text, the password with it"
        yield problem(here, given.repository, wrong, "write https://")
