"""A small daemon for the agent's tests: it checks, reloads, reports its health and speaks up.

`demod --check` refuses the word `nonsense` and a missing part; a file with `sick` loads but is not
healthy; one with `crash` ends the daemon while it reloads.
"""

from __future__ import annotations

from typing import Any

from components.host import payload
from components.host.part import Check, Health, Service, Step

DAEMON = """\
#!/usr/bin/env python3
import os, pathlib, signal, sys

ETC, STATE = pathlib.Path("/etc/demo"), pathlib.Path("/run/demo.state")


def text():
    return "".join(path.read_text() for path in sorted(ETC.glob("*.conf")))


def check():
    for path in sorted(ETC.glob("*.conf")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if "nonsense" in line:
                sys.exit(f"demod: {path}:{number}: unknown keyword 'nonsense' in: {line}")
            if line.startswith("needs ") and not (ETC / line.split()[1]).exists():
                sys.exit(f"demod: {path}:{number}: no such part {line.split()[1]}")


def load(*_):
    read = text()
    if "crash" in read:
        print("demod: fatal: the configuration made me crash", flush=True)
        sys.exit(3)
    if "sick" in read:
        print("demod: no backend answers", flush=True)
    with open("/run/demo.loads", "a") as loads:
        print([read], file=loads)
    STATE.write_text(("sick" if "sick" in read else "healthy") + "\\n" + read)


if sys.argv[1:] == ["--check"]:
    check()
    sys.exit(0)
os.umask(0o077)
signal.signal(signal.SIGHUP, load)
signal.signal(signal.SIGTERM, lambda *_: (STATE.unlink(), sys.exit(0)))
load()
while True:
    signal.pause()
"""

UNIT = """\
[Unit]
Description=Demo daemon

[Service]
ExecStart=/usr/local/bin/demod
# As a daemon that notifies: the reload is over when it has loaded, or has died of it.
ExecReload=/bin/sh -c 'rm -f /run/demo.state; kill -HUP $MAINPID; i=0; \\
    while [ $$i -lt 200 ] && [ ! -e /run/demo.state ] && kill -0 $MAINPID 2>/dev/null; do \\
    sleep 0.05; i=$$((i+1)); done'

[Install]
WantedBy=multi-user.target
"""

CHECK = Check(name="demod", argv=("/usr/local/bin/demod", "--check"), watches=("/etc/demo",))
HEALTH = Health(argv=("grep", "-q", "^healthy", "/run/demo.state"), seconds=2.0, interval=0.1)
SERVICE = Service(name="demo", watches=("/etc/demo",), health=HEALTH)
PROGRAM = {
    "/usr/local/bin/demod": (DAEMON, "0755"),
    "/etc/systemd/system/demo.service": (UNIT, "0644"),
}


def content(path: str, text: str, mode: str = "0644", **more: Any) -> payload.Content:
    return payload.Content(path=path, text=text, mode=mode, owner="root:root", **more)


def request(layer: str, files: dict[str, str], **over: Any) -> dict[str, Any]:
    """A configuration of `layer` with the daemon's own files, unless `program=False`."""
    program = over.pop("program", True)
    extra = over.pop("contents", [])
    contents = [content(path, text) for path, text in files.items()]
    if program:
        contents += [content(path, text, mode) for path, (text, mode) in PROGRAM.items()]
    given: dict[str, Any] = {
        "resource": f"m-{layer}",
        "machine": "m",
        "layer": layer,
        "repositories": (),
        "packages": (),
        "contents": [*contents, *extra],
        "checks": (CHECK,),
        "steps": (Step(name="count", argv=("true",)),),
        "services": (SERVICE,),
        "confirm": None,
        "owner_guard": None,
        "epoch": "1",
        "seconds": 120,
    }
    return payload.configuration(**{**given, **over})
