"""Which exporters the probe complains of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.network import Topology
from lab.paths import CHECKOUT
from lab.probes.exporters import read_on_management
from lab.probes.result import Broken
from lab.probes.world import World
from settings.files import load_stack

STACK = load_stack(CHECKOUT / "Pulumi.lab.yaml")
NODE = "http://198.18.0.11:9100/metrics"
HAPROXY = "http://198.18.0.21:8404/metrics"
GOOD = {"status": 200, "error": "", "text": "# TYPE up gauge\nup 1\ndown 0\n"}


@dataclass(frozen=True, kw_only=True)
class Said(World):
    """A lab whose exporters answer what the test has them say."""

    answers: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    open: frozenset[tuple[str, int]] = frozenset()

    def ask(self, place: str, name: str, spec: Mapping[str, Any], seconds: float = 120) -> Any:
        if name == "get":
            assert place == "runner"
            return [self.answers[f"http://{spec['address']}:{spec['port']}{spec['path']}"]]
        assert place == "router-a"
        ports = {first for first, _ in spec["ports"]}
        return [each for each in self.open if each[0] in spec["addresses"] and each[1] in ports]


def world(**said: Any) -> Said:
    given: dict[str, Any] = {
        "outputs": {"exporters": {"router-a": [NODE], "lb-a": [HAPROXY]}},
        "answers": {NODE: GOOD, HAPROXY: GOOD},
        **said,
    }
    return Said(stack=STACK, topology=Topology.default(), **given)


def test_figures_are_counted() -> None:
    assert read_on_management(world()) == "2 exporters of 2 machines, 4 figures"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"outputs": {}}, "the stack's output `exporters` names none"),
        (
            {"answers": {NODE: {"status": 0, "error": "refused"}, HAPROXY: GOOD}},
            f"{NODE}: refused",
        ),
        (
            {"answers": {NODE: GOOD, HAPROXY: {"status": 503, "error": ""}}},
            f"{HAPROXY}: status 503",
        ),
        (
            {"answers": {NODE: GOOD, HAPROXY: {**GOOD, "text": "# nothing\n"}}},
            f"{HAPROXY}: answers, and has no figures",
        ),
        (
            {"open": frozenset({("198.18.10.11", 8404)})},
            "router-a reaches them on the LAN: [('198.18.10.11', 8404)]",
        ),
    ],
)
def test_what_is_wrong_is_told(said: dict[str, Any], told: str) -> None:
    with pytest.raises(Broken) as broken:
        read_on_management(world(**said))
    assert str(broken.value) == told
