"""Dashboards as values, and the JSON of them that Grafana reads. Pure.

Sources: Grafana's dashboard kind (kinds/dashboard/dashboard_kind.cue: fields, the grid of 24
columns and schemaVersion 36, which newer Grafanas bring up to date as they read it) and its
reference of visualizations (time series, stat, bar gauge, state timeline); units by their ids
(@grafana/data, valueFormats).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any, Literal

Json = dict[str, Any]

SCHEMA = 36
COLUMNS = 24
TAG = "layered-cloud"
"""Of each dashboard: they are found by it, and lead to one another."""
VARIABLE = "datasource"
"""The variable that says which Prometheus is asked: Grafana's default one at first."""
SOURCE: Json = {"type": "prometheus", "uid": f"${{{VARIABLE}}}"}

Unit = Literal["none", "percentunit", "reqps", "ops", "pps", "s", "bytes", "Bps"]
"""`percentunit`: a share, 1 is all of it. `s`: from nanoseconds to years, as it fits."""
Shape = Literal["lines", "figure", "names", "bars", "states"]
"""`lines` over the time; a `figure` of now, with its course behind it; the `names` of what is there
now; `bars` of what is there now; `states`: for whom something held, over the time."""

FINE, DOUBTFUL, BAD = "green", "orange", "red"
FIRING = 'ALERTS{alertstate="firing", severity=~"critical|warning"}'
"""A series for each alert that fires and that somebody is told of."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What is asked, and how it is shown.

    `queries` are expressions by their legends (Grafana's: `{{label}}` is a label's value). `width`
    is in columns of 24. The axis is from `least` to `most`; None: as the values are. `steps` are
    colours from values on; below the first it is `base`. `hint` says what a reader cannot guess.
    """

    title: str
    unit: Unit
    queries: Mapping[str, str]
    shape: Shape = "lines"
    width: int = 8
    least: float | None = 0
    most: float | None = None
    base: str = FINE
    steps: Sequence[tuple[float, str]] = ()
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Panels below a heading, from left to right; without any there is no heading either."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A variable of a dashboard: values of a label, of which a reader chooses some or all."""

    name: str
    title: str
    series: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One page. `name` is in its uid and its file's name, and stays."""

    name: str
    title: str
    about: str
    sections: Sequence[Section]
    choices: Sequence[Choice] = ()

    @property
    def uid(self) -> str:
        """By which links find it (Grafana: 40 characters at most)."""
        return f"{TAG}-{self.name}"


@dataclass(frozen=True, kw_only=True)
class _Look:
    """A shape in Grafana's words: the visualization, how high it is, its options, and whether only
    the last moment is asked for."""

    visualization: str
    height: int
    options: Json
    custom: Json = field(default_factory=dict)
    instant: bool = False


_LAST: Json = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
_LEGEND: Json = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
}
_STAT: Json = {**_LAST, "colorMode": "value", "justifyMode": "auto", "orientation": "auto"}
_LOOKS: Mapping[Shape, _Look] = {
    "lines": _Look(
        visualization="timeseries",
        height=8,
        options={**_LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
        custom={"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never"},
    ),
    "figure": _Look(
        visualization="stat",
        height=4,
        options={**_STAT, "graphMode": "area", "textMode": "auto"},
    ),
    "names": _Look(
        visualization="stat",
        height=4,
        options={**_STAT, "graphMode": "none", "textMode": "name"},
        instant=True,
    ),
    "bars": _Look(
        visualization="bargauge",
        height=8,
        options={
            **_LAST,
            "displayMode": "basic",
            "orientation": "horizontal",
            "showUnfilled": True,
        },
        instant=True,
    ),
    "states": _Look(
        visualization="state-timeline",
        height=8,
        options={**_LEGEND, "mergeValues": True, "showValue": "never", "rowHeight": 0.8},
        custom={"fillOpacity": 70, "lineWidth": 0},
    ),
}
_HEADING = 1
"""How high the heading of a section is."""


def document(dashboard: Dashboard) -> Json:
    """The dashboard as Grafana reads it from a file."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": [TAG],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [_link()],
        "annotations": {"list": [_alerts()]},
        "templating": {"list": [_datasource(), *map(_variable, dashboard.choices)]},
        "panels": [
            {"id": number, **each} for number, each in enumerate(_placed(dashboard), start=1)
        ],
    }


def _placed(dashboard: Dashboard) -> Iterator[Json]:
    """Each section's heading and panels, one line of the grid below the other: a line is as high as
    its highest panel."""
    top = 0
    for section in dashboard.sections:
        if not section.panels:
            continue
        yield {
            "type": "row",
            "title": section.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": _HEADING},
        }
        top += _HEADING
        left = high = 0
        for panel in section.panels:
            if left + panel.width > COLUMNS:
                top, left, high = top + high, 0, 0
            height = _LOOKS[panel.shape].height
            place = {"x": left, "y": top, "w": panel.width, "h": height}
            yield {**_panel(panel), "gridPos": place}
            left, high = left + panel.width, max(high, height)
        top += high


def _panel(panel: Panel) -> Json:
    look = _LOOKS[panel.shape]
    steps = [(None, panel.base), *panel.steps]
    coloured = "thresholds" if panel.shape != "lines" else "palette-classic"
    return {
        "type": look.visualization,
        "title": panel.title,
        "description": panel.hint,
        "datasource": SOURCE,
        "targets": [
            _target(letter, legend, expression, look.instant)
            for letter, (legend, expression) in zip(
                ascii_uppercase, panel.queries.items(), strict=False
            )
        ],
        "options": look.options,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                **({} if panel.least is None else {"min": panel.least}),
                **({} if panel.most is None else {"max": panel.most}),
                "noValue": "none",
                "color": {"mode": coloured},
                "custom": look.custom,
                "thresholds": {
                    "mode": "absolute",
                    "steps": [{"value": value, "color": colour} for value, colour in steps],
                },
            },
            "overrides": [],
        },
    }


def _target(letter: str, legend: str, expression: str, instant: bool) -> Json:
    return {
        "refId": letter,
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
    }


def _link() -> Json:
    """To the other dashboards, which keep the time that is looked at."""
    return {
        "type": "dashboards",
        "title": "The chain",
        "tags": [TAG],
        "asDropdown": False,
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
    }


def _alerts() -> Json:
    """Alerts that fire, as marks over all panels."""
    return {
        "name": "Alerts",
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": BAD,
        "expr": FIRING,
        "titleFormat": "{{alertname}}",
        "textFormat": "{{instance}} {{address}} {{proxy}}",
        "step": "60s",
    }


def _datasource() -> Json:
    return {
        "type": "datasource",
        "name": VARIABLE,
        "label": "Prometheus",
        "query": "prometheus",
        "current": {"text": "default", "value": "default"},
        "hide": 0,
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "options": [],
    }


def _variable(choice: Choice) -> Json:
    asked = f"label_values({choice.series}, {choice.label})"
    return {
        "type": "query",
        "name": choice.name,
        "label": choice.title,
        "datasource": SOURCE,
        "query": {"query": asked, "refId": choice.name},
        "definition": asked,
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "options": [],
    }
