"""The passphrase of a backend of ours, and ciphertext as Pulumi's passphrase provider writes it.

The format is Pulumi's (`sdk/go/common/resource/config/crypt.go`, `pkg/secrets/passphrase`): the
key is PBKDF2-SHA256 of the passphrase with an 8-byte salt and 1,000,000 rounds; a value is
`v1:NONCE:CIPHERTEXT` of AES-256-GCM, both parts base64; a stack file's salt is
`v1:SALT:` followed by the encrypted word "pulumi". Writing it here keeps secrets out of argv.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import secrets as random
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROUNDS = 1_000_000


@functools.cache
def of_this_process() -> tuple[str, bytes]:
    """A passphrase and a salt for all that one process throws away: the key of a pair of its own
    would take each half a second of a core."""
    return random.token_urlsafe(32), os.urandom(8)


def passphrase_file(path: Path, passphrase: str | None = None) -> Path:
    """A file (mode 0600) that holds a passphrase, a random one unless it is given; made when it is
    not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(passphrase or random.token_urlsafe(32))
    return path


class Crypter:
    """Encrypts configuration values for one stack file."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        self._salt = salt
        self._aead = AESGCM(_key(passphrase, salt))

    @classmethod
    def of(cls, passphrase: str, salt_text: str) -> Self:
        """The one whose `salt_text` this is."""
        return cls(passphrase, base64.b64decode(salt_text.split(":")[1]))

    def encrypt(self, value: str) -> str:
        """The ciphertext that stands under `secure:` in a stack file."""
        nonce = os.urandom(12)
        sealed = self._aead.encrypt(nonce, value.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str) -> str:
        """What `encrypt` sealed. Raises `cryptography.exceptions.InvalidTag` for another key's."""
        _, nonce, sealed = ciphertext.split(":")
        opened = self._aead.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
        return opened.decode()

    def salt_text(self) -> str:
        """The `encryptionsalt:` of the stack file."""
        return f"v1:{base64.b64encode(self._salt).decode()}:{self.encrypt('pulumi')}"

    def opens(self, salt_text: str) -> bool:
        """Whether the salt of a stack file is ours."""
        return salt_text.startswith(f"v1:{base64.b64encode(self._salt).decode()}:")


@functools.cache
def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32)
