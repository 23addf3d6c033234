"""Values laid over values, and how times are written."""

from __future__ import annotations

import pytest

from components.host.text import merged, seconds


def test_merging_replaces_lists_and_merges_mappings() -> None:
    assert merged({"a": {"b": 1, "c": [1, 2]}, "d": 1}, {"a": {"c": [3]}, "d": {"e": 2}}) == {
        "a": {"b": 1, "c": [3]},
        "d": {"e": 2},
    }


@pytest.mark.parametrize(("value", "text"), [(0.3, "0.3"), (1, "1"), (2.505, "2.5"), (10, "10")])
def test_seconds_are_written_to_the_hundredth_without_zeros(value: float, text: str) -> None:
    assert seconds(value) == text
