"""What a new stack is written with: one place, which the shipped stacks agree with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from settings.files import examine, read_config
from settings.init.ingress import INGRESSES
from settings.models.charts import Chart
from settings.models.stack import Stack
from settings.pinned import CHARTS, CONTAINERD, KUBERNETES, PinnedChart, minor
from tests.settings.test_init_choices import made_of

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ("Pulumi.dev.yaml", "Pulumi.prod.yaml")
"""Those for machines of one's own; the lab's runs what lab/software builds."""


def charts_of(value: object) -> Iterator[Chart]:
    """Every chart of a stack, wherever it stands in the model."""
    if isinstance(value, Chart):
        yield value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from charts_of(getattr(value, name))
    elif isinstance(value, list):
        for each in value:
            yield from charts_of(each)


def stack_in(text: str, name: str) -> Stack:
    found = examine(read_config(text, name))
    assert found.stack is not None, found.problems
    return found.stack


def pinned(chart: Chart) -> PinnedChart:
    assert chart.repository is not None
    return PinnedChart(chart=chart.chart, repository=chart.repository, version=chart.version)


def agrees(stack: Stack) -> None:
    found = [pinned(each) for each in charts_of(stack)]
    assert found == [CHARTS[each.chart] for each in found]
    assert stack.cluster.kubernetes_version == KUBERNETES
    assert stack.cluster.containerd.version == CONTAINERD
    repository = stack.software.kubernetes_repository
    assert repository is not None
    assert [f"/v{minor(KUBERNETES)}/" in uri for uri in repository.uris] == [True]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_stack_has_what_a_new_one_is_written_with(name: str) -> None:
    stack = stack_in((ROOT / name).read_text("utf-8"), name)
    assert sorted(each.chart for each in charts_of(stack)) == ["cilium", "metallb", "traefik"]
    agrees(stack)


def test_a_new_stack_has_them_whatever_is_answered() -> None:
    written = set()
    speaking = ({}, {"asn": "64512", "inside-asn": "64513"})
    for ingress, monitoring, bgp in itertools.product(INGRESSES, ("no", "webhook"), speaking):
        found = made_of({"ingress": ingress, "monitoring": monitoring, **bgp})
        assert found.stack is not None, found.told
        agrees(found.stack)
        written |= {each.chart for each in charts_of(found.stack)}
    assert written == set(CHARTS), "what init never writes is pinned for nobody"
