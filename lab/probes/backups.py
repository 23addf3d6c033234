"""The cluster's backups are young."""

from __future__ import annotations

import time

from components.cluster.backup import METRIC, TOLD
from lab.probes.result import promise
from lab.probes.world import World


def young(world: World) -> str:
    """Each control plane shipped a backup within twice its interval; one is due a quarter of an
    hour after its timer was armed, and a quarter of the interval at most."""
    backups = world.stack.cluster.backups
    if backups is None:
        return "the stack has none"
    seen = []
    for name in world.role("control_plane"):
        text = world.text(name, ["cat", TOLD])
        told = dict(line.split() for line in text.splitlines())
        last = int(told[f"{METRIC}_last_success_timestamp_seconds"])
        promise(told[f"{METRIC}_last_failed"] == "0", f"{name}: its last backup failed")
        age = (time.time() - last) / 3600
        promise(last > 0, f"{name} has shipped no backup yet")
        promise(age < 2 * backups.every_hours, f"{name}: its last backup is {age:.0f} hours old")
        seen.append(f"{name} {age:.1f} h")
    return ", ".join(seen)
