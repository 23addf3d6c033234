"""The small Cloudflare's answers, as its clients see them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.cloudflare.state import State
from lab.paths import CHECKOUT
from tests.lab.cloudflare.api_host import serve_cloudflare


@pytest.fixture
def api(tmp_path):
    with serve_cloudflare(tmp_path / "state.json") as served:
        yield served


def call(api, method, path, body=None, token=None, **query):
    headers = {"Authorization": f"Bearer {token or api.token}"}
    return requests.request(
        method, f"{api.base_url}/{path}", json=body, params=query, headers=headers, timeout=10
    )


def refusal(answer) -> tuple[int, int, str]:
    body = answer.json()
    assert body["success"] is False
    assert body["result"] is None
    return answer.status_code, body["errors"][0]["code"], body["errors"][0]["message"]


def record(**more):
    return {
        "type": "A",
        "name": "echo",
        "content": "203.0.113.10",
        "ttl": 1,
        "proxied": True,
        **more,
    }


def test_the_address_ranges_are_public_and_everything_else_needs_the_token(api):
    ranges = requests.get(f"{api.base_url}/ips", timeout=10).json()["result"]
    assert ranges == {
        "ipv4_cidrs": ["198.51.100.0/24"],
        "ipv6_cidrs": ["2001:db8:c::/48"],
        "etag": "lab",
    }
    bare = requests.get(f"{api.base_url}/zones", timeout=10)
    assert refusal(bare) == (
        400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
    )  # fmt: skip
    assert refusal(call(api, "GET", "zones", token="wrong")) == (403, 9109, "Invalid access token")


def test_a_zone_is_found_by_its_name(api):
    found = call(api, "GET", "zones", name="lab.test").json()
    assert [zone["id"] for zone in found["result"]] == [api.zone]
    assert found["result_info"]["total_count"] == 1
    assert call(api, "GET", "zones", name="other.test").json()["result"] == []
    assert refusal(call(api, "GET", "zones/none"))[:2] == (404, 7003)


def test_a_record_lives_from_post_to_delete(api):
    path = f"zones/{api.zone}/dns_records"
    made = call(api, "POST", path, record()).json()["result"]
    assert (made["name"], made["proxiable"], made["ttl"]) == ("echo.lab.test", True, 1)
    changed = call(api, "PUT", f"{path}/{made['id']}", record(content="203.0.113.11"))
    assert changed.json()["result"]["content"] == "203.0.113.11"
    patched = call(api, "PATCH", f"{path}/{made['id']}", {"comment": "front door"})
    assert patched.json()["result"]["content"] == "203.0.113.11"
    listed = call(api, "GET", path, name="echo.lab.test", type="A").json()["result"]
    assert [each["comment"] for each in listed] == ["front door"]
    assert call(api, "DELETE", f"{path}/{made['id']}").json()["result"] == {"id": made["id"]}
    assert refusal(call(api, "GET", f"{path}/{made['id']}")) == (
        404, 81044, "Record does not exist."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"type": "ALIAS"}, 9004, "DNS record type is invalid."),
        ({"name": ""}, 9000, "DNS name is invalid."),
        ({"content": "nowhere"}, 9005, "Content for A record must be a valid IPv4 address."),
        ({"content": "::1"}, 9005, "Content for A record must be a valid IPv4 address."),
        ({"content": "127.0.0.1"}, 9003, "Target 127.0.0.1 is not allowed for a proxied record."),
        ({"ttl": 30, "proxied": False}, 9021, "Invalid TTL."),
        ({"type": "TXT", "content": "x"}, 9004, "TXT records cannot be proxied."),
    ],
)
def test_a_wrong_record_is_refused_with_cloudflares_code(api, change, code, words):
    answer = call(api, "POST", f"zones/{api.zone}/dns_records", record(**change))
    status, got, message = refusal(answer)
    assert (status, got) == (400, code)
    assert message.startswith(words)


def test_an_identical_record_and_a_cname_beside_an_address_are_refused(api):
    path = f"zones/{api.zone}/dns_records"
    assert call(api, "POST", path, record()).ok
    assert refusal(call(api, "POST", path, record()))[1] == 81058
    assert call(api, "POST", path, record(content="203.0.113.12")).ok
    alias = record(type="CNAME", content="lab.test")
    assert refusal(call(api, "POST", path, alias))[1] == 81053


def test_a_zone_setting_takes_only_its_own_values(api):
    path = f"zones/{api.zone}/settings/ssl"
    assert call(api, "GET", path).json()["result"]["value"] == "full"
    assert call(api, "PATCH", path, {"value": "strict"}).json()["result"]["value"] == "strict"
    assert call(api, "GET", path).json()["result"]["value"] == "strict"
    assert refusal(call(api, "PATCH", path, {"value": "tight"}))[:2] == (400, 1007)
    unknown = call(api, "GET", f"zones/{api.zone}/settings/sslx")
    assert refusal(unknown)[2] == "Undefined zone setting: sslx"


def csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = request.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_an_origin_certificate_is_signed_by_the_authority_and_can_be_revoked(api):
    body = {
        "csr": csr(), "hostnames": ["*.lab.test", "lab.test"], "request_type": "origin-ecc",
        "requested_validity": 90,
    }  # fmt: skip
    made = call(api, "POST", "certificates", body).json()["result"]
    authority = requests.get(f"{api.base_url[: -len('/client/v4')]}/origin-ca.pem", timeout=10)
    leaf = x509.load_pem_x509_certificate(made["certificate"].encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.content))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.lab.test", "lab.test"]
    assert "revoked_at" in call(api, "DELETE", f"certificates/{made['id']}").json()["result"]
    assert refusal(call(api, "GET", f"certificates/{made['id']}"))[0] == 404
    assert refusal(call(api, "POST", "certificates", {**body, "csr": "no"}))[1] == 1101
    wrong = {**body, "requested_validity": 91}
    assert refusal(call(api, "POST", "certificates", wrong))[1] == 1016


def test_what_is_not_there_has_no_route(api):
    assert refusal(call(api, "GET", "accounts")) == (404, 7000, "No route for that URI")
    assert refusal(call(api, "DELETE", "zones"))[0] == 405


def test_the_state_outlives_the_server_in_a_file_of_its_owners(tmp_path):
    path = tmp_path / "state.json"
    with serve_cloudflare(path) as api:
        call(api, "POST", f"zones/{api.zone}/dns_records", record())
        authority = api.state.authority
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = State(path, ["lab.test"])
    assert len(again.zones) == 1
    assert again.authority == authority
    (zone,) = again.zones.values()
    assert [each["content"] for each in zone["records"].values()] == ["203.0.113.10"]


def test_the_command_serves_and_makes_a_token_file(tmp_path):
    state = tmp_path / "s" / "cloudflare.json"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "lab.cloudflare", "--listen", "127.0.0.1:0", "--state",
            str(state), "--ranges", "198.51.100.0/24", "--ranges", "2001:db8::/32",
        ],
        stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, env=os.environ | {"PYTHONPATH": "."},
    )  # fmt: skip
    try:
        assert process.stdout
        assert process.stdout.readline() == "listening on 127.0.0.1:0\n"
        token = state.with_name("cloudflare.json.token")
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert len(token.read_text()) >= 40
        assert json.loads(state.read_text())["zones"]
    finally:
        process.terminate()
        process.wait(10)
