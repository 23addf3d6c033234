"""Questions to Prometheus that several pages and kinds put alike. Pure.

Sources: Prometheus' page of functions (rate, histogram_quantile); Grafana's page on its Prometheus
data source (`$__rate_interval`).
"""

from __future__ import annotations

OVER = "$__rate_interval"
"""What Grafana puts there: four times as long as between two scrapes, or more on a coarse graph."""


def rate(series: str, *by: str) -> str:
    """How much a counter grows a second, summed up `by` labels; by none, to one value."""
    return f"{_over('sum', by)} (rate({series}[{OVER}]))"


def mean_rate(series: str, *by: str) -> str:
    """The same, its mean in place of its sum: of a machine's cores, say."""
    return f"{_over('avg', by)} (rate({series}[{OVER}]))"


def growth(series: str, window: str, *by: str) -> str:
    """How much a counter grew within a window (`1h`), summed up alike."""
    return f"{_over('sum', by)} (increase({series}[{window}]))"


def quantile(share: float, buckets: str, *by: str) -> str:
    """Below which value this share of what a histogram counted lies."""
    return f"histogram_quantile({share:g}, {rate(buckets, 'le', *by)})"


def _over(what: str, by: tuple[str, ...]) -> str:
    return f"{what} by ({', '.join(by)})" if by else what
