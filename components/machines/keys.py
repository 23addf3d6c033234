"""The public half of an OpenSSH private key, read from its own header."""

from __future__ import annotations

import base64
import binascii
import struct

_MAGIC = b"openssh-key-v1\0"


def public_key_of(private_key: str) -> str:
    """`TYPE BASE64` of an unencrypted OpenSSH private key (OpenSSH's PROTOCOL.key).

    Raises `ValueError` when the text is no such key. It never quotes the text.
    """
    lines = [line.strip() for line in private_key.strip().splitlines()]
    try:
        blob = base64.b64decode("".join(line for line in lines if "-----" not in line))
    except binascii.Error:
        blob = b""
    if not blob.startswith(_MAGIC):
        raise ValueError(
            "deployKey: not an OpenSSH private key; make one with "
            "`ssh-keygen -t ed25519 -N '' -f deploy` and set it with "
            "`pulumi config set --secret deployKey < deploy`"
        )
    rest = blob[len(_MAGIC) :]
    cipher, rest = _string(rest)
    if cipher != b"none":
        raise ValueError("deployKey: the key has a passphrase, which nobody can type here")
    _, rest = _string(rest)
    _, rest = _string(rest)
    public, _ = _string(rest[4:])
    kind, _ = _string(public)
    return f"{kind.decode()} {base64.b64encode(public).decode()}"


def _string(data: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", data[:4])
    return data[4 : 4 + length], data[4 + length :]
