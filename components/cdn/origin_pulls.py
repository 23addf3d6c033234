"""The certificate a managed CDN shows at the balancers, signed by the stack's own authorities."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_tls as tls

from settings.models import OriginPulls as Settings
from settings.models import renewal_hours

_AUTHORITY_HOURS = 10 * 8760
_AUTHORITY_BITS, _BITS = 3072, 2048
"""RSA, as in Cloudflare's own instructions ("Per-hostname authenticated origin pulls")."""


class OriginPulls(pulumi.ComponentResource):
    """Authorities, and a certificate for the CDN signed by the first of them.

    Promises: keys are made by the stack and secret. A certificate is made anew by the first update
    in the last thirty days of its life (a third of one that is shorter), with the key it had, so
    that an authority accepts before and after what it signed before and after. Another first
    authority has the CDN show another key.

    Leaves out: giving it to the CDN, which must come after the balancers accept it.

    Raises nothing of its own.
    """

    authorities: pulumi.Output[str]
    """All of them, PEM, in the order of their names: another first one is no other text."""
    certificate: pulumi.Output[str]
    """PEM of what the CDN shows."""
    key: pulumi.Output[str]
    """PEM of its key; secret."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        subject: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`subject` is the common name of what is shown."""
        super().__init__("layered-cloud:cdn:OriginPulls", name, {}, opts)
        signers = {each: _authority(f"{name}-{each}", self) for each in settings.authorities}
        whole = [signers[each].cert_pem for each in sorted(signers)]
        self.authorities = pulumi.Output.all(*whole).apply(_joined)
        first = settings.authorities[0]
        key = _key(f"{name}-{first}-shown-key", _BITS, self)
        request = tls.CertRequest(
            f"{name}-{first}-shown-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(common_name=subject),
            opts=pulumi.ResourceOptions(parent=self),
        )
        shown = tls.LocallySignedCert(
            f"{name}-{first}-shown",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=signers[first].private_key_pem,
            ca_cert_pem=signers[first].cert_pem,
            allowed_uses=["digital_signature", "client_auth"],
            set_subject_key_id=True,
            validity_period_hours=settings.validity_hours,
            early_renewal_hours=renewal_hours(settings.validity_hours),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.certificate = shown.cert_pem
        self.key = pulumi.Output.secret(key.private_key_pem)
        self.register_outputs(
            {"authorities": self.authorities, "certificate": self.certificate, "key": self.key}
        )


def _authority(name: str, parent: pulumi.Resource) -> tls.SelfSignedCert:
    key = _key(f"{name}-key", _AUTHORITY_BITS, parent)
    return tls.SelfSignedCert(
        name,
        private_key_pem=key.private_key_pem,
        is_ca_certificate=True,
        allowed_uses=["cert_signing", "crl_signing"],
        set_subject_key_id=True,
        validity_period_hours=_AUTHORITY_HOURS,
        early_renewal_hours=renewal_hours(_AUTHORITY_HOURS),
        subject=tls.SelfSignedCertSubjectArgs(common_name=name),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _key(name: str, bits: int, parent: pulumi.Resource) -> tls.PrivateKey:
    return tls.PrivateKey(
        name, algorithm="RSA", rsa_bits=bits, opts=pulumi.ResourceOptions(parent=parent)
    )


def _joined(certificates: Sequence[str]) -> str:
    return "".join(f"{each.strip()}\n" for each in certificates)
