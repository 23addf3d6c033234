"""The access log for machines: what HAProxy says of one request, as a JSON object. Pure.

Texts that a client chose pass through HAProxy's json converter; everything else is numbers and
words of HAProxy's own (configuration manual, section 8.2.6).
"""

from __future__ import annotations

from typing import Final

from components.host.text import json_object

SOCKET: Final = "/dev/access-log"
"""Where HAProxy sends lines, as it sees it: within `CHROOT`."""
CHROOT: Final = "/var/lib/haproxy"
LENGTHS: Final = {"method": 32, "host": 255, "path": 2048, "query": 2048}
"""Bytes of what a client chose; the rest is cut off."""
LONGEST: Final = 16_384
"""Bytes of a line: room for `LENGTHS`, of which the converter makes three for one at most."""

_TIME: Final = "%[date,utime(%Y-%m-%dT%H:%M:%S)].%[date(0,ms),mod(1000),add(1000),regsub(^.,)]Z"
_WHEN: Final = {"time": f'"{_TIME}"'}
"""When it ended."""
_WHO: Final = {"client": '"%ci"', "tls": '"%sslv"'}
_END: Final = {"status": "%ST", "bytes": "%B", "termination": '"%tsc"'}
_TIMERS: Final = {
    **{"handshake": "%Th", "idle": "%Ti", "request": "%TR", "queue": "%Tw", "connect": "%Tc"},
    **{"response": "%Tr", "data": "%Td", "active": "%Ta"},
}


def texts(*, query: bool) -> dict[str, int]:
    """What a client chose, and how many bytes of it a line has."""
    return {name: length for name, length in LENGTHS.items() if query or name != "query"}


def line(*, query: bool, shown: bool) -> str:
    """The `log-format` of a request; `shown` adds what became of the client's certificate."""
    return json_object(
        {
            **_WHEN,
            "request_id": '"%ID"',
            **_WHO,
            **{name: f'"%[var(txn.log_{name}),json(utf8s)]"' for name in texts(query=query)},
            **_END,
            "bytes_received": "%U",
            "backend": '"%b"',
            "server": '"%s"',
            **({"client_certificate": '"%[var(txn.shown)]"'} if shown else {}),
            "milliseconds": json_object(_TIMERS),
        }
    )


def error() -> str:
    """The `error-log-format` of a connection that brought no request."""
    return json_object({**_WHEN, **_WHO, **_END, "error": '"%[fc_err_str]"'})
