"""What a table says of several runs."""

from __future__ import annotations

import pytest

from benchmark.figures import Goal, Spread, brief


def test_the_middle_is_the_median_whatever_the_order() -> None:
    assert Spread.of([9.0, 1.0, 2.0]) == Spread(least=1.0, middle=2.0, most=9.0)
    assert str(Spread.of([0.123, 45.678, 12.0, 1234.5])) == "0.12 / 28.8 / 1234"


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.00"), (9.994, "9.99"), (9.996, "10.0"), (99.94, "99.9"), (99.96, "100")],
)
def test_a_figure_has_three_digits_at_most(value: float, said: str) -> None:
    assert brief(value) == said


def test_no_runs_are_no_spread() -> None:
    with pytest.raises(ValueError, match="empty"):
        Spread.of([])


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (1.0, "10.0 times as fast as the faster of the two ways of Ansible (goal: 10 times as "),
        (1.1, "9.09 times as fast as the faster"),
        (20.0, "2.00 times as slow as the faster"),
    ],
)
def test_a_goal_is_held_against_the_faster_of_the_others(ours: float, said: str) -> None:
    judged = Goal(name="It", factor=10).judged([ours, 0.1, 100.0], [[30.0], [1.0, 10.0, 99.0]])
    assert judged.startswith(f"It: {said}")
    assert judged.endswith(": kept." if ours == 1.0 else ": **missed**.")
