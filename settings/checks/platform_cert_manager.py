"""cert-manager: issuers that can sign, and those that somebody names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.decided import Decided, off, on, only, undone
from settings.checks.registry import reads
from settings.models.platform import Demo
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

CERT_MANAGER: Final = (
    Decided(keys=("crds", "enabled"), why="leaves issuers without their kind", allowed=on),
    Decided(
        keys=("crds", "keep"),
        why="takes every certificate away with the release",
        allowed=on,
    ),
    Decided(keys=("installCRDs",), why="is the old name of crds.enabled", allowed=off),
    Decided(
        keys=("clusterResourceNamespace",),
        why="is not where the issuers' Secrets are",
        allowed=only("", "cert-manager"),
    ),
    Decided(
        keys=("namespace",),
        why="is not where the program looks for it",
        allowed=only("", "cert-manager"),
    ),
)


@reads("platform")
def cert_manager_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """With its kinds, its Secrets beside it."""
    given = stack.platform.cert_manager
    if given is not None:
        yield from undone("platform.cert_manager.chart.values", given.chart.values, CERT_MANAGER)


@reads("platform")
def issuers_can_sign(stack: Stack) -> Iterator[Problem]:
    """Each has what its way of proving needs, and a name of its own."""
    given = stack.platform.cert_manager
    seen: dict[str, int] = {}
    for index, issuer in enumerate([] if given is None else given.issuers):
        here = f"platform.cert_manager.issuers[{index}]"
        if seen.setdefault(issuer.name, index) != index:
            wrong = f"is platform.cert_manager.issuers[{seen[issuer.name]}] already"
            yield problem(f"{here}.name", issuer.name, wrong, "call this issuer otherwise")
        if not issuer.traits.writes and issuer.email is not None:
            wrong = "is of no use to an authority of one's own, which writes to nobody"
            yield problem(f"{here}.email", issuer.email, wrong, "remove it")
        if not issuer.traits.writes and "server" in issuer.model_fields_set:
            wrong = "is asked by nobody: an authority of one's own signs inside the cluster"
            right = "remove it, or write an ACME kind"
            yield problem(f"{here}.server", issuer.server, wrong, right)
        if issuer.traits.zones and not issuer.zones:
            wrong = "are missing: the token at Cloudflare is for certain zones"
            yield problem(f"{here}.zones", ABSENT, wrong, "write the zones of the names")
        if not issuer.traits.zones and issuer.zones:
            wrong = f"are of no use to {issuer.kind}, which writes no record"
            yield problem(f"{here}.zones", ABSENT, wrong, "remove them, or write acme-dns01")


@reads("platform")
def applications_have_their_issuers(stack: Stack) -> Iterator[Problem]:
    """Who signs for the demonstration and for services is there."""
    given = stack.platform.cert_manager
    names = [] if given is None else [each.name for each in given.issuers]
    asking: list[tuple[str, Demo | PublicService]] = [*walk(stack, Demo)]
    asking += walk(stack, PublicService)
    for path, each in asking:
        if each.issuer is not None and each.issuer not in names:
            right = f"write one of {', '.join(names)}" if names else "name it there, or remove it"
            wrong = "is none of platform.cert_manager.issuers"
            yield problem(f"{path}.issuer", each.issuer, wrong, right)
