"""What a topology says of keys that a stack leaves out, and nothing of those that it writes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from settings.files import examine, parse_stack
from settings.models.stack import Stack
from settings.models.topology import TOPOLOGIES, TopologyName, derived
from tests.settings.fixtures import patched

SMALL = {
    "/balancers/sizes": {"headers": 44, "url": 16},
    "/cdn/limits": {"headers": 40, "url": 16},
}


def stack(**given: Any) -> Stack:
    return parse_stack(patched({"set": {**SMALL, **given}}))


def test_every_word_has_a_row_and_the_first_says_nothing_of_others() -> None:
    assert set(TOPOLOGIES) == set(get_args(TopologyName))
    assert TOPOLOGIES["external"].unset == {}
    assert stack().topology == "external"


@pytest.mark.parametrize("word", sorted(TOPOLOGIES))
def test_a_key_that_is_fixed_stands_so_where_a_stack_says_nothing(word: TopologyName) -> None:
    topology = TOPOLOGIES[word]
    assert {key: topology.unset.get(key) for key in topology.fixed} == topology.fixed


def test_one_word_is_all_that_ciliums_ingress_takes() -> None:
    one = stack(**{"/topology": "cilium-ingress", "/platform/ingress": {}}).platform.ingress
    assert (one.kind, one.chart, one.external_traffic_policy) == ("cilium", None, "Cluster")
    assert (one.node_ports.http, one.node_ports.health) == (30080, None)


def test_what_a_stack_writes_stays() -> None:
    written = {"node_ports": {"http": 31080}, "load_balancer_ip": "198.18.10.205"}
    one = stack(**{"/topology": "cilium-ingress", "/platform/ingress": written}).platform.ingress
    assert (one.node_ports.http, one.node_ports.health) == (31080, None)
    assert str(one.load_balancer_ip) == "198.18.10.205"
    own = derived({"topology": "cilium-ingress", "platform": {"ingress": {"kind": "nginx"}}})
    assert own["platform"]["ingress"]["kind"] == "nginx"


def test_a_word_that_is_none_is_told_once_and_derives_nothing() -> None:
    told = examine(patched({"set": {"/topology": "metal"}})).problems
    assert [each.key for each in told] == ["layered-cloud:topology"]
    for odd in ([], 1, None, {"a": 1}):
        assert derived({"topology": odd, "platform": {}}) == {"topology": odd, "platform": {}}


@pytest.mark.parametrize("platform", ["text", None, [], {"ingress": "text"}, {"ingress": None}])
def test_a_section_that_is_no_mapping_is_left_to_those_who_read_it(platform: Any) -> None:
    said = {"topology": "cilium-ingress", "platform": platform}
    assert derived(said) == said


def test_another_section_that_cannot_be_read_hides_nothing_and_invents_nothing() -> None:
    given = {"/topology": "cilium-ingress", "/platform/ingress": {}, "/access/epoch": 0, **SMALL}
    told = examine(patched({"set": given})).problems
    assert [str(each) for each in told] == [
        "layered-cloud:access.epoch: 0 is too small; write at least 1"
    ]
