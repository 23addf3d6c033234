"""`python3 -m agent VERB [DIRECTORY]`: one request, under the host lock that `push.sh` holds.

The request is read from DIRECTORY/request.json, which is removed at once: it may hold secrets.
Exit status 1 after a failure, told on stderr with the daemon's words first.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from . import actions, requests, restore, view
from .errors import Failure, of_system, redact
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

Said = tuple[list[str], list[str]]
"""Lines for stdout, lines for stderr."""


def say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


def main(arguments: list[str]) -> int:
    verb, rest = arguments[0], arguments[1:]
    store = Store()
    if verb == "view":
        view.enter(rest[0])
    if verb == "restore":
        return _told(lambda: ([restore.timed(store, rest[0], rest[1])], []))
    if verb == "install":
        return _told(lambda: ([], requests.install(float(rest[0]), rest[1:])))
    if verb in {"recover", "recover-at-boot"}:
        booting = verb == "recover-at-boot"
        return _told(lambda: ([], restore.recover(store, booting=booting)))
    directory = Path(rest[0])
    path = directory / "request.json"
    request: Json = json.loads(path.read_bytes())
    path.unlink()
    if verb == "check":
        return _told(lambda: ([json.dumps(requests.check(store, request), indent=1)], []))
    return _told(lambda: _answer(store, verb, request, directory), lambda: _secrets(store, request))


def _told(work: Callable[[], Said], secrets: Callable[[], list[str]] = list) -> int:
    """Do `work`; its answer goes to stdout, what was done or went wrong to stderr."""
    try:
        answer, said = work()
    except Failure as failure:
        say(failure.text(secrets()), sys.stderr)
        return 1
    except OSError as error:
        say(of_system(error).text(secrets()), sys.stderr)
        return 1
    except Exception:
        # A fault of ours: the pending set is put back by the unit's ExecStopPost.
        say(redact(traceback.format_exc(), secrets()), sys.stderr)
        return 70
    for line in answer:
        say(line)
    for line in said:
        say(line, sys.stderr)
    return 0


def _answer(store: Store, verb: str, request: Json, directory: Path) -> Said:
    if verb not in VERBS:
        raise requests.refuse(verb)
    actions.clear_leftovers()
    mended = restore.recover(store)
    try:
        if verb == "apply":
            restore.install_agent(directory)
        value, said = VERBS[verb](store, request)
    except Failure as failure:
        raise failure.then("\n".join(mended)) from None
    except OSError as error:
        raise of_system(error).then("\n".join(mended)) from error
    return [value.rstrip("\n")], [*mended, said]


def _secrets(store: Store, request: Json) -> list[str]:
    kept = None
    with contextlib.suppress(Failure, OSError):
        kept = store.read(request["layer"], "secrets") if "layer" in request else None
    return [str(v) for v in [*request.get("secrets", {}).values(), *(kept or {}).values()]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
