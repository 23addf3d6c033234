"""The machine's clock, where a certificate or a repository is refused for its date.

A machine that has just booted may not know the time yet: chrony steps its clock (makestep) once a
server has answered. An hour off later on is slewed for days, or has no server: that is for a
person.
"""

from __future__ import annotations

import time

from .run import run

SIGNS = (
    "is not valid yet",
    "not yet valid",
    "is expired",
    "uses expired certificate",
    "created in the future",
    "made in the future",
    "Not live until",
)
"""What apt, GnuTLS, gpgv and sqv say of a date, when the clock is wrong or the other side is."""

WAIT_TRIES, WAIT_SECONDS = 15, 2


def suspected(output: str) -> bool:
    return any(sign in output for sign in SIGNS)


def synchronised() -> bool | None:
    """Whether chrony follows a server; `None` where no chrony answers."""
    tracking = run(["chronyc", "-n", "tracking"], 10)
    if not tracking.ok:
        return None
    return any(
        line.startswith("Leap status") and line.split(":")[-1].strip() == "Normal"
        for line in tracking.output.splitlines()
    )


def settled() -> bool:
    """Wait, half a minute at most, for a chrony that is not synchronised yet; true if that did."""
    if synchronised() is not False:
        return False
    waiting = ["chronyc", "-n", "waitsync", str(WAIT_TRIES), "0", "0", str(WAIT_SECONDS)]
    return run(waiting, WAIT_TRIES * WAIT_SECONDS + 10).ok


def remedy() -> str:
    """The machine's time, who keeps it, and what to do if it is wrong."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    keeper, way = {
        True: ("chrony is synchronised", "step it with 'chronyc makestep'"),
        False: (
            "chrony is not synchronised, see 'chronyc sources'",
            "let it reach a server, then 'chronyc makestep'",
        ),
        None: ("no chrony answers", "set it with 'date --utc --set=…'"),
    }[synchronised()]
    return (
        f"This machine's clock says {now} ({keeper}). If that is wrong, {way} and run again; "
        "if it is right, the repository's own dates are at fault."
    )
