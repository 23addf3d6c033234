"""The one way a text of this layer is made from its template. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.text import environment

_ENVIRONMENT = environment(Path(__file__).parent / "templates")


def text(template: str, **values: object) -> str:
    """One template of this layer, filled in; a missing value is an error."""
    return _ENVIRONMENT.get_template(template).render(**values)
