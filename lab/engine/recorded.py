"""A preview's steps as the engine's own JSON has them (`pulumi preview --json`), from its events:
so that one run can be shown to people and judged by programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.plugins.wire import SECRET_SIGNATURE, SIGNATURE


class Recorded:
    """The steps of one run. A secret is `[secret]`: the events do not hold what it is."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []

    def see(self, event: Any) -> None:
        """Takes one engine event (called from another thread)."""
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if not step:
            return
        found: dict[str, Any] = {"op": str(getattr(step.op, "value", step.op)), "urn": step.urn}
        for key, state in (("oldState", step.old), ("newState", step.new)):
            if state:
                found[key] = {
                    "urn": step.urn,
                    "type": step.type,
                    "inputs": _shown(state.inputs or {}),
                    "protect": bool(state.protect),
                }
        for key, paths in (
            ("replaceReasons", step.keys),
            ("diffReasons", step.diffs),
            ("detailedDiff", sorted(step.detailed_diff or ())),
        ):
            if paths:
                found[key] = list(paths)
        self.steps.append(found)

    def plan(self) -> dict[str, Any]:
        """`{"steps": [...]}`."""
        return {"steps": self.steps}


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return "[secret]"
        return {key: _shown(each) for key, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value
