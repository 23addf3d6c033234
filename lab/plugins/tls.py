"""The `tls` provider: private keys, requests, self-signed and locally signed certificates.

Everything is made here and kept in the state alone. Every input replaces the resource, save
`earlyRenewalHours`; a certificate within its early renewal is replaced by the next run, as
pulumi-tls does it. Not supported, and refused by name: the write-only inputs (`...Wo`), which are
a Terraform idea.
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import hashlib
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lab.plugins import tls_certs, tls_keys
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Created,
    Diff,
    PluginError,
    Properties,
    Provider,
    ReadResult,
    Resource,
    serve,
)


class PrivateKey(Resource):
    """A private key."""

    token = "tls:index/privateKey:PrivateKey"  # noqa: S105
    sdk = "pulumi_tls:PrivateKey"
    replace_on: ClassVar[frozenset[str]] = frozenset({"algorithm", "rsaBits", "ecdsaCurve"})
    secrets: ClassVar[frozenset[str]] = frozenset(
        {"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"}
    )
    computed: ClassVar[frozenset[str]] = secrets | {
        "publicKeyPem",
        "publicKeyOpenssh",
        "publicKeyFingerprintMd5",
        "publicKeyFingerprintSha256",
        "rsaBits",
        "ecdsaCurve",
    }

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Refuses algorithms and curves that do not exist."""
        wrong = {}
        for name, known in (("algorithm", tls_keys.ALGORITHMS), ("ecdsaCurve", tls_keys.CURVES)):
            value = news.get(name)
            if value is not UNKNOWN and value is not None and value not in known:
                wrong[name] = f"{value!r} is not one of {', '.join(known)}"
        if wrong:
            raise CheckFailed(wrong)
        return news

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """The defaults are known before."""
        return {
            "rsaBits": inputs.get("rsaBits", 2048),
            "ecdsaCurve": inputs.get("ecdsaCurve", "P224"),
        }

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Generates the key."""
        bits, curve = inputs.get("rsaBits", 2048), inputs.get("ecdsaCurve", "P224")
        key = tls_keys.generate(inputs["algorithm"], rsa_bits=bits, curve=curve)
        outputs = {
            **tls_keys.private_forms(key),
            **tls_keys.public_forms(key),
            "rsaBits": bits,
            "ecdsaCurve": curve,
        }
        return Created(id=tls_keys.identifier(key), outputs=outputs)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Nothing changes in place."""
        return {}


def _refuse_write_only(news: Properties) -> None:
    found = [name for name in news if name.endswith(("Wo", "WoVersion"))]
    if found:
        raise CheckFailed(dict.fromkeys(found, "the stand-in plugin lacks write-only inputs"))


class CertRequest(Resource):
    """A certificate request."""

    token = "tls:index/certRequest:CertRequest"  # noqa: S105
    sdk = "pulumi_tls:CertRequest"
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {"privateKeyPem", "dnsNames", "ipAddresses", "uris", "subject"}
    )
    secrets: ClassVar[frozenset[str]] = frozenset({"privateKeyPem"})
    computed: ClassVar[frozenset[str]] = frozenset({"certRequestPem", "keyAlgorithm"})

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """The key is required, whatever the SDK's class says."""
        _refuse_write_only(news)
        if news.get("privateKeyPem") is None:
            raise CheckFailed({"privateKeyPem": "is needed and is missing"})
        return news

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Makes and signs the request."""
        key = tls_keys.parse(inputs["privateKeyPem"], what="private key PEM")
        pem = tls_certs.request(inputs, key)
        der = x509.load_pem_x509_csr(pem.encode())
        digest = hashlib.sha1(der.tbs_certrequest_bytes, usedforsecurity=False).hexdigest()
        return Created(
            id=digest,
            outputs={"certRequestPem": pem, "keyAlgorithm": tls_keys.algorithm_of(key)},
        )

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Nothing changes in place."""
        return {}


