"""The CDN's ranges, records and certificate: pure checks, and what is registered."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.cdn import (
    CdnRanges,
    CdnRecords,
    Certificate,
    RangesRefused,
    cloudflare_provider,
    usable_ranges,
)
from components.cdn.certificate import origin_ca_days, renewal_hours
from settings.models import Cdn
from settings.models import Certificate as CertificateSettings
from tests.components.mocks import Registered, run_program

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
ORIGIN_CA = "cloudflare:index/originCaCertificate:OriginCaCertificate"
PROVIDER = "pulumi:providers:cloudflare"
KEY = "tls:index/privateKey:PrivateKey"
LEAF = "tls:index/locallySignedCert:LocallySignedCert"
AUTHORITY = "tls:index/selfSignedCert:SelfSignedCert"
ORIGINS = [IPv4Address("203.0.113.10"), IPv4Address("203.0.113.11")]


def cdn(**given_values: Any) -> Cdn:
    return Cdn.model_validate({"kind": "cloudflare", **given_values})


def test_ranges_are_sorted_and_without_overlaps() -> None:
    assert usable_ranges(["198.51.100.128/25", "192.0.2.0/24", "198.51.100.0/24"], "list") == [
        "192.0.2.0/24",
        "198.51.100.0/24",
    ]


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ([], "list: no IPv4 range at all, and an empty set would shut everybody out; the set in"),
        (["0.0.0.0/0"], "list: 0.0.0.0/0 is wider than a /8 and would let everybody in; the set"),
        (["198.51.100.1/24"], "list: 198.51.100.1/24 has host bits set; the set in use stays"),
        (["2001:db8::/32"], "list: Expected 4 octets in '2001:db8::'; the set in use stays"),
    ],
)
def test_a_set_that_would_shut_out_or_let_in_everybody_is_refused(
    ranges: list[str], message: str
) -> None:
    with pytest.raises(RangesRefused, match=message):
        usable_ranges(ranges, "list")


networks = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False),
    st.integers(min_value=0, max_value=2**32 - 1),
    st.integers(min_value=8, max_value=32),
)


@settings(deadline=None)
@given(st.lists(networks, min_size=1, max_size=20))
def test_what_was_let_in_is_let_in_and_nothing_else(given_networks: list[IPv4Network]) -> None:
    usable = [IPv4Network(each) for each in usable_ranges(map(str, given_networks), "list")]
    assert usable == sorted(usable)
    for network in given_networks:
        assert any(network.subnet_of(each) for each in usable)
    assert sum(each.num_addresses for each in usable) <= sum(
        each.num_addresses for each in given_networks
    )


def run_ranges(
    settings: Cdn, answered: Mapping[str, Any] | None = None, preview: bool = False
) -> Registered:
    return run_program(
        lambda: {"ranges": CdnRanges("cdn-ranges", cdn=settings).ranges},
        invoke=lambda token, arguments: answered or {},
        preview=preview,
    )


def test_cloudflare_is_asked_for_its_ranges() -> None:
    seen = run_ranges(cdn(), {"ipv4Cidrs": ["198.51.100.0/24"], "ipv6Cidrs": ["2001:db8::/32"]})
    assert seen.value == {"ranges": ["198.51.100.0/24"]}
    assert [token for token, _ in seen.invokes] == ["cloudflare:index/getIpRanges:getIpRanges"]
    (layer,) = seen.of_type("layered-cloud:cdn:Ranges")
    assert seen.outputs[layer.urn] == {"ranges": ["198.51.100.0/24"]}


def test_a_list_asks_nobody() -> None:
    seen = run_ranges(cdn(kind="listed", range_list=["192.0.2.0/24"]))
    assert seen.value == {"ranges": ["192.0.2.0/24"]}
    assert seen.invokes == []


def test_an_empty_answer_fails_the_update() -> None:
    with pytest.raises(pulumi.RunError, match=r"^Cloudflare's list of ranges: no IPv4"):
        run_ranges(cdn(), {"ipv4Cidrs": [], "ipv6Cidrs": []})


def test_an_answer_of_nothing_is_unknown_in_a_preview() -> None:
    value = run_ranges(cdn(), {}, preview=True).value
    assert value != {"ranges": []}


def run_records(settings: Cdn, invoke: Any = None) -> Registered:
    return run_program(
        lambda: CdnRecords("cdn-records", cdn=settings, origins=ORIGINS).names, invoke=invoke
    )


ZONE = {
    "zone": "example.org",
    "zone_id": "0123456789abcdef0123456789abcdef",
    "records": ["www.example.org", "example.org"],
}


def test_every_name_has_a_proxied_record_for_every_public_vip() -> None:
    seen = run_records(cdn(**ZONE))
    assert sorted(seen.names(RECORD)) == [
        "example.org-203.0.113.10",
        "example.org-203.0.113.11",
        "www.example.org-203.0.113.10",
        "www.example.org-203.0.113.11",
    ]
    record = seen.one(RECORD, "www.example.org-203.0.113.11").inputs
    assert (record["type"], record["name"], record["content"]) == (
        "A",
        "www.example.org",
        "203.0.113.11",
    )
    assert (record["proxied"], record["ttl"], record["zoneId"]) == (True, 1, ZONE["zone_id"])


def test_the_zone_verifies_the_origin_as_settings_say() -> None:
    seen = run_records(cdn(**ZONE, ssl="strict", min_tls_version="1.3"))
    assert {each.inputs["settingId"]: each.inputs["value"] for each in seen.of_type(SETTING)} == {
        "ssl": "strict",
        "min_tls_version": "1.3",
    }


def test_a_zone_without_an_id_is_looked_up_by_its_name() -> None:
    settings = cdn(zone="example.org", records=["example.org"])
    seen = run_records(settings, invoke=lambda token, arguments: {"zoneId": "f" * 32})
    assert seen.one(RECORD, "example.org-203.0.113.10").inputs["zoneId"] == "f" * 32
    assert seen.invokes[0][1]["filter"]["name"] == "example.org"


def test_without_a_zone_nothing_is_made() -> None:
    seen = run_records(cdn())
    assert seen.of_type(RECORD) == []
    assert seen.of_type(SETTING) == []


def test_records_and_settings_hang_below_the_layer() -> None:
    seen = run_records(cdn(**ZONE))
    (layer,) = seen.of_type("layered-cloud:cdn:Records")
    for each in (*seen.of_type(RECORD), *seen.of_type(SETTING)):
        assert each.parent == layer.urn
    assert seen.outputs[layer.urn] == {
        "names": ["www.example.org", "example.org"],
        "urls": ["https://www.example.org/", "https://example.org/"],
    }


def test_a_wildcard_is_served_but_is_no_url() -> None:
    settings = cdn(**{**ZONE, "records": ["example.org", "*.example.org"]})
    seen = run_records(settings)
    (layer,) = seen.of_type("layered-cloud:cdn:Records")
    assert seen.outputs[layer.urn] == {
        "names": ["example.org", "*.example.org"],
        "urls": ["https://example.org/"],
    }
    assert len(seen.of_type(RECORD)) == 4


def test_the_token_is_secret_and_the_api_another_one_when_named() -> None:
    settings = cdn(api_url="http://198.18.0.4:8787/client/v4")
    seen = run_program(
        lambda: cloudflare_provider("cloudflare", cdn=settings, api_token="token").urn
    )
    (provider,) = seen.of_type(PROVIDER)
    assert provider.inputs["baseUrl"] == "http://198.18.0.4:8787/client/v4"
    assert "apiToken" in provider.secret_inputs


@pytest.mark.parametrize(
    ("hours", "days"), [(24, 7), (168, 7), (169, 30), (8760, 365), (10**6, 5475)]
)
def test_the_origin_ca_is_asked_for_the_shortest_life_that_lasts(hours: int, days: int) -> None:
    assert origin_ca_days(hours) == days


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


def run_certificate(source: str, **values: Any) -> Registered:
    settings = CertificateSettings.model_validate(
        {"source": source, "names": ["echo.lab.test", "*.lab.test"], "validity_hours": 8760}
    )

    def program() -> Any:
        made = Certificate("certificate", settings=settings, **values)
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


def test_a_given_certificate_is_used_as_it_is_and_its_key_is_secret() -> None:
    seen = run_certificate("given", given_chain="chain", given_key="key")
    assert seen.value == {"chain": "chain", "key": "key", "authority": "", "secret": True}
    assert seen.of_type(KEY) == []


def test_a_given_certificate_that_is_not_set_says_how_to_set_it() -> None:
    with pytest.raises(pulumi.RunError, match=r"`pulumi config set --secret tlsKey`$"):
        run_certificate("given", given_chain="chain")


def test_everything_hangs_below_the_certificate() -> None:
    seen = run_certificate("self-signed")
    (layer,) = seen.of_type("layered-cloud:cdn:Certificate")
    for each in seen.resources:
        if each.type.startswith("tls:"):
            assert each.parent == layer.urn
