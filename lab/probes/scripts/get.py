"""HTTP(S) requests from wherever this runs; standard library only, arguments as one JSON object.

Argument: {"address", "port", "tls", "host", "path", "count", "timeout" (seconds), "ca" (PEM or
null), "headers" (object), "raw" (the body as "text", not JSON), "shows" (names of the answer's
header fields)}. Prints a JSON list, one {"status", "seconds", "json", "error", "shown"} a request.
Each request opens a connection of its own.
"""

import http.client
import json
import socket
import ssl
import sys
import time
from typing import Any


class ToAddress(http.client.HTTPConnection):
    """A connection to a fixed address, whatever the name asked for."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec["host"], spec["port"], timeout=spec["timeout"])
        self.spec = spec

    def connect(self) -> None:
        sock = socket.create_connection(
            (self.spec["address"], self.spec["port"]), timeout=self.spec["timeout"]
        )
        if self.spec.get("tls"):
            context = ssl.create_default_context(cadata=self.spec.get("ca") or None)
            if not self.spec.get("ca"):
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            sock = context.wrap_socket(sock, server_hostname=self.spec["host"])
        self.sock = sock


def once(spec: dict[str, Any]) -> dict[str, Any]:
    """One request; never raises."""
    started = time.monotonic()
    answer: dict[str, Any] = {"status": 0, "json": None, "error": "", "shown": {}}
    connection = ToAddress(spec)
    try:
        connection.request("GET", spec["path"], headers={"Host": spec["host"], **spec["headers"]})
        response = connection.getresponse()
        body = response.read(1 << 20)
        answer["status"] = response.status
        answer["shown"] = {name: response.getheader(name) for name in spec.get("shows", ())}
        if spec.get("raw"):
            answer["text"] = body.decode("utf-8", "replace")
            return answer
        try:
            answer["json"] = json.loads(body)
        except ValueError:
            answer["error"] = body[:200].decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as problem:
        answer["error"] = f"{type(problem).__name__}: {problem}"
    finally:
        connection.close()
        answer["seconds"] = round(time.monotonic() - started, 4)
    return answer


def main() -> None:
    """Run the requests the first argument asks for."""
    asked: dict[str, Any] = json.loads(sys.argv[1])
    spec = {"tls": False, "path": "/", "count": 1, "timeout": 5, "headers": {}, **asked}
    print(json.dumps([once(spec) for _ in range(spec["count"])]))


main()
