"""The end of the lab: the last of these tests, as nothing can be asked of it afterwards."""

from __future__ import annotations

from harness import lab, leftovers

from lab.hypervisor.hypervisor import Hypervisor
from lab.probes.world import World


def test_make_down_with_a_machine_already_off_ends_clean(world: World) -> None:
    Hypervisor().power_off(world.role("worker")[-1])
    done = lab("down")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert leftovers() == []
