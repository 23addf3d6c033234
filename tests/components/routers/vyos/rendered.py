"""Texts and configurations of a stack's VyOS routers."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface

from components.routers.texts import Texts
from components.routers.vyos.script import texts
from settings.models import Stack
from tests.components import rendered

SECONDS = 75


def script(stack: Stack, name: str, *, cdn: list[str] | None = None, epoch: str = "1") -> Texts:
    """Both texts of the router `name`."""
    model = rendered.routers_model(stack)
    return texts(
        model,
        model.member(name),
        cdn or rendered.ranges(stack),
        networks=stack.networks,
        virtual=bool(stack.routers.machines),
        epoch=epoch,
        confirm_seconds=SECONDS,
    )


def commands(given: Texts) -> list[str]:
    """The `delete` and `set` commands of a script."""
    (block,) = re.findall(r"3<<'COMMANDS'\n(.*?)\nCOMMANDS\n", given.script, re.DOTALL)
    return str(block).splitlines()


def lines(given: Texts) -> list[str]:
    """The configuration that a script leaves of what it owns."""
    return [each.removeprefix("set ") for each in commands(given) if each.startswith("set ")]


def interfaces(stack: Stack, name: str) -> dict[str, IPv4Interface]:
    """The router's legs by interface."""
    return {leg.interface: leg.address for leg in rendered.routers_model(stack).member(name).legs()}
