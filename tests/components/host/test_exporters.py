"""Where metrics are read."""

from __future__ import annotations

import pytest

from components.host import Exporter
from components.host.exporters import gathered, urls
from tests.components import stacks


def test_an_exporter_is_read_on_the_leg_it_names() -> None:
    machine = stacks.machines(stacks.lab(), "balancer")[0]
    exporter = Exporter(name="node", network="management", port=9100, path="/m")

    assert urls(machine, [exporter]) == [f"http://{machine.address('management')}:9100/m"]
    with pytest.raises(KeyError, match="wan"):
        urls(machine, [Exporter(name="node", network="wan", port=9100)])


def test_gathered_exporters_are_one_list_a_machine_without_those_that_have_none() -> None:
    sources = [{"a": ["http://192.0.2.1:1/"], "b": []}, {"a": ["http://192.0.2.1:2/"]}]

    assert gathered(sources) == {"a": ["http://192.0.2.1:1/", "http://192.0.2.1:2/"]}
