"""cert-manager: certificates for Ingress objects, asked for and renewed in the cluster.

Sources: the chart's values.schema.json, 1.21; cert-manager's reference of ClusterIssuer and
Certificate (cert-manager.io/v1) and its page on Cloudflare (the token's permissions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.platform.addon import Addon, Object, Site, Webhook
from components.platform.ingress import CONTROLLERS
from settings.models import TOKEN_REFERENCE, Issuer

NAME = "cert-manager"
ISSUER_ANNOTATION = "cert-manager.io/cluster-issuer"
_, _SECRET, _KEY = TOKEN_REFERENCE.split("/")


def addon(site: Site) -> Addon | None:
    """cert-manager and its issuers, which its webhook judges: they are sent when it answers.

    The kinds are the chart's templates, so that an upgrade brings new ones, and stay when the
    release goes, since every certificate would go with them.
    """
    given = site.settings.cert_manager
    if given is None:
        return None
    by_dns = any(each.traits.zones for each in given.issuers)
    ingress_class = CONTROLLERS[site.settings.ingress.kind].ingress_class
    return Addon(
        name=NAME,
        namespace=NAME,
        pod_security="restricted",
        chart=given.chart,
        values={
            "crds": {"enabled": True, "keep": True},
            "clusterResourceNamespace": NAME,
        },
        objects={
            name: made
            for each in given.issuers
            for name, made in ISSUERS[each.kind](each, ingress_class).items()
        },
        webhook=Webhook(
            refusal="cert-manager does not accept its issuers",
            logs=f"kubectl -n {NAME} logs deploy/{NAME}-webhook",
        ),
        secrets={_SECRET: (_KEY,)} if by_dns else {},
    )


def _issuer(name: str, spec: Object) -> dict[str, Object]:
    return {
        f"{NAME}-issuer-{name}": {
            "apiVersion": "cert-manager.io/v1",
            "kind": "ClusterIssuer",
            "metadata": {"name": name},
            "spec": spec,
        }
    }


def _acme(issuer: Issuer, solver: Object) -> dict[str, Object]:
    acme: Object = {
        "server": issuer.server,
        "privateKeySecretRef": {"name": f"{issuer.name}-account"},
        "solvers": [solver],
    }
    if issuer.email is not None:
        acme["email"] = issuer.email
    return _issuer(issuer.name, {"acme": acme})


def by_dns(issuer: Issuer, _: str) -> dict[str, Object]:
    """Proves a name by a record at Cloudflare, in its own zones only."""
    token = {"name": _SECRET, "key": _KEY}
    return _acme(
        issuer,
        {
            "dns01": {"cloudflare": {"apiTokenSecretRef": token}},
            "selector": {"dnsZones": list(issuer.zones)},
        },
    )


def by_http(issuer: Issuer, ingress_class: str) -> dict[str, Object]:
    """Proves a name by an answer at the ingress, which the name must lead to."""
    return _acme(issuer, {"http01": {"ingress": {"ingressClassName": ingress_class}}})


def own_authority(issuer: Issuer, _: str) -> dict[str, Object]:
    """An authority whose key is made in the cluster and stays there: ten years, renewed a year
    before; what is signed by it must be told to trust it."""
    root = f"{issuer.name}-root"
    authority: Object = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": root, "namespace": NAME},
        "spec": {
            "isCA": True,
            "commonName": issuer.name,
            "secretName": root,
            "duration": "87600h",
            "renewBefore": "8760h",
            "privateKey": {"algorithm": "ECDSA", "size": 256},
            "issuerRef": {"name": root, "kind": "ClusterIssuer", "group": "cert-manager.io"},
        },
    }
    return {
        **_issuer(root, {"selfSigned": {}}),
        f"{NAME}-authority-{issuer.name}": authority,
        **_issuer(issuer.name, {"ca": {"secretName": root}}),
    }


ISSUERS: Mapping[str, Callable[[Issuer, str], dict[str, Object]]] = {
    "acme-dns01": by_dns,
    "acme-http01": by_http,
    "own-ca": own_authority,
}
"""By the word of `platform.cert_manager.issuers[].kind`: from an issuer and the ingress' class to
objects by their resource names."""
