"""Addresses of names, asked of one name server; standard library only, arguments as JSON.

Argument: {"server", "names" (list), "timeout" (seconds)}. Prints a JSON object, name to the IPv4
addresses in the answer (RFC 1035, section 4), or to what went wrong as a text.
"""

import json
import secrets
import socket
import struct
import sys
from typing import Any

A = 1
INTERNET = 1


def question(number: int, name: str) -> bytes:
    """A query for a name's A records."""
    labels = b"".join(bytes([len(each)]) + each for each in name.encode().split(b"."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, A, 1)


def after_name(answer: bytes, at: int) -> int:
    """Where a name ends that begins at `at`; one that points elsewhere has two bytes."""
    while answer[at]:
        if answer[at] >= 0xC0:
            return at + 2
        at += answer[at] + 1
    return at + 1


def addresses(answer: bytes, number: int) -> list[str]:
    """The A records of an answer; raises ValueError for one that is none, or an error's."""
    got, flags, questions, answers = struct.unpack_from(">4H", answer)
    if got != number or not flags & 0x8000:
        raise ValueError("no answer to the question")
    if flags & 0xF:
        raise ValueError(f"the server answers with code {flags & 0xF}")
    at = 12
    for _ in range(questions):
        at = after_name(answer, at) + 4
    found = []
    for _ in range(answers):
        at = after_name(answer, at)
        kind, of, _, length = struct.unpack_from(">HHIH", answer, at)
        at += 10
        if (kind, of) == (A, INTERNET):
            found.append(socket.inet_ntoa(answer[at : at + length]))
        at += length
    return found


def once(spec: dict[str, Any], name: str) -> Any:
    """One question; never raises."""
    number = secrets.randbelow(1 << 16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(spec["timeout"])
        try:
            udp.connect((spec["server"], 53))
            udp.send(question(number, name))
            return addresses(udp.recv(4096), number)
        except (OSError, ValueError, struct.error, IndexError) as problem:
            return f"{type(problem).__name__}: {problem}"


def main() -> None:
    """Ask what the first argument says."""
    spec: dict[str, Any] = {"timeout": 5, **json.loads(sys.argv[1])}
    print(json.dumps({name: once(spec, name) for name in spec["names"]}))


main()
