"""The one way a file of the baseline is written: a template under a notice. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.text import environment

_TEMPLATES = environment(Path(__file__).parent / "templates")

NOTICE = "# Written by layered-cloud; changes made here are overwritten.\n"


def render(template: str, **values: object) -> str:
    """One template of the baseline, filled in, below the notice; a missing value is an error."""
    return NOTICE + _TEMPLATES.get_template(template).render(**values)
