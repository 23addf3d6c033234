"""The text a push carries on standard input. Pure: no pulumi, nothing read but our own scripts.

It is one JSON document, because the engine shows a changed JSON text as a structured diff: the
path of the file, then the lines that changed.

    {"boot": TEXT, "program": PACKED, "request": {...}}

`boot` unpacks `program` (scripts/push.sh and the package `agent`) into a directory of its own and
hands the request to it. The command line is one constant and a verb.
"""

from __future__ import annotations

import base64
import bz2
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from components.host.agent.store import generation as generation_of
from components.host.packages import Repository
from components.host.part import Check, ConfirmPolicy, Package, PeerGuard, Service, Step

Verb = Literal["apply", "deposit", "withdraw", "delete", "confirm", "act", "undo", "check"]
Json = dict[str, Any]

SECRET = "<secret>"  # noqa: S105 - what stands in a diff where the value is not shown
"""What a redacted text shows in place of a secret."""

AGENT = (
    "__init__",
    "__main__",
    "actions",
    "clock",
    "dpkg",
    "drift",
    "errors",
    "files",
    "packages",
    "requests",
    "restore",
    "run",
    "services",
    "store",
    "transaction",
    "view",
)


@dataclass(frozen=True, kw_only=True)
class Content:
    """One file with its Inputs resolved: `text` shows placeholders, never a secret value."""

    path: str
    text: str
    mode: str
    owner: str
    placeholders: tuple[str, ...] = ()
    secret: bool = False


def command_line(verb: Verb) -> str:
    """The command a connection runs; the rest comes on its standard input."""
    return f"""python3 -c 'import json,sys;r=json.load(sys.stdin);exec(r["boot"])' {verb}"""


@cache
def program() -> str:
    """What runs on the machine, as one text: a line `#==> NAME` before each file.

    Packed, because every command of a stack carries it, and the engine writes the whole state
    anew after each. By bzip2, whose output for an input is the same everywhere, so that the same
    checkout gives the same plan on every operator's machine.
    """
    return base64.b64encode(bz2.compress(unpacked().encode())).decode()


def unpacked() -> str:
    """`program` before packing."""
    scripts = resources.files("components.host") / "scripts"
    agent = resources.files("components.host") / "agent"
    parts = [("push.sh", (scripts / "push.sh").read_text(encoding="utf-8"))]
    parts += [
        (f"agent/{name}.py", (agent / f"{name}.py").read_text(encoding="utf-8")) for name in AGENT
    ]
    return "".join(f"\n#==> {name}\n{text}" for name, text in parts)


@cache
def boot() -> str:
    scripts = resources.files("components.host") / "scripts"
    return (scripts / "boot.py").read_text(encoding="utf-8")


def document(request: Mapping[str, Any]) -> str:
    """The whole standard input for a request; the same request gives the same text."""
    whole = {"boot": boot(), "program": program(), "request": request}
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)


def request_of(text: str) -> Json:
    """The request inside a `document`."""
    return dict(json.loads(text)["request"])


def configuration(
    *,
    resource: str,
    machine: str,
    layer: str,
    repositories: Sequence[Repository],
    packages: Sequence[Package],
    contents: Iterable[Content],
    checks: Sequence[Check],
    steps: Sequence[Step],
    services: Sequence[Service],
    confirm: ConfirmPolicy | None,
    owner_guard: PeerGuard | None,
    epoch: str,
    seconds: int,
) -> Json:
    """The request of one push. `resource` names the Pulumi resource, so that a renamed one's
    deletion does not take away what its successor pushed."""
    files = {
        one.path: {
            "content": SECRET if one.secret and not one.text else one.text,
            "mode": one.mode,
            "owner": one.owner,
            **({"secret": True} if one.secret else {}),
            **({"secrets": sorted(one.placeholders)} if one.placeholders else {}),
        }
        for one in [*_repository_files(repositories), *contents]
    }
    settled = {package.name: package.settled for package in packages if package.settled}
    return {
        "resource": resource,
        "machine": machine,
        "layer": layer,
        "epoch": epoch,
        "seconds": seconds,
        "packages": {package.name: package.version for package in packages},
        "holds": sorted(package.name for package in packages if package.hold),
        **({"settled": settled} if settled else {}),
        "files": files,
        "checks": [_plain(check) for check in checks],
        "steps": [_plain(step) for step in steps],
        "services": [_plain(service) for service in services],
        "confirm": _plain(confirm) if confirm else None,
        "owner_guard": _plain(owner_guard) if owner_guard else None,
    }


def _plain(value: Any) -> Json:
    """A dataclass as JSON has it: tuples become lists."""
    return dict(json.loads(json.dumps(asdict(value))))


def _repository_files(repositories: Sequence[Repository]) -> list[Content]:
    made = []
    for one in repositories:
        key = f"/etc/apt/keyrings/{one.name}.asc"
        if one.signed_by is not None:
            made.append(
                Content(path=key, text=ended(one.signed_by), mode="0644", owner="root:root")
            )
        made.append(
            Content(
                path=f"/etc/apt/sources.list.d/{one.name}.sources",
                text=sources(one),
                mode="0644",
                owner="root:root",
            )
        )
    return made


def sources(repository: Repository) -> str:
    """The repository as a deb822 stanza (`man sources.list`)."""
    lines = [
        "Types: deb",
        f"URIs: {' '.join(repository.uris)}",
        f"Suites: {' '.join(repository.suites)}",
    ]
    if repository.components:
        lines.append(f"Components: {' '.join(repository.components)}")
    if repository.signed_by is not None:
        lines.append(f"Signed-By: /etc/apt/keyrings/{repository.name}.asc")
    return "\n".join(lines) + "\n"


def ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def generation(request: Json) -> str:
    """What a manifest calls the push of `request`: 32 hex digits."""
    return generation_of(request)


def deposit(*, layer: str, secrets: Mapping[str, str], epoch: str) -> Json:
    """The secrets of a layer; keys are `PATH` for a whole file, `PATH#NAME` for a placeholder."""
    return {"layer": layer, "epoch": epoch, "secrets": dict(secrets)}


def confirmation(request: Json) -> Json:
    """What the second command asks, over its new connection."""
    return {"layer": request["layer"], "generation": generation(request)}


def action(
    *,
    resource: str,
    name: str,
    do: str | None,
    guard: str | None,
    undo: str | None,
    result: str | None,
    secrets: Mapping[str, str],
    epoch: str,
    seconds: int,
) -> Json:
    """The request of one action."""
    return {
        "resource": resource,
        "name": name,
        "do": do,
        "guard": guard,
        "undo": undo,
        "result": result,
        "secrets": dict(secrets),
        "epoch": epoch,
        "seconds": seconds,
    }


def check_request(layers: Sequence[str] | None = None) -> str:
    """Standard input for `command_line("check")`: compare manifests with the truth.

    The machine prints a JSON list, one entry a layer:
    `{"layer", "machine", "generation", "confirmed", "at", "drift": [{"what", "is"}, …]}`; the
    exit status is 0 whether or not there is drift. `layers` limits the question.
    """
    return document({"layers": None if layers is None else list(layers)})
