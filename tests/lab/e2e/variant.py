"""One run of the lab's stack with something changed on purpose, from inside the runner's namespace.

Run as `python tests/lab/e2e/variant.py JSON`; the last line of its output is a JSON object:
`{"ok", "error", "changed", "steps", "text", "log"}`.
"""

from __future__ import annotations

import importlib
import json
import re
import runpy
import sys
from collections.abc import Callable
from typing import Any

from lab import runner
from lab.engine import EngineError
from lab.paths import CHECKOUT

Patch = Callable[[str], str]


def _broken_haproxy(text: str) -> str:
    return f"{text}\nfrontend broken from routes\n    mode-of-speech plain\n"


def _broken_keepalived(text: str) -> str:
    return f"{text}\nvrrp_instance broken {{\n    state NOWHERE\n    no_such_keyword\n}}\n"


def _broken_nftables(text: str) -> str:
    return f"{text}\nno such statement\n"


def _without_management(text: str) -> str:
    kept = [line for line in text.splitlines() if not re.search(r"tcp dport \S*22\b", line)]
    assert len(kept) < len(text.splitlines()), "no rule lets sshd in"
    return "\n".join(kept) + "\n"


PATCHES: dict[str, tuple[str, str, Patch]] = {
    "haproxy": ("components.loadbalancers.haproxy", "site", _broken_haproxy),
    "keepalived": ("components.loadbalancers.keepalived", "config", _broken_keepalived),
    "nftables": ("components.routers.linux.firewall", "rules", _broken_nftables),
    "lockout": ("components.routers.linux.firewall", "rules", _without_management),
}


def program(patch: str | None) -> Callable[[], None]:
    """The checkout's program, one of its renderers giving another text."""

    def run() -> None:
        if patch is not None:
            module_name, name, change = PATCHES[patch]
            module = importlib.import_module(module_name)
            true = getattr(module, name)
            setattr(module, name, lambda *args, **late: change(true(*args, **late)))
        runpy.run_path(str(CHECKOUT / "__main__.py"), run_name="__main__")

    return run


def run(spec: dict[str, Any]) -> dict[str, Any]:
    """Carry out one request."""
    try:
        with runner.engine(program(spec.get("patch")), spec.get("changes")) as engine:
            if spec["verb"] == "preview":
                done = engine.preview()
            elif spec["verb"] in ("refresh", "destroy"):
                done = getattr(engine, spec["verb"])(on_output=print)
            else:
                replace = [
                    resource["urn"]
                    for resource in engine.resources()
                    for wanted in spec.get("replace", [])
                    if resource["urn"].endswith(wanted)
                ]
                done = engine.up(replace=replace or None, on_output=print)
                runner.leave_access(engine.outputs(), engine.secret_outputs())
    except EngineError as error:
        return {"ok": False, "error": error.text, "log": str(error.log or "")}
    return {
        "ok": True,
        "error": "",
        "changed": done.changed,
        "steps": done.steps,
        "text": done.text,
        "log": str(done.log),
    }


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
