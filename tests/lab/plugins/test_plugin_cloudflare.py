"""The cloudflare provider against the small API."""

from __future__ import annotations

import socket

import pytest
import requests

from lab.plugins.cloudflare import CloudflareProvider
from lab.plugins.server import UNKNOWN, Secret
from tests.lab.cloudflare.test_cloudflare_api import csr
from tests.lab.plugins.harness import CallFailed, plugin

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
CERTIFICATE = "cloudflare:index/originCaCertificate:OriginCaCertificate"


def record(api, **more):
    return {
        "zoneId": api.zone, "name": "echo", "type": "A", "content": "203.0.113.10", "ttl": 1,
        "proxied": True, **more,
    }  # fmt: skip


def kept(api):
    return list(api.state.zones[api.zone]["records"].values())


def test_a_record_lives_and_dies(api, cloudflare):
    state = cloudflare.create(RECORD, record(api, comment="front"))
    assert state.outputs["proxiable"] is True
    assert kept(api)[0]["name"] == "echo.lab.test"
    changed = record(api, content="203.0.113.11", comment="front")
    assert cloudflare.diff(state, changed).changes == {"content": "update"}
    state = cloudflare.update(state, changed)
    assert [each["content"] for each in kept(api)] == ["203.0.113.11"]
    assert cloudflare.diff(state, changed).nothing
    cloudflare.delete(state)
    assert kept(api) == []
    cloudflare.delete(state)
    assert any("was gone already" in text for _, text, _ in cloudflare.log)


def test_only_the_zone_replaces_a_record(api, cloudflare):
    state = cloudflare.create(RECORD, record(api))
    assert cloudflare.diff(state, record(api, name="other", ttl=300)).replaces == []
    assert cloudflare.diff(state, record(api, zoneId="f" * 32)).replaces == ["zoneId"]


def test_a_refresh_sees_drift_and_absence_and_no_drift_in_a_relative_name(api, cloudflare):
    state = cloudflare.create(RECORD, record(api))
    assert cloudflare.read(state).inputs == state.inputs
    next(iter(kept(api)))["content"] = "203.0.113.99"
    drifted = cloudflare.read(state)
    assert drifted.inputs["content"] == "203.0.113.99"
    assert cloudflare.diff(drifted, record(api)).changes == {"content": "update"}
    api.state.zones[api.zone]["records"].clear()
    assert cloudflare.read(state) is None


def test_an_error_is_cloudflares_own_words_with_its_code(api, cloudflare):
    with pytest.raises(CallFailed) as failed:
        cloudflare.create(RECORD, record(api, content="not an address"))
    assert str(failed.value).startswith(
        "Content for A record must be a valid IPv4 address. (code 9005)\nPOST http://127.0.0.1"
    )
    assert str(failed.value).endswith(": 400 Bad Request")


def test_a_wrong_token_is_told_and_never_shown(api):
    with plugin(CloudflareProvider()) as cloudflare:
        cloudflare.configure(baseUrl=api.base_url, apiToken=Secret("quite-wrong"))
        with pytest.raises(CallFailed, match=r"Invalid access token \(code 9109\)") as failed:
            cloudflare.create(RECORD, record(api))
    assert "quite-wrong" not in str(failed.value)


def test_an_api_that_is_not_there_is_tried_a_bounded_number_of_times():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with plugin(CloudflareProvider()) as cloudflare:
        cloudflare.configure(baseUrl=f"http://127.0.0.1:{port}/client/v4")
        with pytest.raises(CallFailed, match=r"Connection refused.*\(tried 4 times\)"):
            cloudflare.invoke("cloudflare:index/getIpRanges:getIpRanges")


def test_an_unknown_property_is_refused_with_a_near_match(api, cloudflare):
    _, failures = cloudflare.check(RECORD, record(api, proxy=True))
    assert list(failures) == ["proxy"]
    assert failures["proxy"].startswith("DnsRecordArgs has no such property; did you mean proxied")


def test_a_preview_makes_nothing_and_leaves_the_dates_unknown(api, cloudflare):
    shown = cloudflare.create(RECORD, record(api, content=UNKNOWN), preview=True)
    assert (shown.outputs["createdOn"], shown.outputs["name"]) == (UNKNOWN, "echo")
    assert kept(api) == []


def test_a_zone_setting_is_written_changed_in_place_and_survives_its_deletion(api, cloudflare):
    def live():
        return api.state.zones[api.zone]["settings"]["ssl"]["value"]

    inputs = {"zoneId": api.zone, "settingId": "ssl", "value": "full"}
    state = cloudflare.create(SETTING, inputs)
    assert state.id == "ssl"
    strict = {**inputs, "value": "strict"}
    assert cloudflare.diff(state, strict).changes == {"value": "update"}
    state = cloudflare.update(state, strict)
    assert live() == "strict"
    assert cloudflare.diff(state, {**strict, "settingId": "min_tls_version"}).replaces == [
        "settingId"
    ]
    api.state.zones[api.zone]["settings"]["ssl"]["value"] = "off"
    assert cloudflare.read(state).inputs["value"] == "off"
    cloudflare.delete(state)
    assert live() == "off"
    with pytest.raises(CallFailed, match=r"Undefined zone setting: tls9 \(code 1003\)"):
        cloudflare.create(SETTING, {**inputs, "settingId": "tls9"})


