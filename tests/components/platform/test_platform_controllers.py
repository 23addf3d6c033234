"""What every ingress controller of the table owes, whichever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform.ingress import CONTROLLERS, placement
from settings.checks.platform_ingress import INGRESS, ingress_values_are_keys_of_the_chart
from settings.models import Stack
from tests.components import stacks
from tests.components.platform.platform_args import plain, site

SCHEMAS = Path(__file__).parents[4] / "shared" / "data" / "charts"
each_kind = pytest.mark.parametrize("word", sorted(CONTROLLERS))
PLACED = [word for word in sorted(CONTROLLERS) if not INGRESS[word].everywhere]
"""Those of which a stack says how many there are."""


def chosen(word: str, **given: object) -> list[Any]:
    """Every value that the program writes for a platform with these settings of the ingress."""
    ingress = plain().ingress.model_copy(update=given)
    values = CONTROLLERS[word].values(site(plain().model_copy(update={"ingress": ingress})))
    return list(leaves(values))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def with_the_programs_own_values(word: str) -> Stack:
    ingress = plain().ingress
    assert ingress.chart is not None
    values = {"values": CONTROLLERS[word].values(site(plain()))}
    carried = CONTROLLERS[word].carrier is not None
    chart = None if carried else ingress.chart.model_copy(update=values)
    chosen = ingress.model_copy(update={"kind": word, "chart": chart})
    cilium = plain().cilium.model_copy(update=values if carried else {})
    platform = plain().model_copy(update={"ingress": chosen, "cilium": cilium})
    return stacks.lab().model_copy(update={"platform": platform})


def test_pods_that_are_so_many_are_shared_out_and_evicted_one_by_one() -> None:
    (constraint,) = placement.spread({"app": "it"})
    assert constraint["topologyKey"] == "kubernetes.io/hostname"
    ingress = plain().ingress
    assert placement.budget(ingress, "on") == {}
    so_many = ingress.model_copy(update={"replicas": 3})
    assert placement.budget(so_many, "on") == {"on": True, "maxUnavailable": 1}


def said_of_placement(word: str, **given: object) -> list[Any]:
    """What the values say at the places that the controller's rules keep for it: words, or a
    boolean, as its chart has them. The values are what these rules let through."""
    every = plain().ingress
    ingress = every.model_copy(update=given)
    rules = INGRESS[word].decided
    kept = zip(rules(every), rules(every.model_copy(update={"replicas": 7})), strict=True)
    places = [a.keys for a, b in kept if a.why != b.why and a.keys == b.keys]
    assert places, f"{word}: `placed` (settings/checks/platform_ingress_rules.py) in its `decided`"
    values = CONTROLLERS[word].values(site(plain().model_copy(update={"ingress": ingress})))
    found = [within(values, each) for each in places]
    allowed = {each.keys: each.allowed for each in rules(ingress)}
    for place, value in zip(places, found, strict=True):
        assert allowed[place](value), (word, place, value)
    return found


def within(values: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        values = values[key]
    return values


@pytest.mark.parametrize("word", PLACED)
def test_the_pods_of_a_controller_are_on_every_node_or_so_many(word: str) -> None:
    every, so_many = chosen(word), chosen(word, replicas=7)
    assert said_of_placement(word) != said_of_placement(word, replicas=7)
    assert 7 not in every
    assert 7 in so_many
    assert ("kubernetes.io/hostname" in so_many, "kubernetes.io/hostname" in every) == (True, False)


@each_kind
def test_a_service_has_the_policy_that_the_stack_says_and_no_health_port_where_all_answer(
    word: str,
) -> None:
    local, cluster = chosen(word), chosen(word, external_traffic_policy="Cluster")
    assert ("Local" in local, "Cluster" in local) == (True, False)
    assert ("Local" in cluster, "Cluster" in cluster) == (False, True)
    assert 30081 not in cluster


@each_kind
def test_what_the_program_writes_are_keys_of_the_chart(word: str) -> None:
    stack = with_the_programs_own_values(word)
    assert [str(each) for each in ingress_values_are_keys_of_the_chart(stack)] == []


@each_kind
def test_keys_stand_where_the_chart_has_them(word: str) -> None:
    keys = INGRESS[word].keys
    for place in filter(None, keys):
        holder, _, name = place.rpartition(".")
        # The values of Cilium's own chart are not listed: they are not the controller's alone.
        assert (not holder and "" not in keys) or name in keys[holder].split(), place


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


def test_no_value_of_haproxys_chart_is_refused() -> None:
    path = SCHEMAS / "haproxy-kubernetes-ingress.values.yaml"
    if not path.is_file():
        pytest.skip(f"the values {path.name} are not beside the checkout")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    for place, words in INGRESS["haproxy"].keys.items():
        held = values
        for step in filter(None, place.split(".")):
            held = held[step]
        assert set(held) <= set(words.split()), place
