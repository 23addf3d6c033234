"""What a run that was cut off had begun to make and could not finish.

The engine keeps such an operation in the state, and warns of it at every later run: only the
provider knows whether the resource was made. The next run makes it again, so the note is of no use.
"""

from __future__ import annotations

import json
from typing import Any

from lab.engine.workdir import WorkDir


def creations(workdir: WorkDir, stack: str) -> list[str]:
    """The URNs of what was being made, read from the file of the state itself (a question to the
    command line takes seconds)."""
    for path in workdir.backend.glob(f".pulumi/stacks/*/{stack}.json"):
        latest = json.loads(path.read_text()).get("checkpoint", {}).get("latest") or {}
        return [each["resource"]["urn"] for each in _pending(latest) if _creates(each)]
    return []


def without_creations(deployment: dict[str, Any]) -> dict[str, Any]:
    """The deployment (as `pulumi stack export` gives it) without those."""
    left = [each for each in _pending(deployment) if not _creates(each)]
    return {**deployment, "pending_operations": left}


def _pending(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    return list(deployment.get("pending_operations") or ())


def _creates(operation: dict[str, Any]) -> bool:
    return operation.get("type") == "creating"
