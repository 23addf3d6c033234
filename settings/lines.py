"""Secrets that are lines of names and values: whether every name that a stack asks for has one."""

from __future__ import annotations

from collections.abc import Mapping

from settings.keys import command
from settings.models.stack import Stack
from settings.problems import NAMESPACE, Problem


def judge_lines(given: Mapping[str, str], stack: Stack, stack_name: str) -> list[Problem]:
    """What is wrong with `bgpPasswords` and `platformSecrets`, where they are `given` in the form
    they have: names that lack a line, or have more than one.
    `stack_name` stands in the commands that mend it."""
    return [
        *_told_twice(given, stack_name),
        *_passwords(given, stack, stack_name),
        *_references(given, stack, stack_name),
    ]


def _told_twice(given: Mapping[str, str], stack_name: str) -> list[Problem]:
    """Lines of one name: the last would count, and nobody sees which that is."""
    found: list[Problem] = []
    for secret in ("bgpPasswords", "platformSecrets"):
        named = [line.partition("=")[0] for line in given.get(secret, "").strip().split("\n")]
        found += [
            Problem(
                key=f"{NAMESPACE}:{secret}",
                wrong=f"has more than one line for {name}",
                right=f"leave one, and run: {command(secret, stack_name)}",
            )
            for name in dict.fromkeys(named)
            if named.count(name) > 1
        ]
    return found


def _passwords(given: Mapping[str, str], stack: Stack, stack_name: str) -> list[Problem]:
    """Sessions whose password `bgpPasswords` does not have."""
    bgp, text = stack.routers.bgp, given.get("bgpPasswords")
    if bgp is None or text is None:
        return []
    named = {line.partition("=")[0] for line in text.split()}
    return [
        Problem(
            key=f"{NAMESPACE}:bgpPasswords",
            wrong=f"has no line for {name}, whose sessions have a password",
            right=f"add a line {name}=PASSWORD and run: {command('bgpPasswords', stack_name)}",
        )
        for name in bgp.passwords()
        if name not in named
    ]


def _references(given: Mapping[str, str], stack: Stack, stack_name: str) -> list[Problem]:
    """Keys of the platform's Secrets whose value `platformSecrets` does not have."""
    text = given.get("platformSecrets")
    if text is None:
        return []
    named = {line.partition("=")[0] for line in text.strip().split("\n")}
    return [
        Problem(
            key=f"{NAMESPACE}:platformSecrets",
            wrong=f"has no line for {each}",
            right=f"add a line {each}=VALUE and run: {command('platformSecrets', stack_name)}",
        )
        for each in dict.fromkeys(stack.references())
        if each not in named
    ]
