"""Order: what needs no lab first, then the lab's own tests, file by file."""

from __future__ import annotations

import hypothesis
import pytest

# A machine that has other work to do is no fault of what is tested.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A broken unit is known before a lab is built for it."""
    items.sort(key=lambda item: item.get_closest_marker("lab") is not None)
