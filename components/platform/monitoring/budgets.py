"""Alerts of public services: how fast each uses up the errors that it may have. Pure.

Sources: Google's Site Reliability Workbook, chapter 5, "Alerting on SLOs" (approach 6, multiwindow,
multi-burn-rate alerts, and its table of windows and rates for 30 days); HAProxy's Prometheus
exporter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.platform.addon import Object
from settings.models import PublicService

RULES = "layered-cloud-services"
"""The name of their rules among the chart's."""
RATIO = "layered_cloud:service_errors:ratio_"
"""A series for each service and window: which part of its answers was a server error."""
FEWEST = 10
"""Errors within the longer window below which nobody is told: a share of few requests says
nothing."""


@dataclass(frozen=True, kw_only=True)
class Burn:
    """`rate` times as fast as the budget allows, over both windows: the longer one tells that it
    matters, the shorter one that it goes on."""

    rate: float
    longer: str
    shorter: str
    severity: str


BURNS = (
    Burn(rate=14.4, longer="1h", shorter="5m", severity="critical"),
    Burn(rate=6, longer="6h", shorter="30m", severity="critical"),
    Burn(rate=1, longer="3d", shorter="6h", severity="warning"),
)
"""A fiftieth of the month's budget in an hour, a twentieth in six, a tenth in three days."""


def groups(services: Sequence[PublicService]) -> list[Object]:
    """One group a service that has a budget, none for the others."""
    return [
        {"name": f"{RULES}-{each.name}", "rules": [*_ratios(each), *_alerts(each)]}
        for each in services
        if each.alert is not None
    ]


def _answers(service: PublicService, window: str, function: str, more: str = "") -> str:
    """Of both balancers and both schemes; an ingress that is away counts, as HAProxy answers for
    it under the same name."""
    proxies = f'job="haproxy", proxy=~"route_{service.name}_https?"'
    return f"sum({function}(haproxy_backend_http_responses_total{{{proxies}{more}}}[{window}]))"


def _ratios(service: PublicService) -> Iterator[Object]:
    windows = dict.fromkeys(each for burn in BURNS for each in (burn.shorter, burn.longer))
    for window in windows:
        errors = _answers(service, window, "rate", ', code="5xx"')
        yield {
            "record": f"{RATIO}{window}",
            "expr": f"{errors} / {_answers(service, window, 'rate')}",
            "labels": {"service": service.name},
        }


def _alerts(service: PublicService) -> Iterator[Object]:
    wanted = service.alert.availability if service.alert is not None else 100.0
    for burn in BURNS:
        most = f"{burn.rate * (100 - wanted) / 100:.6g}"
        chosen = f'{{service="{service.name}"}}'
        enough = _answers(service, burn.longer, "increase", ', code="5xx"')
        yield {
            "alert": "ServiceErrors",
            "expr": f"{RATIO}{burn.longer}{chosen} > {most} "
            f"and {RATIO}{burn.shorter}{chosen} > {most} and on () {enough} >= {FEWEST}",
            "labels": {"severity": burn.severity, "window": burn.longer},
            "annotations": {
                "summary": f"{{{{ $value | humanizePercentage }}}} of the answers of "
                f"{service.name} are 5xx, over {burn.longer}",
                "description": f"{service.name} ({', '.join(service.hosts)}) is to fail "
                f"{100 - wanted:.6g} % of its answers in thirty days at most, and fails "
                f"{burn.rate:g} times as many or more. Whose, the balancers' log says: backend "
                f"route_{service.name}_https.",
            },
        }
