"""Certificates wherever this runs; standard library only, arguments as one JSON object.

Argument: {"files": absolute globs of PEM files and kubeconfigs, "shown": [{"address", "port",
"host"}]}.
Prints a JSON list, one {"where", "pem"} for each that lies in a file or is shown in a handshake;
"pem" is empty, and "error" says why, where nothing is shown.
"""

import base64
import json
import re
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
EMBEDDED = re.compile(r"client-certificate-data:\s*([A-Za-z0-9+/=]+)")


def lying(pattern: str) -> list[dict[str, str]]:
    """Every certificate in the files of a glob."""
    found = []
    for path in sorted(Path("/").glob(pattern.removeprefix("/"))):
        text = path.read_text()
        inside = [base64.b64decode(each).decode() for each in EMBEDDED.findall(text)]
        for pem in (*PEM.findall(text), *inside):
            found.append({"where": str(path), "pem": pem})
    return found


def shown(place: dict[str, Any]) -> dict[str, str]:
    """The certificate that a server shows, whoever signed it."""
    where = f"{place['host']} at {place['address']}:{place['port']}"
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((place["address"], place["port"]), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=place["host"]) as wrapped,
        ):
            der = wrapped.getpeercert(binary_form=True)
    except OSError as problem:
        return {"where": where, "pem": "", "error": f"{type(problem).__name__}: {problem}"}
    return {"where": where, "pem": ssl.DER_cert_to_PEM_cert(der or b"")}


given = json.loads(sys.argv[1])
print(
    json.dumps(
        [each for pattern in given.get("files", []) for each in lying(pattern)]
        + [shown(place) for place in given.get("shown", [])]
    )
)
