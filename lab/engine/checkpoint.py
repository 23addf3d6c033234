"""A stack's outputs, read from the file of its state: a question to the command line takes seconds.

The file is Pulumi's (`sdk/go/common/apitype`, DeploymentV3); a secret in it is an object with a
signature and a ciphertext of the JSON text of its value (`pkg/resource/stack/deployment.go`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lab.engine.secrets import Crypter
from lab.engine.workdir import WorkDir
from lab.plugins.wire import SECRET_SIGNATURE, SIGNATURE

_STACK = "pulumi:pulumi:Stack"


def outputs(workdir: WorkDir) -> Mapping[str, Any]:
    """The outputs as they lie there, secrets sealed; none before the first run."""
    for resource in _latest(workdir).get("resources") or ():
        if resource["type"] == _STACK:
            found: dict[str, Any] = resource.get("outputs") or {}
            return found
    return {}


def opened(workdir: WorkDir, sealed: Mapping[str, Any]) -> dict[str, Any]:
    """The same in clear."""
    if not any(map(holds_secret, sealed.values())):
        return dict(sealed)
    provider = _latest(workdir)["secrets_providers"]["state"]
    crypter = Crypter.of(workdir.passphrase.read_text(), provider["salt"])
    return {name: _open(value, crypter) for name, value in sealed.items()}


def holds_secret(value: Any) -> bool:
    """Whether a value of the state is a secret, or has one within."""
    if isinstance(value, dict):
        return value.get(SIGNATURE) == SECRET_SIGNATURE or any(map(holds_secret, value.values()))
    return isinstance(value, list) and any(map(holds_secret, value))


def _open(value: Any, crypter: Crypter) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return _open(json.loads(crypter.decrypt(value["ciphertext"])), crypter)
        return {key: _open(each, crypter) for key, each in value.items()}
    return [_open(each, crypter) for each in value] if isinstance(value, list) else value


def _latest(workdir: WorkDir) -> dict[str, Any]:
    for path in workdir.backend.glob(f".pulumi/stacks/*/{workdir.stack}.json"):
        found: dict[str, Any] = json.loads(path.read_text()).get("checkpoint", {}).get("latest")
        return found or {}
    return {}
