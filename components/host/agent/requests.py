"""What can be asked of the machine: one function a verb, each under the host lock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import drift, files, packages, restore, services
from .errors import Failure
from .run import run
from .store import Json, Store, generation
from .transaction import Transaction


def apply(store: Store, configuration: Json) -> tuple[str, str]:
    """Push a configuration; returns its generation and what was done."""
    layer = configuration["layer"]
    secrets = store.read(layer, "secrets") or {}
    push = Transaction(store, configuration, secrets)
    pending = store.read(layer, "pending")
    if pending is not None:
        if pending["generation"] == push.generation and push.in_force():
            # The same push again while its confirmation is due: the time starts anew.
            restore.arm(layer, push.generation, configuration["confirm"]["seconds"])
            return push.generation, "unchanged, awaiting confirmation"
        restore.roll_back(store, layer)
        push = Transaction(store, configuration, secrets)
    said = push.push()
    needed = files.references(configuration)
    if not needed.issuperset(secrets):
        store.write(layer, "secrets", {k: v for k, v in secrets.items() if k in needed})
    return push.generation, said


def deposit(store: Store, request: Json) -> tuple[str, str]:
    """Take over secrets. Where files that hold them are in force, they are pushed again with them.

    The new values are kept only once that push has succeeded. Values the set in force still needs
    outlive their absence here; the next push of the set drops them. This push needs no
    confirmation: the way in (sshd, the firewall) is never in files that hold secrets.
    """
    layer = request["layer"]
    restore.roll_back(store, layer)
    old = store.read(layer, "secrets") or {}
    configuration = store.read(layer, "configuration")
    needed = files.references(configuration) if configuration else set()
    merged = {k: v for k, v in old.items() if k in needed} | request["secrets"]
    said = "kept"
    if configuration is not None and needed:
        said = Transaction(store, configuration, merged, confirmed=True).push()
    store.write(layer, "secrets", merged)
    return layer, said


def withdraw(store: Store, request: Json) -> tuple[str, str]:
    """Forget secrets, unless another deposit has come since or files still need them."""
    layer = request["layer"]
    configuration = store.read(layer, "configuration")
    kept = store.read(layer, "secrets") or {}
    if configuration is not None and files.references(configuration):
        return layer, "left alone: the set in force needs them"
    if any(kept.get(key) != value for key, value in request["secrets"].items()):
        return layer, "left alone: they have been replaced"
    store.remove(layer, "secrets")
    return layer, "forgotten"


def delete(store: Store, configuration: Json) -> tuple[str, str]:
    """Take a set away, if the machine's manifest still names this very generation."""
    layer, identity = configuration["layer"], generation(configuration)
    manifest = store.read(layer, "manifest")
    if manifest is None or manifest["generation"] != identity:
        now = "none" if manifest is None else manifest["generation"]
        return identity, f"left alone: the set in force is {now}"
    for service in manifest["services"]:
        if service["name"] in manifest["brought"]:
            run(["systemctl", "disable", "--now", "--", services.unit(service["name"])], 120)
    gone = [path for path, record in manifest["files"].items() if record["created"]]
    for path in gone:
        Path(path).unlink(missing_ok=True)
    if manifest["holds"]:
        run(["apt-mark", "unhold", *manifest["holds"]])
    if any("/systemd/system" in path for path in gone):
        run(["systemctl", "daemon-reload"])
    restore.disarm(layer)
    store.forget(layer)
    _serve_without(manifest, gone)
    return identity, f"{len(gone)} file(s) removed"


def _serve_without(manifest: Json, gone: list[str]) -> None:
    """What goes on serving for another layer reads its files anew."""
    for service in manifest["services"]:
        if service["name"] not in manifest["brought"] and services.state(service["name"])["active"]:
            services.apply({**service, "enable": False}, gone, False, 0.0)


def confirm(store: Store, request: Json) -> tuple[str, str]:
    said = restore.confirm(store, request["layer"], request["generation"])
    return request["generation"], said


def install(seconds: float, wanted: Sequence[str]) -> list[str]:
    """What `host-install` does: the packages (`NAME=VERSION`) at those versions, and held.

    Under the lock that the action has. Says what had to be repaired.
    """
    asked = dict(each.split("=", 1) for each in wanted)
    return packages.install(asked, list(asked), seconds)


def check(store: Store, request: Json) -> list[Json]:
    """Every manifest against the truth; see `drift`."""
    return drift.report(store, request.get("layers"))


def refuse(verb: str) -> Failure:
    return Failure(f"this machine's agent knows no verb {verb!r}")
