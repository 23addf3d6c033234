"""Names of properties, as the SDK has them and as the API has them."""

from __future__ import annotations

import re
from typing import Any


def snake(value: Any) -> Any:
    """A property value as the API names it."""
    if isinstance(value, dict):
        return {re.sub(r"([A-Z])", r"_\1", key).lower(): snake(each) for key, each in value.items()}
    return [snake(each) for each in value] if isinstance(value, list) else value


def camel(value: Any) -> Any:
    """An API value as the SDK names it."""
    if isinstance(value, dict):
        return {
            re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), key): camel(each)
            for key, each in value.items()
        }
    return [camel(each) for each in value] if isinstance(value, list) else value
