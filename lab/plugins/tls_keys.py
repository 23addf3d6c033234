"""Private keys in the forms the tls provider gives them out.

Forms and texts follow terraform-provider-tls 4 (`internal/provider`), which pulumi-tls 5 wraps.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lab.plugins.resource import PluginError

Private: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Public: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

ALGORITHMS = ("RSA", "ECDSA", "ED25519")
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}


def generate(algorithm: str, *, rsa_bits: int, curve: str) -> Private:
    """A new key; `curve` is a name of `CURVES`."""
    if algorithm == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
    if algorithm == "ECDSA":
        return ec.generate_private_key(CURVES[curve]())
    return ed25519.Ed25519PrivateKey.generate()


def parse(pem: str, *, what: str) -> Private:
    """The key in a PEM text. Raises `PluginError` naming `what` it was given as."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PluginError(f"Failed to parse {what}: {error}") from error
    if not isinstance(
        key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ):
        raise PluginError(f"Failed to parse {what}: unsupported key type {type(key).__name__}")
    return key


def algorithm_of(key: Private) -> str:
    """RSA, ECDSA or ED25519."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "ED25519"


def _openssh_knows(key: Private) -> bool:
    # OpenSSH has no form for the curve P-224 (RFC 5656).
    return not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1))


def private_forms(key: Private) -> dict[str, str]:
    """`privateKeyPem` (PKCS#1 or SEC1, PKCS#8 for ED25519), `privateKeyPemPkcs8` and
    `privateKeyOpenssh` (empty when OpenSSH has no such key)."""

    def text(form: PrivateFormat) -> str:
        return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    traditional = not isinstance(key, ed25519.Ed25519PrivateKey)
    return {
        "privateKeyPem": text(
            PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
        ),
        "privateKeyPemPkcs8": text(PrivateFormat.PKCS8),
        "privateKeyOpenssh": text(PrivateFormat.OpenSSH) if _openssh_knows(key) else "",
    }


def public_forms(key: Private) -> dict[str, str]:
    """`publicKeyPem`, `publicKeyOpenssh` and its two fingerprints (empty where OpenSSH has no
    such key)."""
    public = key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    openssh = md5 = sha256 = ""
    if _openssh_knows(key):
        line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        openssh = f"{line}\n"
        md5, sha256 = _fingerprints(line)
    return {
        "publicKeyPem": pem,
        "publicKeyOpenssh": openssh,
        "publicKeyFingerprintMd5": md5,
        "publicKeyFingerprintSha256": sha256,
    }


def _fingerprints(line: str) -> tuple[str, str]:
    import base64

    blob = base64.b64decode(line.split()[1])
    # MD5 is the old form of a fingerprint, shown for comparison and trusted by nothing.
    md5 = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return ":".join(md5[at : at + 2] for at in range(0, len(md5), 2)), f"SHA256:{sha256}"


def identifier(key: Private) -> str:
    """The resource's id: SHA-1 of the public key's DER form, in hexadecimal."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha1(der, usedforsecurity=False).hexdigest()
