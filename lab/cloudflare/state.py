"""What the small Cloudflare knows: zones, their records and settings, certificates, its CA."""

from __future__ import annotations

import datetime
import json
import secrets
from pathlib import Path
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import private

Json: TypeAlias = dict[str, Any]

DEFAULT_SETTINGS: dict[str, Any] = {
    "0rtt": "off",
    "always_online": "off",
    "always_use_https": "off",
    "automatic_https_rewrites": "off",
    "brotli": "on",
    "browser_cache_ttl": 14400,
    "cache_level": "aggressive",
    "http2": "on",
    "http3": "on",
    "ipv6": "on",
    "min_tls_version": "1.0",
    "opportunistic_encryption": "on",
    "security_header": {
        "strict_transport_security": {
            **{"enabled": False, "max_age": 0, "include_subdomains": False},
            **{"preload": False, "nosniff": False},
        }
    },
    "security_level": "medium",
    "ssl": "full",
    "tls_1_3": "on",
    "tls_client_auth": "off",
    "websockets": "on",
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "ssl": ("off", "flexible", "full", "strict"),
    "min_tls_version": ("1.0", "1.1", "1.2", "1.3"),
    "tls_1_3": ("on", "off", "zrt"),
    "cache_level": ("aggressive", "basic", "simplified"),
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
}


def right(setting: str, value: Any) -> bool:
    """Whether a zone setting may have the value."""
    if setting == "browser_cache_ttl":
        return isinstance(value, int)
    if setting == "security_header":
        given = value.get("strict_transport_security") if isinstance(value, dict) else None
        default = DEFAULT_SETTINGS[setting]["strict_transport_security"]
        return isinstance(given, dict) and all(
            type(each) is type(default.get(key)) for key, each in given.items()
        )
    return value in _CHOICES.get(setting, ("on", "off"))


def now() -> str:
    """The time as the API writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """An identifier: 32 hexadecimal digits."""
    return secrets.token_hex(16)


class State:
    """The whole state; `save` after a change. The file is readable by its owner alone, as it
    holds the CA's key."""

    def __init__(self, path: Path, zones: list[str]) -> None:
        self._path = path
        self.data: Json = {"zones": {}, "certificates": {}}
        if path.exists():
            self.data = json.loads(path.read_text())
        for name in zones:
            if not any(zone["name"] == name for zone in self.zones.values()):
                self._add_zone(name)
        if "ca" not in self.data:
            self.data["ca"] = _make_authority()
        self.save()

    @property
    def zones(self) -> dict[str, Json]:
        """Zones by id: `name`, `created_on`, `records` by id, `settings` by name."""
        return self.data["zones"]  # type: ignore[no-any-return]

    @property
    def certificates(self) -> dict[str, Json]:
        """Origin CA certificates by id."""
        return self.data["certificates"]  # type: ignore[no-any-return]

    @property
    def authority(self) -> str:
        """The CA's certificate (PEM)."""
        return str(self.data["ca"]["certificate"])

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        private.write(self._path, json.dumps(self.data, indent=1))

    def _add_zone(self, name: str) -> None:
        settings = {key: {"value": value} for key, value in DEFAULT_SETTINGS.items()}
        self.zones[new_id()] = {
            "name": name,
            "created_on": now(),
            "records": {},
            "settings": settings,
        }

    def sign(self, csr: str, hostnames: list[str], days: int) -> tuple[str, str]:
        """A certificate (PEM) for the request's key and these names, and when it expires.

        Raises ValueError for a request that cannot be read or does not hold together.
        """
        request = x509.load_pem_x509_csr(csr.encode())
        if not request.is_signature_valid:
            raise ValueError("the request's signature is not valid")
        key = serialization.load_pem_private_key(self.data["ca"]["key"].encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        authority = x509.load_pem_x509_certificate(self.authority.encode())
        start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        end = start + datetime.timedelta(days=days)
        organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab Origin Certificate")
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([organization]))
            .issuer_name(authority.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in hostnames]),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return pem, end.strftime("%Y-%m-%dT%H:%M:%SZ")


def _make_authority() -> Json:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab Origin CA")])
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - datetime.timedelta(hours=1))
        .not_valid_after(start + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    }
