"""What balancers show before the certificate has come that they order."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_tls as tls

from settings.models import NO_CERTIFICATE, renewal_hours

HOURS: Final = 20 * 8760
"""It is shown to nobody once another one is there, and is not to be renewed beside that."""


def placeholder(name: str, key: tls.PrivateKey, parent: pulumi.Resource) -> pulumi.Output[str]:
    """A self-signed certificate for `key`, which nobody trusts (PEM)."""
    made = tls.SelfSignedCert(
        f"{name}-placeholder",
        private_key_pem=key.private_key_pem,
        allowed_uses=["digital_signature", "server_auth"],
        dns_names=[NO_CERTIFICATE],
        validity_period_hours=HOURS,
        early_renewal_hours=renewal_hours(HOURS),
        subject=tls.SelfSignedCertSubjectArgs(common_name=NO_CERTIFICATE),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made.cert_pem
