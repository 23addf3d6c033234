"""Services: their state, their reload, their health, their words."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from .errors import Failure
from .files import touches
from .run import Outcome, run
from .store import Json

RUNNING = {"active", "reloading", "activating"}
ENABLED = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "linked"}
SYSTEMCTL_SECONDS = 120


def unit(name: str) -> str:
    return name if "." in name else f"{name}.service"


def show(name: str) -> dict[str, str]:
    properties = "LoadState,ActiveState,SubState,CanReload,UnitFileState,NeedDaemonReload"
    said = run(["systemctl", "show", "-p", properties, "--", unit(name)]).output
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def state(name: str) -> Json:
    """Whether the unit runs and is enabled, as it is recorded before a push."""
    shown = show(name)
    return {
        "active": shown.get("ActiveState") in RUNNING,
        "enabled": shown.get("UnitFileState") in ENABLED,
    }


def settled(service: Json) -> bool:
    """Whether a service that should run and be enabled does and is."""
    if not service["enable"]:
        return True
    now = state(service["name"])
    return bool(now["active"] and now["enabled"])


def journal(name: str, since: float) -> str:
    """What the unit's own processes said since the time `since`."""
    run(["journalctl", "--sync"], 10)
    said = run(
        [
            *("journalctl", "--no-pager", "-q", "-o", "cat", "-n", "25"),
            f"--since=@{since:.6f}",
            f"_SYSTEMD_UNIT={unit(name)}",
        ],
        20,
    )
    return said.output


def _systemctl(verb: str, name: str, since: float) -> None:
    outcome = run(["systemctl", verb, "--", unit(name)], SYSTEMCTL_SECONDS)
    if not outcome.ok:
        words = journal(name, since)
        raise Failure(f"{unit(name)} did not {verb}: {_brief(outcome)}", words or outcome.output)


def _brief(outcome: Outcome) -> str:
    lines = outcome.output.strip().splitlines()
    return lines[0] if lines else f"exit status {outcome.status}"


def apply(service: Json, paths: Iterable[str], replaced: bool, since: float) -> str | None:
    """Bring the service up over changed `paths`; says what was done, `None` for nothing.

    Raises `Failure` with the daemon's words from the journal.
    """
    name, done = service["name"], None
    shown = show(name)
    if shown.get("LoadState") == "not-found":
        raise Failure(f"this machine has no unit {unit(name)}")
    if service["enable"] and shown.get("UnitFileState") not in ENABLED:
        _systemctl("enable", name, since)
    active = shown.get("ActiveState") in RUNNING
    if not active:
        if not service["enable"] and service["on_change"] != "restart":
            return None
        run(["systemctl", "reset-failed", "--", unit(name)])
        _systemctl("start", name, since)
        return f"started {unit(name)}"
    if replaced and service["on_change"] != "none":
        _systemctl("restart", name, since)
        return f"restarted {unit(name)}"
    if touches(service["watches"], paths):
        done = _on_change(service, shown, since)
    return done


def leave(left: Json, verb: str) -> list[str]:
    """`stop` or `disable` the services that left the set (name to state before); says which.

    Raises `Failure` with the daemon's words.
    """
    due = [name for name, was in left.items() if was["active" if verb == "stop" else "enabled"]]
    since = time.time()
    for name in due:
        _systemctl(verb, name, since)
    return [f"stopped {unit(name)}" for name in due if verb == "stop"]


def rejoin(name: str, was: Json, *, wait: bool) -> None:
    """Bring a service that had left back to the state it had; raises `Failure` likewise.

    While the machine boots nobody may `wait` for a start: it comes after whoever asks.
    """
    since = time.time()
    if was["enabled"]:
        _systemctl("enable", name, since)
    if was["active"] and wait:
        _systemctl("start", name, since)
    elif was["active"]:
        run(["systemctl", "start", "--no-block", "--", unit(name)], SYSTEMCTL_SECONDS)


def _on_change(service: Json, shown: dict[str, str], since: float) -> str | None:
    name, way = service["name"], service["on_change"]
    if way == "none":
        return None
    if isinstance(way, list):
        outcome = run(way, SYSTEMCTL_SECONDS)
        if not outcome.ok:
            raise Failure(f"{unit(name)}: {' '.join(way)} failed", outcome.output)
        return f"ran {way[0]} for {unit(name)}"
    if way == "reload" and shown.get("CanReload") == "yes":
        _systemctl("reload", name, since)
        return f"reloaded {unit(name)}"
    run(["systemctl", "reset-failed", "--", unit(name)])
    _systemctl("restart", name, since)
    return f"restarted {unit(name)}"


def await_health(service: Json, since: float) -> None:
    """Repeat the probe until it holds; raises `Failure` after the service's own limit."""
    health = service.get("health")
    if health is None:
        return
    deadline = time.monotonic() + health["seconds"]
    while True:
        outcome = run(health["argv"], max(0.5, deadline - time.monotonic()))
        if outcome.ok:
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(health["interval"])
    words = journal(service["name"], since) + outcome.output
    raise Failure(
        f"{unit(service['name'])} is not healthy {health['seconds']:g} s after the change "
        f"({' '.join(health['argv'])})",
        words,
    )


def step(one: Json) -> None:
    """Run a constant command; raises `Failure` with its words."""
    outcome = run(one["argv"], one["seconds"])
    if not outcome.ok:
        raise Failure(f"the step {one['name']!r} failed ({' '.join(one['argv'])})", outcome.output)


def held_vips(vips: Iterable[str]) -> list[str]:
    """Those of `vips` that an interface of this machine carries now."""
    listed = json.loads(run(["ip", "-j", "addr", "show"]).output or "[]")
    here = {info["local"] for link in listed for info in link.get("addr_info", ())}
    return [vip for vip in vips if vip in here]


def guard(configuration: Json, paths: list[str], replaced: bool) -> None:
    """Refuse to touch the services of a VIP's owner while its peer is unhealthy."""
    rule = configuration.get("owner_guard")
    if rule is None:
        return
    touched = [
        service["name"]
        for service in configuration["services"]
        if service["guarded"] and (replaced or touches(service["watches"], paths))
    ]
    vips = held_vips(rule["vips"]) if touched else []
    if not vips:
        return
    deadline = time.monotonic() + rule["seconds"]
    while True:
        outcome = run(rule["probe"], max(0.5, deadline - time.monotonic()))
        if outcome.ok:
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(0.5)
    raise Failure(
        f"this machine owns {', '.join(vips)} and its peer is not healthy "
        f"({' '.join(rule['probe'])}): a change to {', '.join(touched)} could take the address "
        "off both; bring the peer up first",
        outcome.output,
    )
