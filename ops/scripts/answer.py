"""Answers questions about the machine it runs on, all side by side, and changes nothing there.

Standard library only. It comes on standard input, with `request`:
{"questions": {NAME: QUESTION}, "seconds": of them all, "redact": None or how secrets are taken out
before anything leaves the machine, see `cleaning`}. A QUESTION has a `kind`, a row of `KINDS`,
`seconds` and `most` (bytes of an answer), and what its kind reads. Prints one JSON object:
{"begun": Unix time, "ended": Unix time,
 "answers": {NAME: {"status", "out", "err", "seconds"}}}. Status 124 is no answer in time.
"""

import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
EMBEDDED = re.compile(r"client-certificate-data:\s*([A-Za-z0-9+/=]+)")
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATHS, "LC_ALL": "C.UTF-8", "HOME": "/root"}
Said = tuple[int, str, str]
BEYOND = 100_000
"""Bytes that are read beyond what is told, so that no secret is cut before it is known."""


def as_it_is(text: str) -> str:
    return text


CLEAN: Callable[[str], str] = as_it_is
"""What takes secrets out of a text."""


def ran(argv: list[str], seconds: float, given: str = "") -> Said:
    """A command, ended with all that it started when its time is over."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except OSError as problem:
        return 127, "", f"{argv[0]}: {problem.strerror}"
    with process:
        try:
            out, err = process.communicate(given.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return 124, "", f"{argv[0]}: no answer within {seconds:g} s"
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def lying(globs: list[str]) -> list[Path]:
    """The files that absolute globs name, each once."""
    found = {path for each in globs for path in Path("/").glob(each.removeprefix("/"))}
    return sorted(found)


def run(asked: dict[str, Any]) -> Said:
    """`argv`, with `given` on its standard input."""
    return ran(asked["argv"], asked["seconds"], asked.get("given", ""))


def read(asked: dict[str, Any]) -> Said:
    """The files of `globs`: a JSON object, text by path, or null by a path with `names` alone."""
    found: dict[str, str | None] = {}
    for path in lying(asked["globs"]):
        if asked.get("names"):
            found[str(path)] = None
            continue
        with path.open("rb") as file:
            text = file.read(asked["most"] + BEYOND).decode(errors="replace")
        found[str(path)] = CLEAN(text)[: asked["most"]]
    return 0, json.dumps(found), ""


def certificates(asked: dict[str, Any]) -> Said:
    """Every certificate in the files of `globs`, and nothing else of them: a JSON list of
    {"where", "pem"}."""
    found = []
    for path in lying(asked["globs"]):
        text = path.read_text(encoding="utf-8", errors="replace")
        inside = [base64.b64decode(each).decode() for each in EMBEDDED.findall(text)]
        found += [{"where": str(path), "pem": pem} for pem in (*PEM.findall(text), *inside)]
    return 0, json.dumps(found), ""


def shown(asked: dict[str, Any]) -> Said:
    """The certificate that a server at `address` and `port` shows for `host`, whoever signed it:
    {"where", "pem"}."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    place = (asked["address"], asked["port"])
    with (
        socket.create_connection(place, timeout=asked["seconds"]) as plain,
        context.wrap_socket(plain, server_hostname=asked["host"]) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True)
    pem = ssl.DER_cert_to_PEM_cert(der or b"")
    where = f"{asked['host']} at {asked['address']}:{asked['port']}"
    return 0, json.dumps([{"where": where, "pem": pem}]), ""


def unix(asked: dict[str, Any]) -> Said:
    """What a daemon answers to `text` at its socket `path`."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(asked["seconds"])
        door.connect(asked["path"])
        door.sendall(asked["text"].encode())
        pieces = []
        while piece := door.recv(65536):
            pieces.append(piece)
    return 0, b"".join(pieces).decode(errors="replace"), ""


def services(asked: dict[str, Any]) -> Said:
    """Every service that was pushed here, as its manifest says: a JSON list of {"unit", "wanted",
    "active", "status", "said"}; `status` is its own probe's, None without one."""
    found: dict[str, dict[str, Any]] = {}
    for path in lying([asked["manifests"]]):
        for each in json.loads(path.read_text(encoding="utf-8"))["services"]:
            unit = each["name"] if "." in each["name"] else f"{each['name']}.service"
            row = found.setdefault(unit, {"unit": unit, "wanted": False, "health": None})
            row["wanted"] = row["wanted"] or each["enable"]
            row["health"] = row["health"] or each["health"]
    for unit, row in found.items():
        _, active, _ = ran(["systemctl", "is-active", "--", unit], asked["seconds"])
        probe, status, said = row.pop("health"), None, ""
        if probe is not None:
            status, out, err = ran(probe["argv"], asked["seconds"])
            said = CLEAN((err or out).strip())[-500:]
        row.update(active=active.strip(), status=status, said=said)
    return 0, json.dumps(list(found.values())), ""


KINDS = {
    "run": run,
    "read": read,
    "certificates": certificates,
    "shown": shown,
    "unix": unix,
    "services": services,
}


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        status, out, err = KINDS[asked["kind"]](asked)
    except TimeoutError:
        status, out, err = 124, "", f"no answer within {asked['seconds']:g} s"
    except (OSError, ValueError, KeyError) as problem:
        status, out, err = 1, "", f"{type(problem).__name__}: {problem}"
    if asked["kind"] in ("run", "unix"):
        out = CLEAN(out)
    err = CLEAN(err)
    most, seconds = asked["most"], round(time.monotonic() - begun, 3)
    return {"status": status, "out": out[:most], "err": err[:most], "seconds": seconds}


def cleaning(redact: dict[str, Any]) -> Callable[[str], str]:
    """What takes out of a text the secrets that this machine keeps, in every form.

    `program` is the text of `ops.scripts.redact`; `stores` are globs of JSON files that hold
    nothing else, `keys` of files with private keys or kubeconfigs.
    """
    tools: dict[str, Any] = {}
    exec(redact["program"], tools)  # noqa: S102 - our own module, sent as a text
    values: list[str] = []

    def gather(value: Any) -> None:
        if isinstance(value, dict):
            for each in value.values():
                gather(each)
        elif isinstance(value, list):
            for each in value:
                gather(each)
        elif isinstance(value, str):
            values.append(value)

    for path in lying(redact["stores"]):
        gather(json.loads(path.read_text(encoding="utf-8")))
    for path in lying(redact["keys"]):
        if path.is_file():
            values.extend(tools["kept"](path.read_text(encoding="utf-8", errors="replace")))
    forms = tools["known"](values)
    return lambda text: str(tools["unknown"](text, forms))


def main(request: dict[str, Any]) -> None:
    """Ends by itself when its time is over, though nobody listens any more."""
    signal.alarm(int(request["seconds"]) + 1)
    begun = time.time()
    if request.get("redact"):
        globals()["CLEAN"] = cleaning(request["redact"])
    with ThreadPoolExecutor(max_workers=4) as pool:
        told = dict(
            zip(
                request["questions"],
                pool.map(answered, request["questions"].values()),
                strict=True,
            )
        )
    sys.stdout.write(json.dumps({"begun": begun, "ended": time.time(), "answers": told}))


if "request" in globals():
    main(globals()["request"])
