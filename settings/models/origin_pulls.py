"""How the CDN proves to the balancers who it is: the certificate it shows when it calls."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from settings.models.base import Block, Name, Strict, Unit, fault

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_WHOLE = f"write the certificates of the authorities, each from {_BEGIN} to {_END}"


def _authorities(text: str) -> str:
    """RFC 7468, section 5, and RFC 5280, section 4.2.1.9."""
    if _BEGIN not in text:
        raise fault("is no certificate in PEM", _WHOLE)
    # Imported here: most stacks have no need of it, and it takes a tenth of a second.
    from cryptography import x509

    try:
        read = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise fault("cannot be read: a certificate in it is damaged", _WHOLE) from None
    for each in read:
        try:
            basic = each.extensions.get_extension_for_class(x509.BasicConstraints).value
        except x509.ExtensionNotFound:
            basic = None
        if basic is None or not basic.ca:
            raise fault(
                f"holds {each.subject.rfc4514_string()}, which is no authority",
                "write the certificate of the authority that signed it",
            )
    return text


Authorities = Annotated[str, Block(), AfterValidator(_authorities)]
"""Certificates of authorities (PEM)."""


class OriginPulls(Strict):
    """How the CDN proves to the balancers who it is: a certificate that it shows them when it calls
    (TLS client authentication). Its addresses alone prove only that some customer of it calls."""

    required: bool = True
    """Refuse connections without one. `false` asks for it, lets everybody in, and writes into the
    balancers' log what was shown."""
    authorities: list[Name] = Field(default_factory=list)
    """Of Cloudflare: the stack's own authorities, by names of yours. The first signs what it shows
    for `cdn.records`; what any of them signed is accepted."""
    validity_hours: Annotated[int, Unit("hours")] = Field(default=8760, ge=168, le=43_800)
    """How long what the stack's own authority signs is valid; the authority is for ten years."""
    client_ca: Authorities | None = None
    """Of a CDN that the stack does not manage: the authorities (PEM) that sign what it shows. They
    must sign for you alone."""