def test_an_origin_certificate_is_signed_replaced_by_any_change_and_revoked(api, cloudflare):
    inputs = {"csr": csr(), "hostnames": ["lab.test"], "requestType": "origin-ecc"}
    state = cloudflare.create(CERTIFICATE, inputs)
    assert "BEGIN CERTIFICATE" in state.outputs["certificate"]
    assert "requestedValidity" not in state.inputs, "the real provider adds nothing to the inputs"
    assert state.outputs["requestedValidity"] == 5475
    assert cloudflare.diff(state, inputs).nothing
    for change in ({"csr": csr()}, {"hostnames": ["a.lab.test"]}, {"requestedValidity": 30}):
        assert cloudflare.diff(state, {**inputs, **change}).replaces, change
    assert cloudflare.read(state).outputs["certificate"] == state.outputs["certificate"]
    cloudflare.delete(state)
    assert api.state.certificates == {}
    assert cloudflare.read(state) is None
    assert cloudflare.check(CERTIFICATE, {**inputs, "requestedValidity": 8})[1] == {
        "requestedValidity": "8 is not one of 7, 30, 90, 365, 730, 1095, 5475"
    }


def test_the_address_ranges_come_from_the_api(cloudflare):
    answer = cloudflare.invoke("cloudflare:index/getIpRanges:getIpRanges")
    assert answer["ipv4Cidrs"] == ["198.51.100.0/24"]


def test_an_offline_preview_answers_with_the_published_ranges(monkeypatch):
    monkeypatch.setenv("LAYERED_CLOUD_OFFLINE", "1")
    with plugin(CloudflareProvider()) as cloudflare:
        answer = cloudflare.invoke("cloudflare:index/getIpRanges:getIpRanges")
    assert len(answer["ipv4Cidrs"]) == 15
    assert "104.16.0.0/13" in answer["ipv4Cidrs"]


def test_a_zone_is_looked_up_by_name_or_id(api, cloudflare):
    token = "cloudflare:index/getZone:getZone"
    by_name = cloudflare.invoke(token, {"filter": {"name": "lab.test", "match": "all"}})
    assert (by_name["zoneId"], by_name["name"]) == (api.zone, "lab.test")
    assert by_name["nameServers"] == ["a.ns.lab.test", "b.ns.lab.test"]
    assert cloudflare.invoke(token, {"zoneId": api.zone})["name"] == "lab.test"
    with pytest.raises(CallFailed, match="found 0 zones for"):
        cloudflare.invoke(token, {"filter": {"name": "no.test", "match": "all"}})


def test_the_token_is_a_secret_of_the_providers_configuration(api, cloudflare):
    from pulumi.runtime.proto import provider_pb2

    from lab.plugins.wire import decode, encode

    request = provider_pb2.CheckRequest(news=encode({"apiToken": "t", "baseUrl": "http://x"}))
    assert decode(cloudflare.stub.CheckConfig(request).inputs)["apiToken"] == Secret("t")
    wrong = provider_pb2.CheckRequest(news=encode({"apiTokn": "t"}))
    assert [each.property for each in cloudflare.stub.CheckConfig(wrong).failures] == ["apiTokn"]


def test_a_server_that_is_busy_is_asked_again(api, cloudflare, monkeypatch):
    real, asked = requests.request, []

    def busy(method, url, **more):
        asked.append(url)
        answer = real(method, url, **more)
        if len(asked) == 1:
            answer.status_code = 503
        return answer

    monkeypatch.setattr(requests, "request", busy)
    assert cloudflare.invoke("cloudflare:index/getIpRanges:getIpRanges")["etag"] == "lab"
    assert len(asked) == 2


def test_the_records_of_a_name_are_looked_up_in_the_zone(api, cloudflare, monkeypatch):
    token = "cloudflare:index/getDnsRecords:getDnsRecords"
    cloudflare.create(RECORD, record(api, comment="front"))
    cloudflare.create(RECORD, record(api, name="other"))
    found = cloudflare.invoke(token, {"zoneId": api.zone, "name": {"exact": "echo.lab.test"}})
    (row,) = found["results"]
    assert (row["name"], row["type"], row["content"], row["comment"]) == (
        "echo.lab.test", "A", "203.0.113.10", "front"
    )  # fmt: skip
    assert (found["match"], found["direction"]) == ("all", "asc")
    nobody = {"zoneId": api.zone, "name": {"exact": "none.lab.test"}}
    assert cloudflare.invoke(token, nobody)["results"] == []
    with pytest.raises(CallFailed, match=r"looks for content\.exact, name\.exact only"):
        cloudflare.invoke(token, {"zoneId": api.zone, "name": {"contains": "e"}})
    monkeypatch.setenv("LAYERED_CLOUD_OFFLINE", "1")
    assert cloudflare.invoke(token, nobody)["results"] == []
