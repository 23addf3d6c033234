"""Who vouches for the pods of a mesh: an authority of the stack's own, and what it signs with.

Source: Linkerd's page "Automatically Rotating Control Plane TLS Credentials" and its identity
service (the issuer's certificate is an authority's, ECDSA P-256, for `identity.NAMESPACE.DOMAIN`).
"""

from __future__ import annotations

import pulumi
import pulumi_tls as tls

from components.platform import secrets
from components.platform.addon import Identity, Object
from settings.models import renewal_hours

_USES = ["cert_signing", "crl_signing"]
ROOT_HOURS = 10 * 8760
ISSUER_HOURS = 8760


def made(
    name: str, identity: Identity, namespace: str, parent: pulumi.Resource
) -> tuple[Object, Object]:
    """A Secret with the issuer's certificate and key, and a ConfigMap with the authority's.

    The issuer's is made anew by the first update within 30 days of its end, its key kept. The
    authority's is not, as pods that know the old one alone would trust nobody: it ends after ten
    years. Both keys are ECDSA P-256, secret in the state.
    """
    below = pulumi.ResourceOptions(parent=parent)
    root_key = _key(f"{name}-mesh-root-key", below)
    root = tls.SelfSignedCert(
        f"{name}-mesh-root",
        private_key_pem=root_key.private_key_pem,
        is_ca_certificate=True,
        allowed_uses=_USES,
        set_subject_key_id=True,
        validity_period_hours=ROOT_HOURS,
        subject=tls.SelfSignedCertSubjectArgs(common_name=identity.root),
        opts=below,
    )
    key = _key(f"{name}-mesh-issuer-key", below)
    request = tls.CertRequest(
        f"{name}-mesh-issuer-request",
        private_key_pem=key.private_key_pem,
        dns_names=[identity.issuer],
        subject=tls.CertRequestSubjectArgs(common_name=identity.issuer),
        opts=below,
    )
    issuer = tls.LocallySignedCert(
        f"{name}-mesh-issuer",
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=root_key.private_key_pem,
        ca_cert_pem=root.cert_pem,
        is_ca_certificate=True,
        allowed_uses=_USES,
        set_subject_key_id=True,
        validity_period_hours=ISSUER_HOURS,
        early_renewal_hours=renewal_hours(ISSUER_HOURS),
        opts=below,
    )
    secret_key: pulumi.Output[str] = pulumi.Output.secret(key.private_key_pem)
    pair = {
        "ca.crt": root.cert_pem,
        "tls.crt": issuer.cert_pem,
        "tls.key": secret_key,
    }
    roots: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": identity.roots, "namespace": namespace},
        "data": {identity.bundle: root.cert_pem},
    }
    return secrets.manifest(namespace, identity.secret, pair, "kubernetes.io/tls"), roots


def _key(name: str, options: pulumi.ResourceOptions) -> tls.PrivateKey:
    return tls.PrivateKey(name, algorithm="ECDSA", ecdsa_curve="P256", opts=options)
