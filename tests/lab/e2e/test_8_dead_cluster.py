"""A destroy with a dead cluster. It leaves no lab standing: what follows makes its own."""

from __future__ import annotations

import subprocess

import pytest
from harness import take_api_away, variant

from lab import datacentre
from lab.hypervisor.hypervisor import Hypervisor

pytestmark = pytest.mark.long


def test_a_dead_cluster_holds_up_no_destroy(first_up: subprocess.CompletedProcess[str]) -> None:
    assert first_up.returncode == 0, first_up.stdout[-3000:] + first_up.stderr[-2000:]
    take_api_away(datacentre.world())
    gone = variant("destroy")
    assert gone["ok"], gone["error"]
    assert Hypervisor().machines() == []
