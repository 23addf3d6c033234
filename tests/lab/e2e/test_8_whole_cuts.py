"""A whole `up`, from nothing, cut off by a loss of power at a random moment: the next one brings it
to its end. `make test-all` runs it, CUTS times.
"""

from __future__ import annotations

import os
import random
import subprocess
import time

import pytest
from harness import cut, variant, variant_process

from lab import datacentre
from lab.probes import edge, inside
from lab.probes.result import until

pytestmark = pytest.mark.long

CUTS = int(os.environ.get("LAYERED_CLOUD_CUTS", "10"))
WHOLE = 150.0
"""Seconds within which a moment is drawn: about what an undisturbed `up` takes."""


@pytest.mark.parametrize("number", range(CUTS))
def test_a_whole_up_cut_at_a_random_moment_is_brought_to_its_end(
    number: int, first_up: subprocess.CompletedProcess[str]
) -> None:
    assert first_up.returncode == 0, first_up.stdout[-3000:] + first_up.stderr[-2000:]
    gone = variant("destroy")
    assert gone["ok"], gone["error"]
    # Drawn one from each tenth, so that ten of them leave no part of the `up` out.
    part = WHOLE / CUTS
    moment = part * (number + random.SystemRandom().random())
    child = variant_process("up")
    began = time.monotonic()
    while child.poll() is None and time.monotonic() < began + moment:
        time.sleep(0.05)
    early = child.poll() is not None
    cut(child)
    assert not early or child.returncode == 0, "the run failed before it was cut"
    print(f"cut {number}: after {time.monotonic() - began:.1f} s{', at its end' if early else ''}")

    again = variant("up")
    assert again["ok"], again["error"]
    # Another one than before: keys, certificates and the cluster are new.
    world = datacentre.world()
    inside.manifests_true(world)
    until(lambda: inside.cluster_ready(world), 120, "the cluster is not ready")
    until(lambda: edge.one_owner_each(world), 60, "the VIPs do not settle")
    until(lambda: edge.through_the_chain(world), 60, "the chain does not answer")
    third = variant("up")
    assert third["ok"], third["error"]
    assert third["changed"] == 0, third["steps"]
    print(f"the next one changed {again['changed']}, then none")
