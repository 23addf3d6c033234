"""Certificates and certificate requests, as the tls provider makes them."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.plugins.resource import PluginError
from lab.plugins.tls_keys import Private, Public

KEY_USAGES = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
EXTENDED_KEY_USAGES = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec_end_system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec_tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec_user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft_server_gated_crypto": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape_server_gated_crypto": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
    "microsoft_commercial_code_signing": x509.ObjectIdentifier("1.3.6.1.4.1.311.2.1.22"),
    "microsoft_kernel_code_signing": x509.ObjectIdentifier("1.3.6.1.4.1.311.61.1.1"),
}
USES = (*KEY_USAGES, *EXTENDED_KEY_USAGES)
_SUBJECT = {
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "postalCode": NameOID.POSTAL_CODE,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}


@dataclass(frozen=True)
class Issued:
    """A certificate: its serial number as decimal text, PEM, and validity in RFC 3339."""

    id: str
    pem: str
    start: str
    end: str


def subject_of(subject: Mapping[str, Any] | None) -> x509.Name:
    """The distinguished name of a `subject` input; an empty name without one."""
    attributes = []
    for key, oid in _SUBJECT.items():
        if subject and subject.get(key):
            attributes.append(x509.NameAttribute(oid, subject[key]))
    for street in (subject or {}).get("streetAddresses") or ():
        attributes.append(x509.NameAttribute(NameOID.STREET_ADDRESS, street))
    return x509.Name(attributes)


def alternative_names(inputs: Mapping[str, Any]) -> x509.SubjectAlternativeName | None:
    """The names in `dnsNames`, `ipAddresses` and `uris`. Raises `PluginError`."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in inputs.get("dnsNames") or ()]
    for address in inputs.get("ipAddresses") or ():
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(address)))
        except ValueError as error:
            raise PluginError(f'Invalid IP address: Failed to parse "{address}"') from error
    names += [x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris") or ()]
    return x509.SubjectAlternativeName(names) if names else None


def request(inputs: Mapping[str, Any], key: Private) -> str:
    """A certificate request (PEM) for the key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        subject_of(inputs.get("subject"))
    )
    names = alternative_names(inputs)
    if names:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, _digest(key)).public_bytes(Encoding.PEM).decode()


def issue(
    inputs: Mapping[str, Any],
    *,
    subject: x509.Name,
    names: x509.SubjectAlternativeName | None,
    public: Public,
    signer: Private,
    issuer: x509.Certificate | None,
) -> Issued:
    """Signs a certificate; `issuer` is None for a self-signed one. Raises `PluginError`."""
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    end = start + datetime.timedelta(hours=inputs["validityPeriodHours"])
    authority = bool(inputs.get("isCaCertificate"))
    if authority and not list(subject):
        raise PluginError(
            "Invalid Certificate Subject: Must contain at least one Distinguished Name when "
            "creating Certificate Authority (CA)"
        )
    serial = secrets.randbits(128) or 1
    builder = (
        x509.CertificateBuilder()
        .serial_number(serial)
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(authority, _path_length(inputs)), critical=True)
    )
    for usage, critical in _usages(inputs.get("allowedUses") or ()):
        builder = builder.add_extension(usage, critical=critical)
    if authority or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    authority_key = _authority_key(inputs, public, issuer, subject_key=authority)
    if authority_key:
        builder = builder.add_extension(authority_key, critical=False)
    if names:
        builder = builder.add_extension(names, critical=not list(subject))
    pem = builder.sign(signer, _digest(signer)).public_bytes(Encoding.PEM).decode()
    return Issued(str(serial), pem, _time(start), _time(end))


def _path_length(inputs: Mapping[str, Any]) -> int | None:
    length = inputs.get("maxPathLength")
    if not inputs.get("isCaCertificate") or length is None or length < 1:
        return None  # Go's x509 leaves a length of 0 out unless told otherwise
    return int(length)


def _authority_key(
    inputs: Mapping[str, Any],
    public: Public,
    issuer: x509.Certificate | None,
    *,
    subject_key: bool,
) -> x509.AuthorityKeyIdentifier | None:
    if issuer is not None:
        # Go's x509 always takes the issuer's subject key identifier over.
        try:
            found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            return None
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)
    if not inputs.get("setAuthorityKeyId"):
        return None
    if not (subject_key or inputs.get("setSubjectKeyId")):
        raise PluginError(
            "Invalid Certificate Authority: Could not determine Authority Key Identifier"
        )
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)


def _usages(uses: Sequence[str]) -> list[tuple[x509.ExtensionType, bool]]:
    flags = {KEY_USAGES[use] for use in uses if use in KEY_USAGES}
    extended = [EXTENDED_KEY_USAGES[use] for use in uses if use in EXTENDED_KEY_USAGES]
    found: list[tuple[x509.ExtensionType, bool]] = []
    if flags:
        if flags & {"encipher_only", "decipher_only"}:
            flags.add("key_agreement")  # the two mean nothing without it (RFC 5280, 4.2.1.3)
        found.append((x509.KeyUsage(**{name: name in flags for name in KEY_USAGES.values()}), True))
    if extended:
        found.append((x509.ExtendedKeyUsage(extended), False))
    return found


def _digest(key: Private) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        bits = key.curve.key_size
        return (
            hashes.SHA256() if bits <= 256 else hashes.SHA384() if bits == 384 else hashes.SHA512()
        )
    return hashes.SHA256()


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def renewal_due(end: str | None, early_hours: int) -> bool:
    """Whether a certificate that ends then is to be renewed: `early_hours` before its end."""
    if not end:
        return False
    moment = datetime.datetime.fromisoformat(end.replace("Z", "+00:00"))
    return datetime.datetime.now(datetime.UTC) >= moment - datetime.timedelta(hours=early_hours)
