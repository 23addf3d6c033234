"""Errors that are meant for people: a line a problem, and nothing else shown."""

from __future__ import annotations

import pulumi
import pytest

from components.host.errors import HostError, LayerError
from tests.components.mocks import run_program


def test_a_layer_names_every_problem_at_once() -> None:
    error = LayerError("cluster", ["no workers", "no LAN address"])
    assert str(error) == "cluster:\n  - no workers\n  - no LAN address"
    assert error.problems == ("no workers", "no LAN address")


@pytest.mark.parametrize("kind", [HostError, LayerError])
def test_pulumi_itself_shows_no_traceback_for_it(kind: type[Exception]) -> None:
    assert issubclass(kind, pulumi.RunError)


def test_a_layers_error_comes_whole_out_of_an_output_that_is_an_input() -> None:
    def refuse(_: str) -> str:
        raise LayerError("cluster", ["no workers"])

    def program() -> None:
        late = pulumi.Output.from_input("late")
        pulumi.CustomResource("test:index:Thing", "thing", {"text": late.apply(refuse)})

    with pytest.raises(LayerError, match=r"^cluster:\n  - no workers$"):
        run_program(program)
