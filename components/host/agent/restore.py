"""The way back: rolling a pending set back, the timed restore, its confirmation."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import files, packages, services
from .errors import Failure
from .run import run
from .store import Json, Store, write_atomically

BIN = Path("/var/lib/layered-cloud/bin")
BOOT_UNIT = Path("/etc/systemd/system/layered-cloud-recover.service")
BOOT_TEXT = """\
# Puts back a set of files whose push was cut by a power failure, before anything reads it.
[Unit]
Description=Put back half-pushed configuration
DefaultDependencies=no
After=local-fs.target
Before=network-pre.target sysinit.target shutdown.target
Conflicts=shutdown.target
ConditionPathExistsGlob=/var/lib/layered-cloud/*/pending.json

[Service]
Type=oneshot
WorkingDirectory=/var/lib/layered-cloud/bin
ExecStart=/usr/bin/python3 -m agent recover-at-boot

[Install]
WantedBy=sysinit.target
"""


def timer(layer: str) -> str:
    return f"layered-cloud-restore-{layer}"


def arm(layer: str, generation: str, seconds: float) -> None:
    """Have the old set back in `seconds`, whatever becomes of this push or of the network."""
    disarm(layer)
    outcome = run(
        [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit={timer(layer)}",
            f"--on-active={seconds:g}",
            "--timer-property=AccuracySec=100ms",
            f"--working-directory={BIN}",
            "/bin/bash",
            f"{BIN}/push.sh",
            "--restore",
            layer,
            generation,
        ]
    )
    if not outcome.ok:
        raise Failure("the timed restore could not be armed, so nothing is swapped", outcome.output)


def disarm(layer: str) -> None:
    """Stop the timer. The service it may already have started waits for the lock by itself."""
    run(["systemctl", "stop", f"{timer(layer)}.timer"])


def install_agent(program: Path) -> None:
    """Keep a copy of the running program for the timed restore, and one unit for the boot."""
    BIN.mkdir(mode=0o700, parents=True, exist_ok=True)
    (BIN / "agent").mkdir(mode=0o700, exist_ok=True)
    for source in [program / "push.sh", *sorted((program / "agent").glob("*.py"))]:
        target = BIN / source.relative_to(program)
        data = source.read_bytes()
        if not target.exists() or target.read_bytes() != data:
            write_atomically(target, data, 0o600)
    if not BOOT_UNIT.exists() or BOOT_UNIT.read_text() != BOOT_TEXT:
        write_atomically(BOOT_UNIT, BOOT_TEXT.encode(), 0o644)
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "enable", BOOT_UNIT.name])


def roll_back(store: Store, layer: str, *, booting: bool = False) -> str:
    """Put the pending set of `layer` back and reload over it; says what was done.

    While the machine is `booting` nothing serves yet, so only the files go back.
    """
    pending = store.read(layer, "pending")
    if pending is None:
        return ""
    entries: list[Json] = pending["entries"]
    for entry in reversed(entries):
        files.put_back(entry)
    if pending["phase"] == "unconfirmed":
        for name in ("manifest", "configuration"):
            if pending[f"old_{name}"] is None:
                store.remove(layer, name)
            else:
                store.write(layer, name, pending[f"old_{name}"])
    problems = []
    if pending["phase"] != "preparing" and not booting:
        problems = _serve_again(pending, [entry["path"] for entry in entries])
    disarm(layer)
    store.remove(layer, "pending")
    if not entries:
        return "Nothing was changed on the machine."
    account = f"The old set is back ({len(entries)} file(s))."
    if problems:
        account += " But not all serves again:\n" + "\n".join(problems)
    return account


def _serve_again(pending: Json, paths: list[str]) -> list[str]:
    problems = []
    since = time.time()
    if any("/systemd/system" in path for path in paths):
        run(["systemctl", "daemon-reload"])
    for step in pending["steps"]:
        if step["when"] == "before" and (step["always"] or files.touches(step["watches"], paths)):
            problems += _attempt(partial(services.step, step))
    for service in pending["services"]:
        was = pending["before"][service["name"]]
        name = services.unit(service["name"])
        if was["active"]:
            again = {**service, "enable": True}
            problems += _attempt(partial(services.apply, again, paths, pending["replaced"], since))
        elif service["enable"]:
            run(["systemctl", "stop", "--", name], services.SYSTEMCTL_SECONDS)
            run(["systemctl", "reset-failed", "--", name])
        if service["enable"] and not was["enabled"]:
            run(["systemctl", "disable", "--", name])
    return problems


def _attempt(work: Callable[[], object]) -> list[str]:
    try:
        work()
    except Failure as failure:
        return [failure.text()]
    return []


def recover(store: Store, *, booting: bool = False) -> None:
    """Put back every set whose push ended without a commit. Runs under the host lock."""
    if not booting:
        packages.clear_leftovers()
    for layer in list(store.layers()):
        pending = store.read(layer, "pending")
        if pending is None or (pending["phase"] == "unconfirmed" and not booting):
            continue
        _note_restored(store, layer, pending["generation"], "the push was cut half way")
        roll_back(store, layer, booting=booting)


def timed(store: Store, layer: str, generation: str) -> str:
    """What the timer runs: the set that nobody confirmed goes."""
    pending = store.read(layer, "pending")
    if pending is None or pending["generation"] != generation:
        return "nothing to put back"
    _note_restored(store, layer, generation, "nobody confirmed it over a new connection in time")
    return roll_back(store, layer)


def _note_restored(store: Store, layer: str, generation: str, why: str) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    store.write(layer, "restored", {"generation": generation, "why": why, "at": at})


def confirm(store: Store, layer: str, generation: str) -> str:
    """Called over a new connection: the set in force is the one pushed, so disarm.

    Raises `Failure` when the machine carries another one.
    """
    manifest = store.read(layer, "manifest")
    if manifest is None or manifest["generation"] != generation:
        note = store.read(layer, "restored")
        what = f"the set {layer!r} in force on this machine is not the one that was pushed"
        if note is not None and note["generation"] == generation:
            what = f"the machine put its old set {layer!r} back at {note['at']}: {note['why']}"
        raise Failure(
            what,
            after="Correct the configuration and run again; to push the same text once more, "
            "raise its epoch.",
        )
    disarm(layer)
    if not manifest["confirmed"]:
        store.write(layer, "manifest", {**manifest, "confirmed": True})
    store.remove(layer, "pending")
    store.remove(layer, "restored")
    return "confirmed"
