"""Whole-stack checks: pure functions over a `Stack`, each a rule a network engineer would state.

One section's rules stand in the module of its name; those that relate several are named for what
they relate. A check says which sections it reads, so that it still runs when another is broken.
Every module of this package is imported here, and importing one enrols what it holds.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable

from settings.checks import registry
from settings.checks.pending import pending
from settings.models.stack import Stack
from settings.problems import Problem

__all__ = ["advise", "check", "pending"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

_ORDER = {name: index for index, name in enumerate(Stack.model_fields)}


def check(stack: Stack, without: Collection[str] = ()) -> list[Problem]:
    """Every problem of the stack as a whole, in the order of the sections they are found in.

    `without` names sections that `stack` lacks (they could not be read); checks that need one of
    them are left out.
    """
    return _found(registry.RULES, stack, without)


def advise(stack: Stack, without: Collection[str] = ()) -> list[Problem]:
    """What is odd about the stack and may be meant: warnings, in the same order."""
    return _found(registry.DOUBTS, stack, without)


def _found(rules: Iterable[registry.Rule], stack: Stack, without: Collection[str]) -> list[Problem]:
    found: list[Problem] = []
    for rule in rules:
        if rule.sections.isdisjoint(without):
            found += rule.run(stack)
    once = {str(each): each for each in found}.values()
    return sorted(once, key=lambda each: _ORDER[each.section])
