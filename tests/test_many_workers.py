"""A large stack costs what its workers are, each the same: few resources, read in little time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any
from unittest import mock

import pytest

from lab.software import goitems
from settings.files import examine
from tests import whole
from tests.components.mocks import Registered
from tests.offline import engine_of

MOST = 12
"""Resources a worker may be: a preview of 1,000 has that many thousand. Two are its turn in an
upgrade."""


def counted(workers: int) -> tuple[Registered, Counter[str]]:
    seen = whole.registered(whole.with_workers(workers))
    return seen, Counter(each.type for each in seen.resources)


def test_a_worker_is_few_resources_and_the_tenth_as_many_as_the_second() -> None:
    (_, two), (_, three), (seen, ten) = counted(2), counted(3), counted(10)
    one = three - two
    assert one.total() <= MOST, one
    assert ten - two == Counter({type_: 8 * count for type_, count in one.items()})
    named = [each.name for each in seen.resources if each.name.startswith("worker-10")]
    assert len(named) == one.total()


def test_no_input_of_one_worker_grows_with_the_others() -> None:
    """A preview that is even: what grew with the square would be minutes at a thousand."""
    sizes = []
    for workers in (2, 10):
        seen, _ = counted(workers)
        (push,) = [
            each for each in seen.of_type("command:remote:Command") if each.name == "worker-2-node"
        ]
        sizes.append(len(push.inputs["stdin"]))
    assert sizes[0] == sizes[1]


def test_the_largest_stack_that_is_measured_is_accepted() -> None:
    assert examine(whole.with_workers(1000)).problems == []


@pytest.mark.skipif(not goitems.PULUMI.item.ready, reason="Pulumi is not built")
def test_what_the_sdk_waits_for_grows_as_the_stack_does() -> None:
    """Before, each of 2,800 outstanding values of 40 workers was looked at 540 times: three
    quarters of the preview's time."""
    looked = []
    wait = asyncio.wait

    def looking(futures: Iterable[Any], **how: Any) -> Any:
        awaited = list(futures)
        looked.append(len(awaited))
        return wait(awaited, **how)

    with engine_of("prod", whole.with_workers(10)) as engine, mock.patch("asyncio.wait", looking):
        done = engine.preview(diff=False)
    resources = sum(done.changes.values())
    assert resources > 200
    assert sum(looked) < 5 * resources, f"{len(looked)} times, {sum(looked)} in all"
