"""Whether a machine waits for a reboot. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ops.checks.model import Check, Seen, Verdict, everybody, plural, texts
from ops.question import command, reading

FLAG = "/run/reboot-required"
REQUIRED = reading("reboot required", FLAG, f"{FLAG}.pkgs")
"""Written by packages that need one (Debian's and Ubuntu's update-notifier)."""
RUNNING = command("kernel", "uname", "-r")
INSTALLED = reading("kernels", "/boot/vmlinuz-*", names=True)
_RELEASE = re.compile(r"(\d+(?:[.-]\d+)*)(.*)")


def parts(release: str) -> tuple[list[int], str]:
    """The numbers of a kernel's release, and its flavour: `6.1.0-18-cloud-amd64` is
    ([6, 1, 0, 18], `-cloud-amd64`)."""
    matched = _RELEASE.fullmatch(release)
    if matched is None:
        return [], release
    return [int(each) for each in re.split(r"[.-]", matched[1])], matched[2]


def newer(running: str, installed: Iterable[str]) -> str | None:
    """The newest installed kernel of the running one's flavour, when that is newer. A machine
    without a kernel of its own (a container) has none."""
    numbers, flavour = parts(running)
    same = [each for each in installed if parts(each)[1] == flavour]
    newest = max(same, key=lambda each: parts(each)[0], default=None)
    return newest if newest is not None and parts(newest)[0] > numbers else None


def judge(seen: Seen) -> Verdict:
    """Of every machine that answers."""
    files, wrong = texts(seen, REQUIRED.name)
    for name, text in files.items():
        found: dict[str, str] = json.loads(text)
        if found:
            packages = sorted(set(found.get(f"{FLAG}.pkgs", "").split()))
            for_what = f" ({', '.join(packages[:6])})" if packages else ""
            wrong.append(f"{name}: a reboot is required{for_what}")
    running, more = texts(seen, RUNNING.name)
    kernels, yet = texts(seen, INSTALLED.name)
    for name, release in running.items():
        paths = json.loads(kernels.get(name, "{}"))
        installed = [each.removeprefix("/boot/vmlinuz-") for each in paths]
        if (waiting := newer(release.strip(), installed)) is not None:
            wrong.append(f"{name}: kernel {release.strip()} runs, {waiting} is installed")
    said = f"{plural(len(running), 'machine')} run what is installed"
    return Verdict(wrong=(*wrong, *more, *yet), said=said)


CHECK = Check(
    name="no reboot is pending",
    layer="machines",
    asks=everybody(REQUIRED, RUNNING, INSTALLED),
    judge=judge,
    remedy="reboot one machine after the other: of a pair first the one that holds no VIP; a node "
    "after `kubectl drain`",
    page="docs/ops.md#a-reboot-is-pending",
)
