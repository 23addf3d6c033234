"""The real engine over whole stacks, away from any network, with plugins that take anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from lab.engine import Engine, workspace
from lab.engine.engine import OFFLINE
from lab.paths import CHECKOUT
from lab.software import goitems
from lab.software.plugins import BUILT, executable, folder
from policy.table import judged
from tests import whole

Plan = dict[str, dict[str, Any]]
"""The inputs that the engine plans, by component, type and name."""


def stand_in(engine: Engine) -> None:
    """Puts a plugin that takes anything in place of those that are built."""
    for name in BUILT:
        target = engine.workdir.home / "plugins" / folder(name) / executable(name)
        target.unlink(missing_ok=True)
        words = f"env PYTHONPATH={CHECKOUT} {sys.executable} -m tests.any_plugin {name}"
        target.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        target.chmod(0o755)


def secrets(platform: str | None = None) -> dict[str, str]:
    """The secrets of a shipped stack, `platformSecrets` as given."""
    made = {f"layered-cloud:{key}": value for key, value in whole.SECRETS.items()}
    return made if platform is None else {**made, "layered-cloud:platformSecrets": platform}


@contextmanager
def engine_of(
    stack: str,
    config: Mapping[str, Any],
    platform_secrets: str | None = None,
    real: bool = False,
) -> Iterator[Engine]:
    """An engine with that stack, thrown away afterwards; with `real` it has the built plugins."""
    with workspace(
        stack,
        config=config,
        secrets=secrets(platform_secrets),
        throw_away=True,
        env={OFFLINE: "1"},
    ) as engine:
        if not real:
            stand_in(engine)
        yield engine


def planned(stack: str, config: Mapping[str, Any], platform_secrets: str | None = None) -> Plan:
    """What the engine plans; the rules hold for it."""
    with engine_of(stack, config, platform_secrets) as engine:
        plan = engine.preview_steps()
    assert [str(each) for each in judged(plan)] == []
    states = [each["newState"] for each in plan["steps"]]
    return {"::".join(each["urn"].split("::")[2:]): each.get("inputs", {}) for each in states}


def told(variant: str, platform_secrets: str) -> tuple[str, str]:
    """What a preview of a variant (`whole.VARIANTS`) shows, and that with all that it logs."""
    if not goitems.PULUMI.item.ready:
        pytest.skip("Pulumi is not built: python -m lab.software build --only pulumi")
    stack, changes = whole.VARIANTS[variant]
    with engine_of(stack, whole.config_of(stack, changes), platform_secrets) as engine:
        done = engine.preview(diff=True)
        return done.text, done.text + done.log.read_text(encoding="utf-8")
