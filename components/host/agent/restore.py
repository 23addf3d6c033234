"""The way back: rolling a pending set back, the timed restore, its confirmation."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import dpkg, files, services
from .errors import Failure, joined, of_system
from .run import run
from .store import Json, Store, write_atomically

BIN = Path("/var/lib/layered-cloud/bin")
CUT = "the push was cut half way"
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
Environment=PYTHONPATH=/var/lib/layered-cloud/bin/agent.zip
ExecStart=/usr/bin/python3 -P -m agent recover-at-boot

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
    """Keep a copy of the running program for the timed restore, and one unit for the boot.

    The package is one archive: a push killed here leaves the old program or the new, no mixture.
    """
    BIN.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {"push.sh": (program / "push.sh").read_bytes(), "agent.zip": _packed(program)}
    for name, data in kept.items():
        target = BIN / name
        if not target.exists() or target.read_bytes() != data:
            write_atomically(target, data, 0o600, os.geteuid(), os.getegid())
    if not BOOT_UNIT.exists() or BOOT_UNIT.read_text() != BOOT_TEXT:
        write_atomically(BOOT_UNIT, BOOT_TEXT.encode(), 0o644, os.geteuid(), os.getegid())
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "enable", BOOT_UNIT.name])
    shutil.rmtree(BIN / "agent", ignore_errors=True)  # where older programs lay


def _packed(program: Path) -> bytes:
    """The package as an archive that Python runs from; the same text gives the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pack:
        for source in sorted((program / "agent").glob("*.py")):
            pack.writestr(zipfile.ZipInfo(f"agent/{source.name}"), source.read_bytes())
    return archive.getvalue()


def roll_back(store: Store, layer: str, *, booting: bool = False) -> str:
    """Put the pending set of `layer` back and reload over it; says what was done.

    While the machine is `booting` nothing serves yet, so only the files go back. Raises `Failure`
    when a file cannot be written now; the way back is kept then, for the next push or the boot.
    """
    pending = store.read(layer, "pending")
    if pending is None:
        return ""
    paths = [entry["path"] for entry in pending["entries"]]
    back, problems = _put_back(layer, pending["entries"])
    _forget_commit(store, layer, pending)
    if pending["phase"] != "preparing" and not booting:
        problems += _serve_again(pending, paths)
    if pending["phase"] != "preparing":
        problems += _rejoin(pending, booting=booting)
    if pending["phase"] != "preparing" or booting:
        # What runs was started from what is installed now.
        store.remove(layer, "packages")
    disarm(layer)
    store.remove(layer, "pending")
    if not back and not problems:
        return "Nothing was changed on the machine."
    account = f"The old set is back ({back} file(s))."
    if problems:
        account += " But not all serves again:\n" + "\n".join(problems)
    return account


def _put_back(layer: str, entries: list[Json]) -> tuple[int, list[str]]:
    """How many files had to go back, and what is lost; as many as can be go back."""
    back, lost, stuck = 0, [], []
    for entry in reversed(entries):
        try:
            back += files.put_back(entry)
        except files.Lost as gone:
            lost.append(str(gone))
        except OSError as error:
            stuck.append(of_system(error))
    if stuck:
        raise Failure(
            f"{len(stuck)} file(s) of the old set {layer!r} cannot be put back: {stuck[0].what}",
            "\n".join(one.words for one in stuck),
        )
    return back, lost


def _forget_commit(store: Store, layer: str, pending: Json) -> None:
    """What the machine remembers goes back with the files, if it came that far."""
    try:
        for name in ("manifest", "configuration"):
            old = pending[f"old_{name}"]
            if old is None:
                store.remove(layer, name)
            elif store.read(layer, name) != old:
                store.write(layer, name, old)
    except OSError as error:
        raise of_system(error) from error


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


def _rejoin(pending: Json, *, booting: bool) -> list[str]:
    """Bring back what the push had stopped; one that an older agent left half done names none."""
    problems = []
    for name, was in pending.get("left", {}).items():
        problems += _attempt(partial(services.rejoin, name, was, wait=not booting))
    return problems


def _attempt(work: Callable[[], object]) -> list[str]:
    try:
        work()
    except Failure as failure:
        return [failure.text()]
    return []


def recover(store: Store, *, booting: bool = False) -> list[str]:
    """Put back every set whose push ended without a commit; says what had to be done.

    Runs under the host lock. Raises `Failure` for the sets that cannot be put back now, when it
    has tried them all.
    """
    said = store.set_aside_damaged()
    failures = []
    if not booting:
        said += dpkg.clear_leftovers()
    for layer in list(store.layers()):
        pending = store.read(layer, "pending")
        if pending is None or (pending["phase"] == "unconfirmed" and not booting):
            continue
        try:
            account = roll_back(store, layer, booting=booting)
        except Failure as failure:
            failures.append(failure)
            continue
        _note_restored(store, layer, pending["generation"], CUT)
        said.append(f"an earlier push of {layer!r} was cut half way: {account}")
    if failures:
        raise Failure(
            "\n".join(failure.what for failure in failures),
            "\n".join(failure.words for failure in failures),
            joined("Nothing new was changed on the machine.", *said),
        )
    return said


def timed(store: Store, layer: str, generation: str) -> str:
    """What the timer runs: the set that nobody confirmed goes."""
    pending = store.read(layer, "pending")
    if pending is None or pending["generation"] != generation:
        return "nothing to put back"
    account = roll_back(store, layer)
    _note_restored(store, layer, generation, "nobody confirmed it over a new connection in time")
    return account


def _note_restored(store: Store, layer: str, generation: str, why: str) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    # Only a better word for the confirmation's refusal, which comes without it too.
    with contextlib.suppress(OSError):
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
    # The way back goes first: cut anywhere below, no timer and no boot undoes what was confirmed.
    store.remove(layer, "pending")
    disarm(layer)
    if not manifest["confirmed"]:
        store.write(layer, "manifest", {**manifest, "confirmed": True})
    store.remove(layer, "restored")
    return "confirmed"
