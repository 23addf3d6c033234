"""Certificates made for a test, by an issuer and for times that it chooses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        done = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return done.decode()


def made(
    name: str,
    *,
    by: Pair | None = None,
    names: tuple[str, ...] = ("*.lab.test", "lab.test"),
    begins: datetime = NOW - timedelta(days=100),
    ends: datetime = NOW + timedelta(days=265),
    authority: bool = False,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Pair:
    """`key` is one that it is to have; else it gets its own."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(alternative, critical=False)
    if authority:
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = builder.add_extension(basic, critical=True)
    return Pair(builder.sign(by.key if by else key, hashes.SHA256()), key)
