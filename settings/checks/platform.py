"""The platform: charts and images pinned, ports and pool of its own."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.charts import Chart
from settings.models.platform import Demo
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem

_MOVING = ("", "edge", "latest", "main", "master", "nightly", "stable")


@reads("platform")
def charts_are_pinned(stack: Stack) -> Iterator[Problem]:
    """An exact version from a known place: the same plan tomorrow as today."""
    for path, chart in walk(stack, Chart):
        local = "/" in chart.chart
        if chart.repository is None and not local:
            yield problem(
                f"{path}.repository",
                None,
                f"leaves nowhere to find the chart {chart.chart}",
                "write the repository, or a path or oci:// reference as the chart",
            )
        if chart.repository is not None and local:
            # As `helm install` names one of a repository that was added under a name.
            added = chart.chart.count("/") == 1 and chart.chart[0] not in "./"
            yield problem(
                f"{path}.repository",
                chart.repository,
                f"is not asked for {chart.chart}, which says itself where it is",
                f"write chart: {chart.last_word}"
                if added
                else "remove it, or write the chart's name alone",
            )
    run: list[tuple[str, Demo | PublicService]] = [*walk(stack, Demo)]
    run += walk(stack, PublicService)
    for path, one in run:
        if one.image is not None and not _pinned(one.image):
            yield problem(
                f"{path}.image",
                one.image,
                "may be another image tomorrow",
                "write a tag other than latest, or a digest",
            )


def _pinned(image: str) -> bool:
    if "@sha256:" in image:
        return True
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return bool(colon) and tag not in _MOVING


@reads("platform")
def node_ports_are_distinct(stack: Stack) -> Iterator[Problem]:
    """One NodePort, one service; null is discovered and cannot collide."""
    seen: dict[int, str] = {}
    for key in ("http", "https", "health"):
        port = getattr(stack.platform.ingress.node_ports, key)
        if port is None:
            continue
        earlier = seen.setdefault(port, key)
        if earlier != key:
            yield problem(
                f"platform.ingress.node_ports.{key}",
                port,
                f"is platform.ingress.node_ports.{earlier} already",
                "choose another of 30000 to 32767, or null to discover it",
            )


@reads("platform")
def pool_is_one(stack: Stack) -> Iterator[Problem]:
    """Its ranges are apart, and the ingress' address is of one of them."""
    pools = stack.platform.metallb.pool
    for index, pool in enumerate(pools):
        for earlier, other in enumerate(pools[:index]):
            if pool.overlaps(other):
                yield problem(
                    f"platform.metallb.pool[{index}]",
                    pool.written,
                    f"overlaps platform.metallb.pool[{earlier}] ({other.written})",
                    "join the two ranges or move one",
                )
    wanted = stack.platform.ingress.load_balancer_ip
    if wanted is not None and not any(pool.holds(wanted) for pool in pools):
        yield problem(
            "platform.ingress.load_balancer_ip",
            wanted,
            f"is outside platform.metallb.pool ({', '.join(pool.written for pool in pools)})",
            "choose an address of the pool, or null to let MetalLB choose",
        )
