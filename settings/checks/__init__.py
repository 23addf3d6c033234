"""Whole-stack checks: pure functions over a `Stack`, each a rule a network engineer would state.

A check says which sections it reads, so that it still runs when another section is broken.
"""

from __future__ import annotations

from collections.abc import Collection

from settings.checks import (
    addresses,
    cluster,
    machines,
    ports,
    ranges,
    registry,
    software,
    texts,
    tls,
    vrrp,
)
from settings.checks.pending import pending
from settings.models.stack import Stack
from settings.problems import Problem

__all__ = ["check", "pending"]

MODULES = (addresses, ranges, vrrp, machines, ports, tls, cluster, software, texts)
"""Every module of checks; importing one enrols what it holds."""


def check(stack: Stack, without: Collection[str] = ()) -> list[Problem]:
    """Every problem of the stack as a whole, in the order of the checks.

    `without` names sections that `stack` lacks (they could not be read); checks that need one of
    them are left out.
    """
    found: list[Problem] = []
    for rule in registry.RULES:
        if rule.sections.isdisjoint(without):
            found += rule.run(stack)
    return list({str(each): each for each in found}.values())
