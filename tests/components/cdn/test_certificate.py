"""The certificate that the balancers show, of every source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pulumi
import pytest

from components.cdn import Certificate, CertificateArgs
from components.cdn.certificate import SOURCES
from components.cdn.kinds import KINDS
from components.host.errors import LayerError
from settings.models import Cdn, renewal_hours
from settings.models import Certificate as CertificateSettings
from tests.components.cdn.test_cdn import Secrets
from tests.components.mocks import TERM, Registered, run_program

ORIGIN_CA = "cloudflare:index/originCaCertificate:OriginCaCertificate"
KEY = "tls:index/privateKey:PrivateKey"
LEAF = "tls:index/locallySignedCert:LocallySignedCert"
AUTHORITY = "tls:index/selfSignedCert:SelfSignedCert"


def test_every_source_that_a_stack_may_name_is_there() -> None:
    assert set(SOURCES) == set(get_args(CertificateSettings.model_fields["source"].annotation))


@pytest.mark.parametrize(("hours", "early"), [(8760, 720), (2160, 720), (24, 8)])
def test_a_certificate_is_renewed_before_its_end_and_not_from_its_beginning(
    hours: int, early: int
) -> None:
    assert renewal_hours(hours) == early


def answer(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if type_ == KEY:
        return {"privateKeyPem": f"private {name}"}
    if type_ in (LEAF, AUTHORITY):
        return {"certPem": f"certificate {name}"}
    if type_ == ORIGIN_CA:
        return {"certificate": f"certificate {name}"}
    return {"certRequestPem": f"request {name}"}


def run_certificate(source: str, kind: str = "cloudflare", **values: Any) -> Registered:
    settings = CertificateSettings.model_validate(
        {"source": source, "names": ["echo.lab.test", "*.lab.test"], "validity_hours": 8760}
    )

    def program() -> Any:
        cdn = Cdn.model_validate({"kind": kind, "range_list": ["192.0.2.0/24"]})
        made = Certificate(
            "certificate",
            CertificateArgs(settings=settings, cdn=KINDS[kind](cdn, Secrets()), **values),
        )
        return {
            "chain": made.chain,
            "key": made.key,
            "authority": made.authority,
            "secret": pulumi.Output.from_input(made.key.is_secret()),
        }

    return run_program(program, answer=answer)


def test_a_self_signed_certificate_is_a_leaf_of_an_authority_that_outlives_it() -> None:
    seen = run_certificate("self-signed")
    assert seen.value == {
        "chain": "certificate certificate-leaf",
        "key": "private certificate-key",
        "authority": "certificate certificate-authority",
        "secret": True,
    }
    (leaf,), (authority,) = seen.of_type(LEAF), seen.of_type(AUTHORITY)
    assert authority.inputs["isCaCertificate"] is True
    assert authority.inputs["validityPeriodHours"] > leaf.inputs["validityPeriodHours"]
    assert leaf.inputs["earlyRenewalHours"] == 720
    (request,) = seen.of_type("tls:index/certRequest:CertRequest")
    assert request.inputs["dnsNames"] == ["echo.lab.test", "*.lab.test"]


def test_the_origin_ca_signs_a_request_for_a_key_of_the_stacks_own() -> None:
    seen = run_certificate("origin-ca")
    (leaf,) = seen.of_type(ORIGIN_CA)
    assert leaf.inputs["csr"] == "request certificate-request"
    assert (leaf.inputs["requestType"], leaf.inputs["requestedValidity"]) == ("origin-ecc", 365)
    assert seen.value["key"] == "private certificate-key"
    assert seen.value["secret"] is True
    term = seen.one(AUTHORITY, "certificate-term")
    assert (term.inputs["validityPeriodHours"], term.inputs["earlyRenewalHours"]) == (8760, 720)
    (request,) = seen.of_type("tls:index/certRequest:CertRequest")
    assert request.inputs["subject"]["serialNumber"] == TERM


def test_one_that_balancers_order_begins_with_a_placeholder_that_is_nobodys() -> None:
    seen = run_certificate("acme")
    assert seen.value == {
        "chain": "certificate certificate-placeholder",
        "key": "private certificate-key",
        "authority": "",
        "secret": True,
    }
    (placeholder,) = seen.of_type(AUTHORITY)
    assert placeholder.inputs["dnsNames"] == ["no-certificate-yet.invalid"]
    assert not placeholder.inputs.get("isCaCertificate")
    assert placeholder.inputs["validityPeriodHours"] > 10 * 8760


def test_who_goes_over_to_an_ordered_one_shows_the_given_one_until_then() -> None:
    seen = run_certificate("acme", given_chain="chain", given_key="key")
    assert seen.value == {"chain": "chain", "key": "key", "authority": "", "secret": True}
    assert not seen.of_type(AUTHORITY)


def test_a_given_certificate_is_used_as_it_is_and_its_key_is_secret() -> None:
    seen = run_certificate("given", given_chain="chain", given_key="key")
    assert seen.value == {"chain": "chain", "key": "key", "authority": "", "secret": True}
    assert seen.of_type(KEY) == []


def test_a_given_certificate_that_is_not_set_says_how_to_set_it() -> None:
    with pytest.raises(LayerError) as refused:
        run_certificate("given", given_chain="chain")
    assert str(refused.value) == (
        "certificate:\n  - balancers.certificate.source is `given`, but tlsKey is not set: "
        "`pulumi config set --secret tlsKey`"
    )


def test_a_cdn_without_an_authority_signs_nothing() -> None:
    with pytest.raises(LayerError, match="a CDN of kind listed signs no certificates"):
        run_certificate("origin-ca", kind="listed")


def test_everything_hangs_below_the_certificate() -> None:
    seen = run_certificate("self-signed")
    (layer,) = seen.of_type("layered-cloud:cdn:Certificate")
    for each in seen.resources:
        if each.type.startswith("tls:"):
            assert each.parent == layer.urn
