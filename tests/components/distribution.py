"""Whose daemons the tests run: the lab's own distribution's, or another's (`make daemons`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from lab.software import checkers, versions
from settings.models import DISTRIBUTIONS, DistributionName

VARIABLE = "LAYERED_CLOUD_TEST_DISTRIBUTION"
"""Environment: the distribution; the machines of the tests' stacks have it too."""
NAME = cast("DistributionName", os.environ.get(VARIABLE, versions.DEBIAN_SUITE))
ROW = DISTRIBUTIONS[NAME]


def tree() -> Path:
    """Where its daemons are."""
    return checkers.item(NAME).path / "root"


def lacking() -> str | None:
    """Why its daemons cannot run here, or None."""
    return checkers.lacking(NAME)
