"""The page: one HTML file that needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ops.checks.model import LAYERS, Seen
from ops.judge import Row
from ops.report import figures

WORDS = {"well": "well", "wrong": "not well", "silent": "silent", "unasked": "not asked"}
"""Of each state: colour alone would say nothing to some."""


def code(text: str) -> Markup:
    """What stands between backticks set as code; everything escaped."""
    pieces = [escape(each) for each in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def page(seen: Seen, rows: Sequence[Row]) -> str:
    """The report. `rows` are shown as they are: `ops.masking.without` comes before. Whatever a
    machine said is escaped."""
    text = (files("ops.report") / "templates" / "page.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters["code"] = code
    return environment.from_string(text).render(
        name=seen.site.name,
        environment=seen.site.stack.environment,
        at=f"{seen.now:%Y-%m-%d %H:%M} UTC",
        rows=rows,
        broken=[row for row in rows if not row.result.ok],
        layers=[
            (layer, [row for row in rows if row.layer == layer])
            for layer in LAYERS
            if any(row.layer == layer for row in rows)
        ],
        tiers=figures.tiers(seen, rows),
        certificates=figures.certificates_of(seen),
        backends=figures.backends(seen),
        pushes=figures.pushes(seen),
        words=WORDS,
    )
