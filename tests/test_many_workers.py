"""A large stack costs what its workers are, each the same: few resources, read in little time."""

from __future__ import annotations

from collections import Counter

from settings.files import examine
from tests import whole
from tests.components.mocks import Registered

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
