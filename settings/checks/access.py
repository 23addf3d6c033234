"""Who may log in: the operators' keys."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_SSH_KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


@reads("access")
def authorized_keys_are_public_keys(stack: Stack) -> Iterator[Problem]:
    """sshd(8), AUTHORIZED_KEYS: type, base64 blob that names the same type, comment."""
    seen: dict[str, int] = {}
    for index, line in enumerate(stack.access.authorized_keys):
        path = f"access.authorized_keys[{index}]"
        if "PRIVATE KEY" in line:
            yield problem(
                path,
                ABSENT,
                "is a private key, in clear text",
                "write the .pub file's line, and replace the key pair: this one has leaked",
            )
            continue
        words = line.split()
        if len(words) < 2 or words[0] not in _SSH_KINDS or not _is_blob(words[0], words[1]):
            yield problem(
                path,
                line,
                "is no OpenSSH public key",
                "write the .pub file's line, such as: ssh-ed25519 AAAA... who@where",
            )
            continue
        earlier = seen.setdefault(words[1], index)
        if earlier != index:
            yield problem(
                path, line, f"stands at access.authorized_keys[{earlier}] already", "name it once"
            )


def _is_blob(kind: str, blob: str) -> bool:
    try:
        raw = base64.b64decode(blob, validate=True)
    except binascii.Error:
        return False
    length = int.from_bytes(raw[:4], "big")
    return raw[4 : 4 + length] == kind.encode() and len(raw) > 4 + length
