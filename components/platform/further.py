"""Further charts that a stack names (`platform.charts`): releases the program knows nothing of."""

from __future__ import annotations

from components.platform.addon import Addon, Site
from settings.models import FurtherChart


def addons(site: Site) -> tuple[Addon, ...]:
    """One an entry, with the stack's own values and no others."""
    return tuple(_addon(each) for each in site.settings.charts)


def _addon(chart: FurtherChart) -> Addon:
    return Addon(
        name=chart.name,
        namespace=chart.namespace,
        pod_security=chart.pod_security,
        chart=chart,
        secrets={each.name: tuple(each.keys) for each in chart.secrets},
        after=tuple(chart.after),
    )
