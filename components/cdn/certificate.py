"""The certificate the balancers show: given, self-signed, or from Cloudflare's origin CA."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_tls as tls

from settings.models import Certificate as CertificateSettings

ORIGIN_CA_DAYS = (7, 30, 90, 365, 730, 1095, 5475)
"""What the origin CA issues (Cloudflare API, "Create Certificate")."""

_SERVER_USES = ["digital_signature", "key_encipherment", "server_auth"]
_CA_USES = ["cert_signing", "crl_signing", "digital_signature"]


def origin_ca_days(hours: int) -> int:
    """The shortest validity the origin CA offers that lasts `hours`, or its longest."""
    return next((days for days in ORIGIN_CA_DAYS if days * 24 >= hours), ORIGIN_CA_DAYS[-1])


def renewal_hours(hours: int) -> int:
    """How long before its end a certificate is made anew: 30 days, or a third of a short life."""
    return min(30 * 24, hours // 3)


@dataclass(frozen=True, kw_only=True)
class _Made:
    chain: pulumi.Output[str]
    key: pulumi.Output[str]
    authority: pulumi.Output[str]


class Certificate(pulumi.ComponentResource):
    """One certificate and its key, wherever they come from.

    Promises: a key made by the stack is an ECDSA P-256 key, secret in the state; a certificate
    made by the stack is made anew by the first update within 30 days of its end, its key kept.

    Leaves out: ACME. A given certificate is used as it is; its dates are not looked at.
    """

    chain: pulumi.Output[str]
    """PEM, the leaf first."""
    key: pulumi.Output[str]
    """PEM; secret."""
    authority: pulumi.Output[str]
    """PEM of the authority a client must trust; empty when the stack did not make it."""

    def __init__(
        self,
        name: str,
        *,
        settings: CertificateSettings,
        given_chain: pulumi.Input[str] | None = None,
        given_key: pulumi.Input[str] | None = None,
        provider: cloudflare.Provider | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("layered-cloud:cdn:Certificate", name, {}, opts)
        if settings.source == "given":
            made = _given(given_chain, given_key)
        elif settings.source == "self-signed":
            made = self._self_signed(name, settings)
        else:
            made = self._origin_ca(name, settings, provider)
        self.chain, self.authority = made.chain, made.authority
        self.key = pulumi.Output.secret(made.key)
        self.register_outputs({"chain": self.chain, "key": self.key, "authority": self.authority})

    def _key(self, name: str) -> tls.PrivateKey:
        return tls.PrivateKey(
            name,
            algorithm="ECDSA",
            ecdsa_curve="P256",
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _request(self, name: str, key: tls.PrivateKey, names: list[str]) -> tls.CertRequest:
        return tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            dns_names=names,
            subject=tls.CertRequestSubjectArgs(common_name=names[0]),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _self_signed(self, name: str, wanted: CertificateSettings) -> _Made:
        authority_key = self._key(f"{name}-authority-key")
        # It outlives the leaves it signs, so that clients need to learn it once.
        hours = max(10 * 8760, 2 * wanted.validity_hours)
        authority = tls.SelfSignedCert(
            f"{name}-authority",
            private_key_pem=authority_key.private_key_pem,
            is_ca_certificate=True,
            allowed_uses=_CA_USES,
            set_subject_key_id=True,
            validity_period_hours=hours,
            early_renewal_hours=renewal_hours(hours),
            subject=tls.SelfSignedCertSubjectArgs(common_name=f"{name} authority"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        key = self._key(f"{name}-key")
        leaf = tls.LocallySignedCert(
            f"{name}-leaf",
            cert_request_pem=self._request(name, key, wanted.names).cert_request_pem,
            ca_private_key_pem=authority_key.private_key_pem,
            ca_cert_pem=authority.cert_pem,
            allowed_uses=_SERVER_USES,
            set_subject_key_id=True,
            validity_period_hours=wanted.validity_hours,
            early_renewal_hours=renewal_hours(wanted.validity_hours),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _Made(chain=leaf.cert_pem, key=key.private_key_pem, authority=authority.cert_pem)

    def _origin_ca(
        self, name: str, wanted: CertificateSettings, provider: cloudflare.Provider | None
    ) -> _Made:
        key = self._key(f"{name}-key")
        leaf = cloudflare.OriginCaCertificate(
            f"{name}-leaf",
            csr=self._request(name, key, wanted.names).cert_request_pem,
            hostnames=list(wanted.names),
            request_type="origin-ecc",
            requested_validity=origin_ca_days(wanted.validity_hours),
            opts=pulumi.ResourceOptions(parent=self, provider=provider),
        )
        return _Made(
            chain=leaf.certificate,
            key=key.private_key_pem,
            authority=pulumi.Output.from_input(""),
        )


def _given(chain: pulumi.Input[str] | None, key: pulumi.Input[str] | None) -> _Made:
    if chain is None or key is None:
        missing = [
            name for name, value in (("tlsCertificate", chain), ("tlsKey", key)) if value is None
        ]
        raise pulumi.RunError(
            "balancers.certificate.source is `given`, but not set: "
            + ", ".join(f"`pulumi config set --secret {name}`" for name in missing)
        )
    return _Made(
        chain=pulumi.Output.from_input(chain),
        key=pulumi.Output.secret(key),
        authority=pulumi.Output.from_input(""),
    )
