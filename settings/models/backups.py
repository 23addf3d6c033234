"""Backups of the cluster, and the one that it is brought back from."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from settings.models.base import Block, Form, Sha256, Strict, Unit, fault
from settings.models.keys import HostKey
from settings.models.urls import Url

_SHORTEST_RSA = 2048
"""Bits (NIST SP 800-131A)."""


def _recipient(text: str) -> str:
    # Imported here: most stacks have no need of it, and it takes a tenth of a second.
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    right = "write one certificate (PEM), as docs/cluster.md makes it"
    try:
        found = x509.load_pem_x509_certificates(text.encode())
        public = found[0].public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise fault("holds no certificate that can be read", right) from None
    if len(found) > 1:
        raise fault(f"holds {len(found)} certificates", right)
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < _SHORTEST_RSA:
            wrong = f"is of an RSA key of {public.key_size} bits"
            raise fault(wrong, f"write one of {_SHORTEST_RSA} bits or more")
    elif not isinstance(public, ec.EllipticCurvePublicKey):
        raise fault(
            "is of a key that signs and opens nothing",
            "write one of an RSA key, or of an elliptic curve's such as P-256",
        )
    return text


Recipient = Annotated[str, Block(), AfterValidator(_recipient)]
"""A certificate (PEM, RFC 7468) whose key opens what is encrypted to it (CMS, RFC 5652)."""


def _store(url: str) -> str:
    parts = urlsplit(url)
    right = "write ssh://USER@HOST/FOLDER"
    if not parts.username or re.fullmatch(r"[a-z_][a-z0-9_.-]{0,31}", parts.username) is None:
        raise fault("names no user", right)
    if re.fullmatch(r"(/[A-Za-z0-9._-]+)+", parts.path) is None or "/.." in parts.path:
        raise fault("names no folder", f"{right}, of letters, digits and . _ -")
    if parts.query or parts.fragment:
        raise fault("has something behind the folder", right)
    return url


StoreUrl = Annotated[str, Url(("ssh",), users=True), AfterValidator(_store)]
"""A folder at an SSH server, which is spoken to by SFTP."""

_ARCHIVE = r"[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9-]{0,39}\.\d{8}T\d{6}Z\.backup"
"""What a backup is called: cluster, machine, UTC."""

ArchiveName = Annotated[
    str,
    Form(
        _ARCHIVE,
        "is no backup's name",
        "write it as the store has it, such as prod.cp-1.20260801T120000Z.backup",
    ),
]

Copies = Annotated[int, Field(ge=2, le=10_000, strict=True)]
"""The one before the last is kept at least: the last may be of what went wrong."""


def _shares_a_day(hours: int) -> int:
    if 24 % hours:
        raise fault("hours are no even share of a day", "write 1, 2, 3, 4, 6, 8, 12 or 24")
    return hours


Hours = Annotated[
    int, Unit("hours"), Field(ge=1, le=24, strict=True), AfterValidator(_shares_a_day)
]
"""Between things that happen at the same times each day."""


class SshStore(Strict):
    """A server that takes the backups by SFTP."""

    url: StoreUrl
    """Where they go: ssh://USER@HOST[:PORT]/FOLDER. The folder must exist."""
    host_keys: list[HostKey] = Field(min_length=1)
    """What the server proves itself with, as `ssh-keyscan` prints it without the name."""
    keep: Copies | None = 120
    """Copies of each control plane there, the oldest going first. Null: the store's own business,
    and none is ever deleted there."""

    @property
    def user(self) -> str:
        """Who logs in."""
        return urlsplit(self.url).username or ""

    @property
    def host(self) -> str:
        """A name or an address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Of TCP."""
        return urlsplit(self.url).port or 22

    @property
    def folder(self) -> str:
        """Absolute, as SFTP sees it."""
        return urlsplit(self.url).path


class Backups(Strict):
    """Every control plane takes its own snapshot of etcd, packs it with the cluster's keys,
    encrypts all of it, and ships it."""

    recipient: Recipient
    """The certificate (PEM) whose private key alone opens a backup; that key is on no machine."""
    every_hours: Hours = 6
    """How often, in hours. Each control plane does it at a time of its own within the first
    quarter."""
    keep: Copies = 4
    """Copies on the control plane's own disk."""
    ssh: SshStore
    """Where they are shipped; the key for it is the secret `backupSshKey`."""


class Restore(Strict):
    """The backup that a cluster is brought back from, whose machines are all new."""

    archive: ArchiveName
    """Its name at the store."""
    sha256: Sha256 | None = None
    """Its SHA-256, where you know it: it is judged by that alone. Null: it must have been signed by
    the key that is the secret `backupSshKey` now."""
