"""The certificate the balancers show: given, self-signed, signed by the CDN's own authority, or a
placeholder for the one that they order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls

from components.cdn.kind import Kind, SigningRequest
from components.cdn.placeholder import placeholder
from components.host.errors import LayerError
from components.host.term import term
from settings.models import Certificate as CertificateSettings
from settings.models import renewal_hours

_SERVER_USES = ["digital_signature", "key_encipherment", "server_auth"]
_CA_USES = ["cert_signing", "crl_signing", "digital_signature"]


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """`given_chain` and `given_key` are the stack's secrets, for the source `given`, and for `acme`
    what is shown until an ordered one has come; `cdn` signs for the source `origin-ca`."""

    settings: CertificateSettings
    given_chain: pulumi.Input[str] | None = None
    given_key: pulumi.Input[str] | None = None
    cdn: Kind


@dataclass(frozen=True, kw_only=True)
class _Made:
    chain: pulumi.Input[str]
    key: pulumi.Input[str]
    authority: pulumi.Input[str]


class Certificate(pulumi.ComponentResource):
    """One certificate and its key, wherever they come from.

    Promises: a key made by the stack is an ECDSA P-256 key, secret in the state; a certificate
    made by the stack, or for it by the CDN's authority, is made anew by the first update within 30
    days of its end, its key kept. The new one is shown before the old one is taken back.

    Leaves out: ACME, which the balancers speak themselves. A given certificate is used as it is;
    the settings judge it. Raises `LayerError` when a given one is not set, or the CDN signs none.
    """

    chain: pulumi.Output[str]
    """PEM, the leaf first."""
    key: pulumi.Output[str]
    """PEM; secret."""
    authority: pulumi.Output[str]
    """PEM of the authority a client must trust; empty when the stack did not make it."""

    def __init__(
        self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:cdn:Certificate", name, {}, opts)
        made = SOURCES[args.settings.source](name, args, self)
        self.chain = pulumi.Output.from_input(made.chain)
        self.authority = pulumi.Output.from_input(made.authority)
        self.key = pulumi.Output.secret(made.key)
        self.register_outputs({"chain": self.chain, "key": self.key, "authority": self.authority})


def _given(name: str, args: CertificateArgs, parent: pulumi.Resource) -> _Made:
    chain, key = args.given_chain, args.given_key
    if chain is None or key is None:
        missing = [
            each for each, value in (("tlsCertificate", chain), ("tlsKey", key)) if not value
        ]
        raise LayerError(
            "certificate",
            [
                f"balancers.certificate.source is `given`, but {each} is not set: "
                f"`pulumi config set --secret {each}`"
                for each in missing
            ],
        )
    return _Made(chain=chain, key=key, authority="")


def _self_signed(name: str, args: CertificateArgs, parent: pulumi.Resource) -> _Made:
    wanted = args.settings
    authority_key = _key(f"{name}-authority-key", parent)
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
        opts=pulumi.ResourceOptions(parent=parent),
    )
    key = _key(f"{name}-key", parent)
    leaf = tls.LocallySignedCert(
        f"{name}-leaf",
        cert_request_pem=_request(name, key, wanted.names, parent).cert_request_pem,
        ca_private_key_pem=authority_key.private_key_pem,
        ca_cert_pem=authority.cert_pem,
        allowed_uses=_SERVER_USES,
        set_subject_key_id=True,
        validity_period_hours=wanted.validity_hours,
        early_renewal_hours=renewal_hours(wanted.validity_hours),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return _Made(chain=leaf.cert_pem, key=key.private_key_pem, authority=authority.cert_pem)


def _origin_ca(name: str, args: CertificateArgs, parent: pulumi.Resource) -> _Made:
    wanted = args.settings
    key = _key(f"{name}-key", parent)
    hours = wanted.validity_hours
    # Cloudflare reads nothing of the subject. Its provider (v6) replaces a certificate for another
    # request alone, never for its age.
    end = term(f"{name}-term", hours=hours, parent=parent, private_key=key.private_key_pem)
    request = SigningRequest(
        csr=_request(name, key, wanted.names, parent, serial=end).cert_request_pem,
        names=wanted.names,
        hours=hours,
    )
    chain = args.cdn.sign(f"{name}-leaf", request, parent)
    return _Made(chain=chain, key=key.private_key_pem, authority="")


def _acme(name: str, args: CertificateArgs, parent: pulumi.Resource) -> _Made:
    # Who must be trusted is the authority's own to say: nobody is to trust a placeholder.
    if args.given_chain is not None and args.given_key is not None:
        return _Made(chain=args.given_chain, key=args.given_key, authority="")
    key = _key(f"{name}-key", parent)
    return _Made(chain=placeholder(name, key, parent), key=key.private_key_pem, authority="")


SOURCES: Mapping[str, Callable[[str, CertificateArgs, pulumi.Resource], _Made]] = {
    "given": _given,
    "self-signed": _self_signed,
    "origin-ca": _origin_ca,
    "acme": _acme,
}
"""By the value of `balancers.certificate.source`."""


def _key(name: str, parent: pulumi.Resource) -> tls.PrivateKey:
    return tls.PrivateKey(
        name, algorithm="ECDSA", ecdsa_curve="P256", opts=pulumi.ResourceOptions(parent=parent)
    )


def _request(
    name: str,
    key: tls.PrivateKey,
    names: list[str],
    parent: pulumi.Resource,
    serial: pulumi.Input[str] | None = None,
) -> tls.CertRequest:
    return tls.CertRequest(
        f"{name}-request",
        private_key_pem=key.private_key_pem,
        dns_names=names,
        subject=tls.CertRequestSubjectArgs(common_name=names[0], serial_number=serial),
        opts=pulumi.ResourceOptions(parent=parent),
    )
