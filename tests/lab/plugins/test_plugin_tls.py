"""The tls provider: forms of keys, certificates, what replaces."""

from __future__ import annotations

import asyncssh
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lab.plugins.server import UNKNOWN, Secret
from lab.plugins.tls import TlsProvider
from lab.plugins.wire import reveal
from tests.lab.plugins.harness import CallFailed, plugin

KEY = "tls:index/privateKey:PrivateKey"
REQUEST = "tls:index/certRequest:CertRequest"
SELF = "tls:index/selfSignedCert:SelfSignedCert"
SIGNED = "tls:index/locallySignedCert:LocallySignedCert"


@pytest.fixture
def tls():
    with plugin(TlsProvider()) as harness:
        yield harness


def key_pem(tls, algorithm: str = "ED25519") -> str:
    return reveal(tls.create(KEY, {"algorithm": algorithm}).outputs["privateKeyPem"])


@pytest.mark.parametrize(
    ("inputs", "preamble", "openssh"),
    [
        ({"algorithm": "ED25519"}, "BEGIN PRIVATE KEY", "ssh-ed25519 "),
        (
            {"algorithm": "ECDSA", "ecdsaCurve": "P256"},
            "BEGIN EC PRIVATE KEY",
            "ecdsa-sha2-nistp256 ",
        ),
        (
            {"algorithm": "ECDSA", "ecdsaCurve": "P521"},
            "BEGIN EC PRIVATE KEY",
            "ecdsa-sha2-nistp521 ",
        ),
        ({"algorithm": "RSA", "rsaBits": 2048}, "BEGIN RSA PRIVATE KEY", "ssh-rsa "),
    ],
)
def test_a_key_comes_in_every_form_and_all_forms_are_the_same_key(tls, inputs, preamble, openssh):
    outputs = tls.create(KEY, inputs).outputs
    assert preamble in reveal(outputs["privateKeyPem"])
    pem = load_pem_private_key(reveal(outputs["privateKeyPem"]).encode(), None)
    pkcs8 = load_pem_private_key(reveal(outputs["privateKeyPemPkcs8"]).encode(), None)
    assert pem.public_key() == pkcs8.public_key()
    ssh = asyncssh.import_private_key(reveal(outputs["privateKeyOpenssh"]))
    public = asyncssh.import_public_key(outputs["publicKeyOpenssh"])
    assert ssh.public_data == public.public_data
    assert outputs["publicKeyOpenssh"].startswith(openssh)
    assert outputs["publicKeyOpenssh"].endswith("\n")
    assert outputs["publicKeyFingerprintSha256"] == public.get_fingerprint("sha256")
    assert "MD5:" + outputs["publicKeyFingerprintMd5"] == public.get_fingerprint("md5")


def test_a_curve_that_openssh_lacks_leaves_those_forms_empty(tls):
    outputs = tls.create(KEY, {"algorithm": "ECDSA"}).outputs
    assert (outputs["ecdsaCurve"], outputs["rsaBits"]) == ("P224", 2048)
    assert reveal(outputs["privateKeyOpenssh"]) == ""
    assert (outputs["publicKeyOpenssh"], outputs["publicKeyFingerprintMd5"]) == ("", "")


def test_private_forms_are_secret_and_public_ones_are_not(tls):
    outputs = tls.create(KEY, {"algorithm": "ED25519"}).outputs
    secret = {name for name, value in outputs.items() if isinstance(value, Secret)}
    assert secret == {"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"}


def test_two_keys_differ_and_the_id_is_the_keys_own(tls):
    first, second = (tls.create(KEY, {"algorithm": "ED25519"}) for _ in range(2))
    assert first.id != second.id
    assert len(first.id) == 40


def test_every_input_of_a_key_replaces_it_and_a_second_run_changes_nothing(tls):
    state = tls.create(KEY, {"algorithm": "RSA", "rsaBits": 2048})
    assert tls.diff(state, {"algorithm": "RSA", "rsaBits": 2048}).nothing
    assert tls.diff(state, {"algorithm": "RSA", "rsaBits": 3072}).changes == {
        "rsaBits": "update-replace"
    }


def test_an_unknown_algorithm_and_an_unknown_property_are_refused(tls):
    assert tls.check(KEY, {"algorithm": "DSA"})[1] == {
        "algorithm": "'DSA' is not one of RSA, ECDSA, ED25519"
    }
    assert list(tls.check(KEY, {"algorithm": "RSA", "rsaBit": 1})[1]) == ["rsaBit"]


def test_a_preview_knows_the_defaults_and_leaves_the_key_unknown(tls):
    outputs = tls.create(KEY, {"algorithm": "ED25519"}, preview=True).outputs
    assert reveal(outputs["privateKeyPem"]) is UNKNOWN
    assert isinstance(outputs["privateKeyPem"], Secret)
    assert (outputs["publicKeyOpenssh"], outputs["rsaBits"]) == (UNKNOWN, 2048)


