"""The platform's shell texts, run on a control plane with the administrator's kubeconfig."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from components.host.text import environment
from components.platform.addon import MadeAhead, Object, Webhook
from components.platform.readback import Expected

_ENVIRONMENT = environment(Path(__file__).parent / "templates")


def _manifest(objects: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}, indent=1)


def webhook_guard(objects: Sequence[Object]) -> str:
    """Holds when the API accepts the objects in a server-side dry run, webhooks included."""
    return _ENVIRONMENT.get_template("webhook-guard.sh.j2").render(manifest=_manifest(objects))


def webhook_wait(objects: Sequence[Object], webhook: Webhook, seconds: int) -> str:
    """Asks until the API accepts the objects, at most `seconds`; then says its last words."""
    return _ENVIRONMENT.get_template("webhook.sh.j2").render(
        manifest=_manifest(objects), webhook=webhook, seconds=seconds
    )


def minted_guard(namespace: str, secret: MadeAhead) -> str:
    """Holds when the Secret is there, whoever made it."""
    return _ENVIRONMENT.get_template("minted-guard.sh.j2").render(
        namespace=namespace, secret=secret
    )


def mint(namespace: str, secret: MadeAhead) -> str:
    """Makes the Secret: 128 random bits, as base64, or certificates with their keys. What is secret
    is in no command line."""
    return _ENVIRONMENT.get_template(secret.template).render(namespace=namespace, secret=secret)


def service(namespace: str, name: str) -> str:
    """Prints a Service as the API has it, in JSON."""
    return _ENVIRONMENT.get_template("service.sh.j2").render(namespace=namespace, name=name)


def service_agrees(namespace: str, name: str, expected: Sequence[Expected], seconds: int) -> str:
    """Waits until the live Service has every value, those decided and any of the rest, at most
    `seconds`; then names each that it has not."""
    return _ENVIRONMENT.get_template("agrees.sh.j2").render(
        namespace=namespace, name=name, expected=expected, seconds=seconds
    )
