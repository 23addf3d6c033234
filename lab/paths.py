"""Where the lab keeps things on the machine it runs on.

Two places, both outside the checkout: the *cache* (built software, base images; keyed by
version, survives `make down`) and the *state* (one running lab; gone after `make down`).
"""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def cache_dir() -> Path:
    """The cache: `$LAYERED_CLOUD_CACHE`, else `layered-cloud` in the user's cache folder."""
    chosen = os.environ.get("LAYERED_CLOUD_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "layered-cloud"


def state_dir() -> Path:
    """The state of the one running lab: `$LAYERED_CLOUD_STATE`, else /var/lib/layered-cloud."""
    return Path(os.environ.get("LAYERED_CLOUD_STATE", "/var/lib/layered-cloud"))
