"""Order: clusters of real programs first, then what takes its time, then what only computes, and
last what needs a lab."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# A machine that has other work to do is no fault of what is tested.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

CLUSTERS = "tests/components/cluster/test_real_"
"""How the files are called that start a cluster of real programs (the mark `cluster`)."""
CONTRACTS = "tests/test_contracts_"
"""How the files are called that look at the previews of every shipped stack and variant."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A broken unit is known before a lab is built for it; of files abreast, those with daemons or
    with a time limit of their own begin first, and what is done in no time fills up the end."""
    begins: dict[Path, int] = {}
    for item in items:
        begins[item.path] = min(begins.get(item.path, 2), _place(item))
    items.sort(key=lambda item: (_has(item, "lab"), begins[item.path]))


def pytest_collection_finish() -> None:
    """What was imported stays: each full collection of garbage, which every run of an engine ends
    with, would look through all of it."""
    gc.collect()
    gc.freeze()


def _place(item: pytest.Item) -> int:
    if _has(item, "cluster"):
        return 0
    long = item.nodeid.startswith(CONTRACTS) or _has(item, "root") or _has(item, "timeout")
    return 1 if long else 2


def _has(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Files abreast (`--dist loadfile`), but real clusters in turn, since two starve each other,
    and contracts in one process, which makes each preview once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            together = (each for each in (CLUSTERS, CONTRACTS) if nodeid.startswith(each))
            return next(together, super()._split_scope(nodeid))

    return Files(config, log)
