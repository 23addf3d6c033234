"""What every ingress controller of the table owes, whichever it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.platform.ingress import CONTROLLERS
from settings.checks.platform_ingress import INGRESS, ingress_values_are_keys_of_the_chart
from settings.models import Stack
from tests.components import stacks
from tests.components.platform.platform_args import plain, site

SCHEMAS = Path(__file__).parents[4] / "shared" / "data" / "charts"
each_kind = pytest.mark.parametrize("word", sorted(CONTROLLERS))


def with_the_programs_own_values(word: str) -> Stack:
    ingress = plain().ingress
    chart = ingress.chart.model_copy(update={"values": CONTROLLERS[word].values(site(plain()))})
    chosen = ingress.model_copy(update={"kind": word, "chart": chart})
    platform = plain().model_copy(update={"ingress": chosen})
    return stacks.lab().model_copy(update={"platform": platform})


@each_kind
def test_what_the_program_writes_are_keys_of_the_chart(word: str) -> None:
    stack = with_the_programs_own_values(word)
    assert [str(each) for each in ingress_values_are_keys_of_the_chart(stack)] == []


@each_kind
def test_keys_stand_where_the_chart_has_them(word: str) -> None:
    keys = INGRESS[word].keys
    for place in filter(None, keys):
        holder, _, name = place.rpartition(".")
        assert name in keys[holder].split(), place


def test_no_key_of_f5s_schema_is_refused() -> None:
    path = SCHEMAS / "nginx-ingress.values.schema.json"
    if not path.is_file():
        pytest.skip(f"the schema {path.name} is not beside the checkout")
    schema = json.loads(path.read_text(encoding="utf-8"))
    for place, words in INGRESS["nginx"].keys.items():
        held = schema
        for step in filter(None, place.split(".")):
            held = held["properties"][step]
        assert set(held["properties"]) <= set(words.split()), place
