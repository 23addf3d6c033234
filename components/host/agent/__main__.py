"""`python3 -m agent VERB [DIRECTORY]`: one request, under the host lock that `push.sh` holds.

The request is read from DIRECTORY/request.json, which is removed at once: it may hold secrets.
Exit status 1 after a failure, told on stderr with the daemon's words first.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import TextIO

from . import actions, requests, restore, view
from .errors import Failure, redact
from .store import Json, Store

VERBS = {
    "apply": requests.apply,
    "deposit": requests.deposit,
    "withdraw": requests.withdraw,
    "delete": requests.delete,
    "confirm": requests.confirm,
    "act": actions.act,
    "undo": actions.undo,
}


def say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


def main(arguments: list[str]) -> int:
    verb, rest = arguments[0], arguments[1:]
    store = Store()
    if verb == "view":
        view.enter(rest[0])
    if verb == "restore":
        say(restore.timed(store, rest[0], rest[1]))
        return 0
    if verb in {"recover", "recover-at-boot"}:
        restore.recover(store, booting=verb == "recover-at-boot")
        return 0
    directory = Path(rest[0])
    path = directory / "request.json"
    request: Json = json.loads(path.read_bytes())
    path.unlink()
    if verb == "check":
        say(json.dumps(requests.check(store, request), indent=1))
        return 0
    return _answer(store, verb, request, directory)


def _answer(store: Store, verb: str, request: Json, directory: Path) -> int:
    try:
        if verb not in VERBS:
            raise requests.refuse(verb)
        restore.recover(store)
        if verb == "apply":
            restore.install_agent(directory)
        value, said = VERBS[verb](store, request)
    except Failure as failure:
        say(failure.text(_secrets(store, request)), sys.stderr)
        return 1
    except Exception:
        # A fault of ours: the pending set is put back by the unit's ExecStopPost.
        say(redact(traceback.format_exc(), _secrets(store, request)), sys.stderr)
        return 70
    say(value.rstrip("\n"))
    say(said, sys.stderr)
    return 0


def _secrets(store: Store, request: Json) -> list[str]:
    kept = store.read(request["layer"], "secrets") if "layer" in request else None
    return [str(v) for v in [*request.get("secrets", {}).values(), *(kept or {}).values()]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
