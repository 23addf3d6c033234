"""Which control plane does what."""

from __future__ import annotations

from dataclasses import replace

from components.cluster.control_planes import ControlPlanes
from tests.components import stacks


def test_the_first_of_the_settings_makes_the_cluster_and_one_that_is_there_is_asked() -> None:
    (first,) = stacks.machines(stacks.lab(), "control_plane")
    planes = ControlPlanes([first, replace(first, name="cp-2")])
    assert planes.founder is first
    assert planes.living in planes.machines
