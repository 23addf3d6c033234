"""Public keys: of people, and of package repositories."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Final

from pydantic import AfterValidator

from settings.models.base import Block, Prose, fault

_CURVES: Final = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
"""Bytes of an uncompressed point."""
SSH_KINDS: Final = (
    "ssh-ed25519",
    "ssh-rsa",
    *(f"ecdsa-sha2-{curve}" for curve in _CURVES),
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
"""What sshd takes today; ssh-dss is gone."""
_SHORTEST_RSA = 1024
"""Bits (sshd_config(5), RequiredRSASize)."""
_FLAGS: Final = frozenset(
    f"{no}{name}"
    for no in ("", "no-")
    for name in ("agent-forwarding", "port-forwarding", "pty", "user-rc", "x11-forwarding")
) | {"cert-authority", "no-touch-required", "restrict", "verify-required"}
_VALUES: Final = frozenset(
    ("command", "environment", "expiry-time", "from", "permitlisten", "permitopen", "principals")
) | {"tunnel"}
"""Options of sshd(8), AUTHORIZED_KEYS FILE FORMAT."""
_OPTION = re.compile(r'([A-Za-z0-9-]+)(?:=("(?:[^"\\]|\\.)*"))?(,|(?=\s)|$)')
_CUT_OFF = ("is cut off: the key ends in the middle", "write the whole line of the .pub file")
_LINE = "write the .pub file's line, such as: ssh-ed25519 AAAA... who@where"


def key_of(line: str) -> str:
    """The key alone, in base64, of a line of authorized_keys(5)."""
    _, words = _options(line)
    return words[1]


def _authorized(line: str) -> str:
    options, words = _options(line)
    for name, value in options:
        if value and name.lower() not in _VALUES:
            raise fault(f"has the option {name} with a value, which sshd refuses", "remove it")
        if not value and name.lower() not in _FLAGS:
            raise fault(f"has the option {name}, which sshd refuses", "remove it or spell it right")
    if len(words) < 2 or words[0] not in SSH_KINDS:
        if words and words[0] == "ssh-dss":
            raise fault("is a DSA key, which sshd takes no more", "make an ed25519 key")
        if re.match(r"[A-Za-z-]+=[^\"]", line):
            raise fault("has an option whose value is not in quotes", 'write it as from="VALUE"')
        raise fault("is no OpenSSH public key", _LINE)
    _blob(words[0], words[1])
    return line


def _options(line: str) -> tuple[list[tuple[str, str | None]], list[str]]:
    """The options in front, and the words from the key's type on."""
    options: list[tuple[str, str | None]] = []
    words = line.split(None, 2)
    if words and words[0] in SSH_KINDS:
        return options, words
    position = 0
    while (found := _OPTION.match(line, position)) is not None and found.end() > position:
        options.append((found[1], found[2]))
        position = found.end()
        if found[3] != ",":
            break
    rest = line[position:].split(None, 2)
    return (options, rest) if rest and rest[0] in SSH_KINDS else ([], words)


def _blob(kind: str, blob: str) -> None:
    try:
        raw = base64.b64decode(blob, validate=True)
    except ValueError:  # no ASCII, or no base64
        if re.fullmatch(r"AAAA[A-Za-z0-9+/]+", blob):
            raise fault(*_CUT_OFF) from None
        raise fault("is no OpenSSH public key", _LINE) from None
    fields: list[bytes] = []
    while raw:
        length = int.from_bytes(raw[:4], "big")
        if len(raw) < 4 + length:
            raise fault(*_CUT_OFF)
        fields.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    if not fields or fields[0] != kind.encode():
        raise fault("is no OpenSSH public key", _LINE)
    if not _whole(kind, fields[1:]):
        raise fault(*_CUT_OFF)
    if kind == "ssh-rsa" and int.from_bytes(fields[2], "big").bit_length() < _SHORTEST_RSA:
        raise fault("is too short for sshd", "make an ed25519 key")


def _whole(kind: str, fields: list[bytes]) -> bool:
    """RFC 4253 (6.6), RFC 5656, RFC 8709, PROTOCOL.u2f."""
    lengths = [len(each) for each in fields]
    if kind == "ssh-rsa":
        return len(fields) == 2 and min(lengths) > 0
    expected: list[int | None]
    if "ed25519" in kind:
        expected = [32, *([None] if kind.startswith("sk-") else [])]
    else:
        curve = next(each for each in _CURVES if each in kind)
        expected = [len(curve), _CURVES[curve], *([None] if kind.startswith("sk-") else [])]
    return len(expected) == len(lengths) and all(
        want in (None, have) for want, have in zip(expected, lengths, strict=True)
    )


AuthorizedKey = Annotated[str, Prose(), AfterValidator(_authorized)]
"""A line of authorized_keys(5): options, type, key, comment."""


def _host_key(line: str) -> str:
    words = line.split()
    if len(words) < 2 or words[0] not in SSH_KINDS:
        raise fault("is no host key", "write its type and key, such as: ssh-ed25519 AAAA...")
    _blob(words[0], words[1])
    return line


HostKey = Annotated[str, Prose(), AfterValidator(_host_key)]
"""A machine's public key: type, key, comment (sshd(8), SSH_KNOWN_HOSTS, without the names)."""

_BEGIN: Final = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_END: Final = "-----END PGP PUBLIC KEY BLOCK-----"
_WHOLE_KEY = f"write the key itself, from {_BEGIN} to {_END}"


def _armored(text: str) -> str:
    """RFC 9580, 6.2: header line, armor headers, a blank line, base64, checksum, tail line."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines or not lines[0].startswith(_BEGIN):
        raise fault("is not an armored public key", _WHOLE_KEY)
    if lines[0] != _BEGIN:
        raise fault(
            "has lost its line breaks", "write it as a block: signed_by: | and the key indented"
        )
    if lines[-1] != _END:
        raise fault("is cut off: its last line is missing", _WHOLE_KEY)
    for block in text.strip().split(_END)[:-1]:
        head, _, body = block.partition("\n\n")
        inside = (body or head.replace(_BEGIN, "")).split()
        words = [each for each in inside if not each.startswith("=")]
        sums = [each for each in inside if each.startswith("=")]
        try:
            packets = base64.b64decode("".join(words), validate=True)
        except ValueError:  # no ASCII, or no base64
            raise fault("is damaged: its body is no base64", _WHOLE_KEY) from None
        if not packets or not packets[0] & 0x80:
            raise fault("holds no key", _WHOLE_KEY)
        if sums and base64.b64decode(sums[-1][1:] + "=" * (-len(sums[-1][1:]) % 4)) != _crc(
            packets
        ):
            raise fault("is damaged: its checksum differs", _WHOLE_KEY)
    return text


def _crc(data: bytes) -> bytes:
    """CRC-24 of RFC 9580, 6.1."""
    crc = 0xB704CE
    for each in data:
        crc ^= each << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return (crc & 0xFFFFFF).to_bytes(3, "big")


ArmoredKey = Annotated[str, Block(), AfterValidator(_armored)]
"""An OpenPGP public key in armor."""
