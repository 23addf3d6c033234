"""The platform's shell texts: waiting until MetalLB's admission webhook judges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.host.text import environment

_ENVIRONMENT = environment(Path(__file__).parent / "templates")


def _manifest(objects: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}, indent=1)


def webhook_guard(objects: Sequence[dict[str, Any]]) -> str:
    """Holds when the API accepts the objects in a server-side dry run, webhooks included."""
    return _ENVIRONMENT.get_template("webhook-guard.sh.j2").render(manifest=_manifest(objects))


def webhook_wait(objects: Sequence[dict[str, Any]], seconds: int) -> str:
    """Asks until the API accepts the objects, at most `seconds`; then says its last words."""
    return _ENVIRONMENT.get_template("webhook.sh.j2").render(
        manifest=_manifest(objects), seconds=seconds
    )