@pytest.mark.parametrize("algorithm", ["ED25519", "ECDSA", "RSA"])
def test_an_authority_signs_a_request_and_the_chain_holds(tls, algorithm):
    authority_key = key_pem(tls, algorithm)
    authority = tls.create(
        SELF,
        {
            "privateKeyPem": Secret(authority_key),
            "isCaCertificate": True,
            "validityPeriodHours": 48,
            "allowedUses": ["cert_signing", "crl_signing"],
            "subject": {"commonName": "Lab CA", "organization": "Lab"},
        },
    )
    request = tls.create(
        REQUEST,
        {
            "privateKeyPem": Secret(key_pem(tls)),
            "subject": {"commonName": "echo.lab.test"},
            "dnsNames": ["echo.lab.test", "*.echo.lab.test"],
            "ipAddresses": ["203.0.113.10"],
        },
    )
    assert request.outputs["keyAlgorithm"] == "ED25519"
    signed = tls.create(
        SIGNED,
        {
            "caPrivateKeyPem": Secret(authority_key),
            "caCertPem": authority.outputs["certPem"],
            "certRequestPem": request.outputs["certRequestPem"],
            "validityPeriodHours": 24,
            "allowedUses": ["server_auth", "digital_signature"],
        },
    )
    ca = x509.load_pem_x509_certificate(authority.outputs["certPem"].encode())
    leaf = x509.load_pem_x509_certificate(signed.outputs["certPem"].encode())
    leaf.verify_directly_issued_by(ca)
    ca.verify_directly_issued_by(ca)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["echo.lab.test", "*.echo.lab.test"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["203.0.113.10"]
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is True
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    issuer_key = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own_key = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issuer_key.key_identifier == own_key.digest
    assert signed.outputs["caKeyAlgorithm"] == algorithm
    assert signed.id == str(leaf.serial_number)
    assert isinstance(signed.outputs["caPrivateKeyPem"], Secret)
    assert signed.outputs["readyForRenewal"] is False
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds() == 24 * 3600
    assert (
        leaf.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ") == signed.outputs["validityEndTime"]
    )


def certificate(tls, **more):
    return {
        "privateKeyPem": key_pem(tls),
        "validityPeriodHours": 24,
        "allowedUses": ["server_auth"],
        "dnsNames": ["a.lab.test"],
        **more,
    }


def test_a_certificate_is_replaced_by_its_contents_and_kept_by_its_renewal_hours(tls):
    inputs = certificate(tls)
    state = tls.create(SELF, inputs)
    assert tls.diff(state, inputs).nothing
    renamed = tls.diff(state, {**inputs, "dnsNames": ["b.lab.test"]})
    assert renamed.changes == {"dnsNames[0]": "update-replace"}
    assert tls.diff(state, {**inputs, "earlyRenewalHours": 1}).changes == {
        "earlyRenewalHours": "add"
    }
    after = tls.update(state, {**inputs, "earlyRenewalHours": 1})
    assert after.outputs["certPem"] == state.outputs["certPem"]


def test_a_certificate_in_its_early_renewal_is_replaced_and_says_so(tls):
    inputs = certificate(tls, earlyRenewalHours=30)
    state = tls.create(SELF, inputs)
    assert tls.diff(state, inputs).changes == {"readyForRenewal": "update-replace"}
    assert tls.read(state).outputs["readyForRenewal"] is True


def test_a_request_of_one_key_cannot_be_signed_with_another_authoritys_key(tls):
    authority = tls.create(
        SELF, certificate(tls, isCaCertificate=True, subject={"commonName": "CA"})
    )
    request = tls.create(REQUEST, {"privateKeyPem": key_pem(tls)})
    with pytest.raises(CallFailed, match="provided PrivateKey doesn't match parent's PublicKey"):
        tls.create(
            SIGNED,
            {
                "caPrivateKeyPem": key_pem(tls),
                "caCertPem": authority.outputs["certPem"],
                "certRequestPem": request.outputs["certRequestPem"],
                "validityPeriodHours": 1,
                "allowedUses": [],
            },
        )


def test_wrong_inputs_of_certificates_are_told(tls):
    _, failures = tls.check(SELF, certificate(tls, allowedUses=["server_auth", "any"]))
    assert list(failures) == ["allowedUses[1]"]
    with pytest.raises(CallFailed, match=r'Invalid IP address: Failed to parse "1.2.3"'):
        tls.create(SELF, certificate(tls, ipAddresses=["1.2.3"]))
    with pytest.raises(CallFailed, match="Must contain at least one Distinguished Name"):
        tls.create(SELF, certificate(tls, isCaCertificate=True))
    with pytest.raises(CallFailed, match="Failed to parse private key PEM"):
        tls.create(SELF, certificate(tls, privateKeyPem="no key"))
    assert tls.check(REQUEST, {"privateKeyPemWo": "x"})[1] == {
        "privateKeyPemWo": "the stand-in plugin lacks write-only inputs"
    }
    assert tls.check(REQUEST, {})[1] == {"privateKeyPem": "is needed and is missing"}


def test_a_preview_of_a_certificate_with_an_unknown_key_is_unknown(tls):
    state = tls.create(SELF, certificate(tls, privateKeyPem=UNKNOWN), preview=True)
    assert state.outputs["certPem"] is UNKNOWN
    assert state.outputs["readyForRenewal"] is False