class _Certificate(Resource):
    """What both kinds of certificate share."""

    computed: ClassVar[frozenset[str]] = frozenset(
        {"certPem", "readyForRenewal", "validityStartTime", "validityEndTime"}
    )

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Refuses uses that do not exist."""
        _refuse_write_only(news)
        uses = news.get("allowedUses")
        if isinstance(uses, list):
            wrong = {
                f"allowedUses[{index}]": f"{use!r} is not one of {', '.join(tls_certs.USES)}"
                for index, use in enumerate(uses)
                if use is not UNKNOWN and use not in tls_certs.USES
            }
            if wrong:
                raise CheckFailed(wrong)
        return news

    def diff(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Diff:
        """A certificate in its early renewal is replaced."""
        diff = super().diff(ctx, id, state, olds, news)
        early = news.get("earlyRenewalHours") or 0
        if early is not UNKNOWN and tls_certs.renewal_due(state.get("validityEndTime"), early):
            diff.changes["readyForRenewal"] = "update-replace"
        return diff

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """A new certificate is not due."""
        return {"readyForRenewal": False}

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The state, with whether the certificate is due by now."""
        due = tls_certs.renewal_due(
            state.get("validityEndTime"), inputs.get("earlyRenewalHours") or 0
        )
        return ReadResult(id=id, outputs={**state, "readyForRenewal": due}, inputs=inputs)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Only `earlyRenewalHours` changes in place."""
        return {}

    @staticmethod
    def _created(issued: tls_certs.Issued, algorithm: Properties) -> Created:
        return Created(
            id=issued.id,
            outputs={
                "certPem": issued.pem,
                "readyForRenewal": False,
                "validityStartTime": issued.start,
                "validityEndTime": issued.end,
                **algorithm,
            },
        )


class SelfSignedCert(_Certificate):
    """A self-signed certificate."""

    token = "tls:index/selfSignedCert:SelfSignedCert"  # noqa: S105
    sdk = "pulumi_tls:SelfSignedCert"
    computed: ClassVar[frozenset[str]] = _Certificate.computed | {"keyAlgorithm"}
    secrets: ClassVar[frozenset[str]] = frozenset({"privateKeyPem"})
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {
            "allowedUses", "validityPeriodHours", "privateKeyPem", "dnsNames", "ipAddresses",
            "uris", "isCaCertificate", "maxPathLength", "setSubjectKeyId", "setAuthorityKeyId",
            "subject",
        }
    )  # fmt: skip

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Makes the certificate."""
        if inputs.get("privateKeyPem") is None:
            raise PluginError("privateKeyPem: is needed and is missing")
        key = tls_keys.parse(inputs["privateKeyPem"], what="private key PEM")
        issued = tls_certs.issue(
            inputs,
            subject=tls_certs.subject_of(inputs.get("subject")),
            names=tls_certs.alternative_names(inputs),
            public=key.public_key(),
            signer=key,
            issuer=None,
        )
        return self._created(issued, {"keyAlgorithm": tls_keys.algorithm_of(key)})


class LocallySignedCert(_Certificate):
    """A certificate for a request, signed by an authority of the user's."""

    token = "tls:index/locallySignedCert:LocallySignedCert"  # noqa: S105
    sdk = "pulumi_tls:LocallySignedCert"
    computed: ClassVar[frozenset[str]] = _Certificate.computed | {"caKeyAlgorithm"}
    secrets: ClassVar[frozenset[str]] = frozenset({"caPrivateKeyPem"})
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {
            "allowedUses", "validityPeriodHours", "caPrivateKeyPem", "caCertPem",
            "certRequestPem", "isCaCertificate", "maxPathLength", "setSubjectKeyId",
        }
    )  # fmt: skip

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Signs the certificate."""
        if inputs.get("caPrivateKeyPem") is None:
            raise PluginError("caPrivateKeyPem: is needed and is missing")
        signer = tls_keys.parse(inputs["caPrivateKeyPem"], what="CA private key PEM")
        try:
            authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
        except ValueError as error:
            raise PluginError(f"Failed to parse CA certificate PEM: {error}") from error
        try:
            request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
        except ValueError as error:
            raise PluginError(f"Failed to parse certificate request PEM: {error}") from error
        public = request.public_key()
        if not isinstance(
            public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
        ):
            raise PluginError(f"unsupported public key type {type(public).__name__}")
        if not _is_authority(authority):
            ctx.log(
                "Potentially Invalid Certificate Authority: Certificate provided as Authority does "
                "not appear to be a valid Certificate Authority. The resulting certificate might "
                "fail certificate validation.",
                "warning",
            )
        issued = tls_certs.issue(
            inputs,
            subject=request.subject,
            names=_requested_names(request),
            public=public,
            signer=signer,
            issuer=authority,
        )
        certificate = x509.load_pem_x509_certificate(issued.pem.encode())
        try:
            certificate.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise PluginError(
                "Failed to create certificate: x509: provided PrivateKey doesn't match parent's "
                "PublicKey"
            ) from error
        return self._created(issued, {"caKeyAlgorithm": tls_keys.algorithm_of(signer)})


def _requested_names(request: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


class TlsProvider(Provider):
    """The provider; its only configuration (a proxy for a look-up) is not used."""

    name = "tls"
    version = "5.6.2"
    config_sdk = "pulumi_tls:Provider"

    def resources(self) -> tuple[Resource, ...]:
        """Keys, requests and certificates."""
        return (PrivateKey(), CertRequest(), SelfSignedCert(), LocallySignedCert())


if __name__ == "__main__":
    serve(TlsProvider())
