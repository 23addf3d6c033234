"""Errors that are meant for people: a line a problem, and nothing else shown."""

from __future__ import annotations

import pulumi
import pytest

from components.host.errors import HostError, LayerError


def test_a_layer_names_every_problem_at_once() -> None:
    error = LayerError("cluster", ["no workers", "no LAN address"])
    assert str(error) == "cluster:\n  - no workers\n  - no LAN address"
    assert error.problems == ("no workers", "no LAN address")


@pytest.mark.parametrize("kind", [HostError, LayerError])
def test_pulumi_itself_shows_no_traceback_for_it(kind: type[Exception]) -> None:
    assert issubclass(kind, pulumi.RunError)
