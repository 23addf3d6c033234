"""Which control plane does what."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from components.cluster.control_planes import ControlPlanes


@dataclass(frozen=True)
class Plane:
    name: str


def planes(count: int, *unreachable: str) -> ControlPlanes[Plane]:
    return ControlPlanes([Plane(f"cp-{number}") for number in range(1, count + 1)], unreachable)


def names(machines: list[Plane]) -> list[str]:
    return [each.name for each in machines]


def test_the_first_of_the_settings_makes_the_cluster_and_is_asked() -> None:
    one = planes(1)
    assert one.founder == one.living == Plane("cp-1")
    assert not one.outlive_a_machine
    assert planes(3).outlive_a_machine


@pytest.mark.parametrize(
    ("unreachable", "living"),
    [((), "cp-1"), (("cp-2",), "cp-1"), (("cp-1",), "cp-2"), (("cp-1", "cp-2"), "cp-3")],
)
def test_whoever_does_not_answer_is_not_asked(unreachable: tuple[str, ...], living: str) -> None:
    five = planes(5, *unreachable)
    assert five.living.name == living
    assert five.founder.name == "cp-1"


def test_the_founder_asks_all_others_before_it_makes_a_cluster() -> None:
    three = planes(3)
    assert names(three.admitters(three.founder)) == ["cp-2", "cp-3"]
    assert planes(1).admitters(Plane("cp-1")) == []


def test_the_others_ask_one_that_is_not_themselves() -> None:
    assert names(planes(3).admitters(Plane("cp-2"))) == ["cp-1"]
    assert names(planes(3, "cp-1").admitters(Plane("cp-2"))) == ["cp-3"]
    assert names(planes(5, "cp-3").admitters(Plane("cp-1"))) == ["cp-2", "cp-4", "cp-5"]


def test_the_order_of_the_settings_chooses_and_nothing_else() -> None:
    """Who is first by now may be another one than made the cluster."""
    turned = ControlPlanes([Plane("cp-3"), Plane("cp-1"), Plane("cp-2")])
    assert turned.founder.name == "cp-3"
    assert names(turned.beside(turned.founder)) == ["cp-1", "cp-2"]
