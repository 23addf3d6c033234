"""The daemons' own checkers, over the files of a router or a balancer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from components.host.part import Part
from lab.software import checkers
from tests.components import distribution, rendered

F = TypeVar("F", bound=Callable[..., Any])
_LACKING = distribution.lacking()


def real(test: F) -> F:
    """Marks a test that runs a real daemon."""
    skipped = pytest.mark.skipif(_LACKING is not None, reason=_LACKING or "")
    return pytest.mark.root(skipped(test))


def judge(
    argv: Sequence[str], files: dict[str, str], whole: Part
) -> subprocess.CompletedProcess[str]:
    """What a checker says of `files` on a machine with four legs; `whole` knows the scripts."""
    return checkers.run_checker(
        tuple(argv),
        files,
        interfaces=dict.fromkeys(("eth0", "eth1", "eth2", "eth3"), ()),
        modes=rendered.executable(whole),
        distribution=distribution.NAME,
    )
