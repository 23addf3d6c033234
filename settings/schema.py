"""JSON schema of a whole stack file (Pulumi.STACK.yaml), for editors.

It says what the models say; what only the whole-stack checks know (collisions, subnets) is not in
it. Descriptions come from the models' docstrings.
"""

from __future__ import annotations

from typing import Any

from settings.keys import SECRETS
from settings.models.stack import Stack
from settings.problems import NAMESPACE

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def stack_file_schema() -> dict[str, Any]:
    """The schema as plain JSON values."""
    stack = Stack.model_json_schema(mode="validation")
    sections = stack["properties"]
    properties = {f"{NAMESPACE}:{name}": sections[name] for name in Stack.model_fields}
    for name, meaning in SECRETS.items():
        properties[f"{NAMESPACE}:{name}"] = {
            "description": f"Secret: {meaning}. Set it with "
            f"`pulumi config set --secret {NAMESPACE}:{name}`.",
            "type": "object",
            "properties": {"secure": {"type": "string", "description": "Ciphertext."}},
            "required": ["secure"],
            "additionalProperties": False,
        }
    config: dict[str, Any] = {
        "type": "object",
        "description": Stack.__doc__,
        "properties": properties,
        "required": [f"{NAMESPACE}:{name}" for name in stack["required"]],
        "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:.+$": {}},
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "title": f"A stack of {NAMESPACE}",
        "type": "object",
        "properties": {
            "config": config,
            "secretsprovider": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "encryptionsalt": {"type": "string"},
            "environment": {"type": ["object", "array"]},
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": stack["$defs"],
    }
