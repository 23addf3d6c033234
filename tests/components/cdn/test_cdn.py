"""The CDN's kinds: their ranges and records, and what is registered."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest

from components.cdn import Cdn as CdnLayer
from components.cdn.kind import SigningRequest
from components.cdn.kinds import KINDS
from components.host.errors import LayerError
from settings.models import Cdn
from tests import issued
from tests.components.mocks import Registered, run_program

ROOT = Path(__file__).parents[3]
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
PROVIDER = "pulumi:providers:cloudflare"
ORIGINS = [IPv4Address("203.0.113.10"), IPv4Address("203.0.113.11")]


def cdn(**given_values: Any) -> Cdn:
    return Cdn.model_validate({"kind": "cloudflare", **given_values})


@dataclass(frozen=True)
class Secrets:
    cloudflare_api_token: str | None = None


def made(settings: Cdn, token: str | None = None) -> CdnLayer:
    return CdnLayer("cdn", settings=settings, secrets=Secrets(token))


def test_every_kind_that_a_stack_may_name_is_there() -> None:
    assert set(KINDS) == set(get_args(Cdn.model_fields["kind"].annotation))


def test_cloudflares_sdk_is_not_imported_with_cloudflare_or_without() -> None:
    program = (
        "import sys, components.cdn.cloudflare, settings.models as models\n"
        "cdn = models.Cdn(kind='listed', range_list=['192.0.2.0/24'])\n"
        "from components.cdn.kinds import KINDS\n"
        "KINDS['listed'](cdn, None)\n"
        "print('pulumi_cloudflare' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "False\n"


def run_ranges(
    settings: Cdn, answered: Mapping[str, Any] | None = None, preview: bool = False
) -> Registered:
    return run_program(
        lambda: {"ranges": made(settings).ranges},
        invoke=lambda token, arguments: answered or {},
        preview=preview,
    )


def test_cloudflare_is_asked_for_its_ranges() -> None:
    seen = run_ranges(cdn(), {"ipv4Cidrs": ["198.51.100.0/24"], "ipv6Cidrs": ["2001:db8::/32"]})
    assert seen.value == {"ranges": ["198.51.100.0/24"]}
    assert [token for token, _ in seen.invokes] == ["cloudflare:index/getIpRanges:getIpRanges"]
    (layer,) = seen.of_type("layered-cloud:cdn:Ranges")
    assert seen.outputs[layer.urn] == {"ranges": ["198.51.100.0/24"]}


def test_where_visitors_come_by_ipv6_the_ranges_are_of_both_families() -> None:
    answer = {"ipv4Cidrs": ["198.51.100.0/24"], "ipv6Cidrs": ["2001:db8:c::/48"]}
    listed = cdn(
        **{"kind": "listed", "client_ip_header": "X-Client"},
        range_list=["2001:db8:d::/48", "192.0.2.0/24"],
    )

    def program(settings: Cdn) -> Any:
        def made_there() -> dict[str, Any]:
            layer = CdnLayer("cdn", settings=settings, secrets=Secrets(), ipv6=True)
            return {"ranges": layer.ranges}

        return run_program(made_there, invoke=lambda token, arguments: answer).value["ranges"]

    assert program(cdn()) == ["198.51.100.0/24", "2001:db8:c::/48"]
    assert program(listed) == ["192.0.2.0/24", "2001:db8:d::/48"]
    assert program(cdn(kind="none")) == ["0.0.0.0/0", "::/0"]


def test_an_answer_without_ipv6_fails_the_update_of_a_stack_that_has_it() -> None:
    def program() -> dict[str, Any]:
        layer = CdnLayer("cdn", settings=cdn(), secrets=Secrets(), ipv6=True)
        return {"ranges": layer.ranges}

    with pytest.raises(LayerError, match=r"Cloudflare's list of ranges: no IPv6 range at all"):
        run_program(program, invoke=lambda token, arguments: {"ipv4Cidrs": ["198.51.100.0/24"]})


def test_a_list_asks_nobody() -> None:
    seen = run_ranges(cdn(kind="listed", client_ip_header="X-Client", range_list=["192.0.2.0/24"]))
    assert seen.value == {"ranges": ["192.0.2.0/24"]}
    assert seen.invokes == []


FASTLY = {
    "kind": "fastly",
    "client_ip_header": "Fastly-Client-IP",
    "range_list": ["198.51.100.128/25", "192.0.2.0/24", "198.51.100.0/25"],
}


def test_fastly_is_known_by_its_list_and_its_header_and_nothing_is_made_there() -> None:
    pem = issued.made("authority", authority=True).pem

    def program() -> dict[str, Any]:
        layer = made(cdn(**FASTLY, origin_pulls={"client_ca": pem}), token="of another CDN")
        return {
            "ranges": layer.ranges,
            "header": layer.client_ip_header,
            "authorities": layer.authorities,
            "names": layer.records(ORIGINS).names,
        }

    seen = run_program(program)
    assert seen.value == {
        "ranges": ["192.0.2.0/24", "198.51.100.0/24"],
        "header": "Fastly-Client-IP",
        "authorities": pem,
        "names": [],
    }
    assert seen.invokes == []
    assert [each.type for each in seen.resources if each.custom] == []


def test_fastly_signs_no_certificate() -> None:
    def program() -> None:
        layer = made(cdn(**FASTLY))
        layer.kind.sign(
            "leaf",
            SigningRequest(csr="", names=[], hours=24),
            pulumi.ComponentResource("a:b:C", "it"),
        )

    with pytest.raises(LayerError, match=r"a CDN of kind fastly signs no certificates"):
        run_program(program)


def test_without_a_cdn_everybody_may_call_nobody_names_a_client_and_nothing_is_made() -> None:
    seen = run_program(
        lambda: {
            "ranges": made(cdn(kind="none")).ranges,
            "header": made(cdn(kind="none")).client_ip_header,
            "names": made(cdn(kind="none")).records(ORIGINS).names,
        }
    )
    assert seen.value == {"ranges": ["0.0.0.0/0"], "header": None, "names": []}
    assert seen.invokes == []
    assert [each.type for each in seen.resources if each.custom] == []


@pytest.mark.parametrize("required", [True, False])
def test_a_listed_cdn_brings_its_authorities_and_says_whether_its_certificate_is_required(
    required: bool,
) -> None:
    pem = issued.made("authority", authority=True).pem
    pulls = {"client_ca": pem, "required": required}
    ours = {"kind": "listed", "client_ip_header": "X-Client", "range_list": ["192.0.2.0/24"]}

    def program() -> dict[str, Any]:
        layer, without = made(cdn(**ours, origin_pulls=pulls)), made(cdn(**ours))
        return {
            "with": [layer.authorities, layer.certificate_required],
            "without": [without.authorities, without.certificate_required],
        }

    assert run_program(program).value == {"with": [pem, required], "without": [None, False]}


def test_an_empty_answer_fails_the_update() -> None:
    with pytest.raises(LayerError, match=r"^cdn:\n  - Cloudflare's list of ranges: no IPv4"):
        run_ranges(cdn(), {"ipv4Cidrs": [], "ipv6Cidrs": []})


def test_a_list_that_lets_everybody_in_is_refused() -> None:
    with pytest.raises(
        LayerError, match=r"^cdn:\n  - cdn.range_list: 0\.0\.0\.0/0 is wider than a /8"
    ):
        run_ranges(cdn(kind="listed", client_ip_header="X-Client", range_list=["0.0.0.0/0"]))


def test_an_answer_of_nothing_is_unknown_in_a_preview() -> None:
    value = run_ranges(cdn(), {}, preview=True).value
    assert value != {"ranges": []}


RANGES = {"ipv4Cidrs": ["198.51.100.0/24"]}


def run_records(settings: Cdn, zones: Mapping[str, Any] | None = None) -> Registered:
    return run_program(
        lambda: made(settings).records(ORIGINS).names,
        invoke=lambda token, arguments: zones or {} if "getZone" in token else RANGES,
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


def test_a_public_vip_of_ipv6_has_an_aaaa_record() -> None:
    seen = run_program(
        lambda: made(cdn(**ZONE)).records([*ORIGINS[:1], IPv6Address("2001:db8:0:1::10")]).names,
        invoke=lambda token, arguments: RANGES,
    )
    record = seen.one(RECORD, "example.org-2001-0db8-0000-0001-0000-0000-0000-0010").inputs
    assert (record["type"], record["content"]) == ("AAAA", "2001:db8:0:1::10")
    assert (record["proxied"], record["ttl"]) == (True, 1)
    assert seen.one(RECORD, "example.org-203.0.113.10").inputs["type"] == "A"


def test_nothing_is_set_for_a_zone_that_the_stack_does_not_own() -> None:
    seen = run_records(cdn(**ZONE, ssl="full"))
    assert len(seen.of_type(RECORD)) == 4
    assert seen.of_type(SETTING) == []


def test_an_owner_may_have_browsers_call_by_https_alone() -> None:
    promised = {"max_age": 31_536_000, "include_subdomains": True, "preload": True}
    seen = run_records(cdn(**ZONE, owns_zone=True, always_use_https=True, hsts=promised))
    assert {each.inputs["settingId"]: each.inputs["value"] for each in seen.of_type(SETTING)} == {
        "ssl": "strict",
        "min_tls_version": "1.2",
        "always_use_https": "on",
        "security_header": {
            "strict_transport_security": {**promised, "enabled": True, "nosniff": False}
        },
    }


def test_the_zone_verifies_the_origin_as_settings_say() -> None:
    seen = run_records(cdn(**ZONE, owns_zone=True, ssl="strict", min_tls_version="1.3"))
    assert {each.inputs["settingId"]: each.inputs["value"] for each in seen.of_type(SETTING)} == {
        "ssl": "strict",
        "min_tls_version": "1.3",
    }


def test_a_zone_without_an_id_is_looked_up_by_its_name() -> None:
    settings = cdn(zone="example.org", records=["example.org"])
    seen = run_records(settings, {"zoneId": "f" * 32})
    assert seen.one(RECORD, "example.org-203.0.113.10").inputs["zoneId"] == "f" * 32
    (asked,) = [given for token, given in seen.invokes if "getZone" in token]
    assert asked["filter"]["name"] == "example.org"


def test_without_a_zone_nothing_is_made() -> None:
    seen = run_records(cdn())
    assert seen.of_type(RECORD) == []
    assert seen.of_type(SETTING) == []


def test_records_and_settings_hang_below_the_layer() -> None:
    seen = run_records(cdn(**ZONE, owns_zone=True))
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
        lambda: made(settings, "token").ranges, invoke=lambda token, arguments: RANGES
    )
    (provider,) = seen.of_type(PROVIDER)
    assert provider.inputs["baseUrl"] == "http://198.18.0.4:8787/client/v4"
    assert "apiToken" in provider.secret_inputs


def test_a_listed_cdn_makes_no_records() -> None:
    seen = run_records(cdn(kind="listed", client_ip_header="X-Client", range_list=["192.0.2.0/24"]))
    assert [each.type for each in seen.resources if each.custom] == []
