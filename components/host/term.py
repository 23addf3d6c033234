"""How long something lasts that is made once and must be made again before its end."""

from __future__ import annotations

import pulumi
import pulumi_tls as tls

from settings.models import renewal_hours


def term(
    name: str,
    *,
    hours: int,
    parent: pulumi.Resource,
    private_key: pulumi.Input[str] | None = None,
) -> pulumi.Output[str]:
    """When a term of `hours` that begins now is over (RFC 3339): the same text on every run, until
    a run in the last `renewal_hours` of it begins another one.

    For what no provider makes again by itself: put the text among its inputs. It is the end of a
    certificate that nobody uses, since of all resources only those of the tls provider are replaced
    for their age (`early_renewal_hours`), and decide so within the plan: a preview shows it, and a
    program that looked at the clock would plan something else every day.

    `private_key` is a PEM key for it to be made with; without one it gets its own.
    """
    if private_key is None:
        own = tls.PrivateKey(
            f"{name}-key",
            algorithm="ECDSA",
            ecdsa_curve="P256",
            opts=pulumi.ResourceOptions(parent=parent),
        )
        private_key = own.private_key_pem
    lasting = tls.SelfSignedCert(
        name,
        private_key_pem=private_key,
        allowed_uses=["digital_signature"],
        validity_period_hours=hours,
        early_renewal_hours=renewal_hours(hours),
        subject=tls.SelfSignedCertSubjectArgs(common_name=name),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return lasting.validity_end_time
