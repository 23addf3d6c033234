"""One lab for all end-to-end tests: it comes up once, and goes when they are done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from harness import ENV, lab, leftovers

from lab import datacentre
from lab.hypervisor import preflight
from lab.hypervisor.hypervisor import Hypervisor
from lab.paths import CHECKOUT, state_dir
from lab.probes.world import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder needs a lab."""
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def able() -> None:
    """Skips, saying what is lacking, where a lab cannot run."""
    lacking = preflight.check(state_dir())
    if lacking:
        pytest.skip("; ".join(str(each) for each in lacking))


@pytest.fixture(scope="session")
def killed_half_way(able: None) -> str:
    """`make up`, killed (SIGKILL, no chance to clean up) once some machines run."""
    lab("down", "--quiet")
    child = subprocess.Popen(
        [sys.executable, "-m", "lab", "up"],
        cwd=CHECKOUT,
        env=ENV,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 3600
        running = 0
        while time.monotonic() < deadline and child.poll() is None and running < 2:
            running = sum(machine.running for machine in Hypervisor().machines())
            time.sleep(0.2)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert running >= 2, "no machine ran before the kill"
    return f"killed with {running} machines running"


@pytest.fixture(scope="session")
def cleaned(killed_half_way: str) -> list[str]:
    """What is left after `make down` of a lab that was killed half way."""
    done = lab("down")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return leftovers()


@pytest.fixture(scope="session")
def first_up(cleaned: list[str]) -> Iterator[subprocess.CompletedProcess[str]]:
    """`make up` from nothing, its output."""
    done = lab("up", seconds=3600)
    yield done
    lab("down", "--quiet")


@pytest.fixture(scope="session")
def world(first_up: subprocess.CompletedProcess[str]) -> World:
    """The running lab."""
    assert first_up.returncode == 0, first_up.stdout[-5000:] + first_up.stderr[-3000:]
    return datacentre.world()
