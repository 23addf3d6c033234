"""Parts of the data path renewed while clients ask and hold streams: none of it is lost.

Before the drills: connections whose client is gone stay open at the ingress, and a pod of it that
is told to leave waits for them as long as it may.
"""

from __future__ import annotations

import pytest

from lab.probes.rollouts import ROLLOUTS, ingress_pods, loaded, replaced
from lab.probes.world import World

STREAM_SECONDS = 30
"""More than an ingress pod takes from its successor's start until it would be cut off."""


def test_a_stream_outlives_the_ingress_pod_that_carries_it(world: World) -> None:
    seen = loaded(
        world,
        lambda: replaced(world, *ingress_pods(world)),
        rate=50,
        streams=20,
        stream_seconds=STREAM_SECONDS,
    )
    print(seen)
    assert seen.streams >= 20
    assert (seen.lost, seen.streams_lost) == (0, 0), str(seen)


@pytest.mark.long
@pytest.mark.parametrize("name", ROLLOUTS)
def test_nothing_is_lost_while_a_part_is_renewed(name: str, world: World) -> None:
    print(ROLLOUTS[name](world))
