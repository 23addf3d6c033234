"""The certificates that the edge shows to visitors, and its own authority, kept in a folder."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from lab import private

NAME = "Lab Edge CA"
DAYS = 90


class Authority:
    """An authority whose certificate lies in `folder`/edge-ca.pem and its key beside it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "edge-ca.pem"
        key = folder / "edge-ca.key"
        if not key.exists() or not self.path.exists():
            fresh = ec.generate_private_key(ec.SECP256R1())
            name = _named(NAME)
            own = _builder(name, name, fresh.public_key(), 3650).add_extension(
                x509.BasicConstraints(ca=True, path_length=0), critical=True
            )
            private.write(key, _pem_of(fresh))
            signed = own.sign(fresh, hashes.SHA256())
            private.write(self.path, signed.public_bytes(Encoding.PEM).decode())
        loaded = load_pem_private_key(key.read_bytes(), password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key = loaded

    def issue(self, names: Sequence[str]) -> str:
        """A certificate for host names, and the key that was made for it (PEM)."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = (
            _builder(_named(names[0]), _named(NAME), key.public_key(), DAYS)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return signed.public_bytes(Encoding.PEM).decode() + _pem_of(key)


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - datetime.timedelta(hours=1))
        .not_valid_after(start + datetime.timedelta(days=days))
    )


def _pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.private_bytes(*form).decode()
