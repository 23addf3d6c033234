"""The rules over a saved plan: `python -m policy.judge PLAN.json` (`-`: from stdin).

PLAN.json is what `pulumi preview --json` prints. The exit status is 0 when every rule holds, 1 when
one is broken, 2 when there is no plan to read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from policy.table import judged, verdict


class NoPlan(Exception):
    """The file holds no plan; the text says why."""


def read(path: str) -> dict[str, Any]:
    """A plan from a file, or from stdin for `-`. Raises `NoPlan`."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        # The command line may print words of its own before the object.
        plan: Any = json.loads(text[max(text.find("{"), 0) :])
    except (OSError, ValueError) as error:
        raise NoPlan(f"{path}: no plan to read: {error}") from None
    if not isinstance(plan, dict) or not isinstance(plan.get("steps"), list):
        raise NoPlan(f"{path}: no plan: it has no steps; make one with `pulumi preview --json`")
    return plan


def main(arguments: list[str]) -> int:
    """Prints the verdict; gives the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("python -m policy.judge PLAN.json\n")
        return 2
    try:
        found = judged(read(arguments[0]))
    except NoPlan as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{verdict(found)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
