"""The small Cloudflare's client certificates for names, as its clients see them."""

from __future__ import annotations

import pytest

from tests.issued import made
from tests.lab.cloudflare.api_host import serve_cloudflare
from tests.lab.cloudflare.test_cloudflare_api import call, refusal

CA = made("authority", authority=True, names=())
LEAF = made("lab.test", by=CA, names=())
GIVEN = {"certificate": LEAF.pem, "private_key": LEAF.key_pem}


@pytest.fixture
def api(tmp_path):
    with serve_cloudflare(tmp_path / "state.json") as served:
        yield served


def path(api, rest=""):
    return f"zones/{api.zone}/origin_tls_client_auth/hostnames{rest}"


def uploaded(api):
    return call(api, "POST", path(api, "/certificates"), GIVEN).json()["result"]


def associated(api, key, enabled, name="echo.lab.test"):
    row = {"hostname": name, "cert_id": key, "enabled": enabled}
    return call(api, "PUT", path(api), {"config": [row]})


def test_a_certificate_is_kept_with_its_key_and_shown_without_it(api):
    made_ = uploaded(api)
    assert made_["issuer"] == "CN=authority"
    assert made_["certificate"] == LEAF.pem
    seen = call(api, "GET", path(api, f"/certificates/{made_['id']}")).json()["result"]
    assert seen == made_
    assert call(api, "GET", path(api, "/certificates")).json()["result"] == [made_]
    assert "private_key" not in made_
    kept = api.state.zones[api.zone]["origin_pulls"]["certificates"][made_["id"]]
    assert kept["private_key"] == LEAF.key_pem


@pytest.mark.parametrize(
    ("certificate", "key", "code"),
    [
        ("nonsense", LEAF.key_pem, 1557),
        (LEAF.pem, "nonsense", 1557),
        (LEAF.pem, CA.key_pem, 1558),
        (CA.pem, CA.key_pem, 1559),
    ],
)
def test_what_could_not_be_shown_is_refused(api, certificate, key, code):
    given = {"certificate": certificate, "private_key": key}
    status, refused, _ = refusal(call(api, "POST", path(api, "/certificates"), given))
    assert (status, refused) == (400, code)


def test_a_name_is_given_a_certificate_another_one_and_none(api):
    first, second = uploaded(api)["id"], uploaded(api)["id"]
    for key in (first, second):
        (row,) = associated(api, key, True).json()["result"]
        assert (row["hostname"], row["cert_id"], row["enabled"]) == ("echo.lab.test", key, True)
    seen = call(api, "GET", path(api, "/echo.lab.test")).json()["result"]
    assert (seen["cert_id"], seen["issuer"]) == (second, "CN=authority")
    assert "private_key" not in seen
    assert refusal(call(api, "DELETE", path(api, f"/certificates/{second}")))[:2] == (409, 1553)
    assert call(api, "DELETE", path(api, f"/certificates/{first}")).json()["success"]
    assert associated(api, second, None).json()["result"] == []
    assert refusal(call(api, "GET", path(api, "/echo.lab.test")))[0] == 404
    assert call(api, "DELETE", path(api, f"/certificates/{second}")).json()["success"]


def test_names_of_others_certificates_that_are_none_and_more_than_ten_are_refused(api):
    assert refusal(associated(api, "f" * 32, True))[:2] == (404, 1551)
    key = uploaded(api)["id"]
    assert refusal(associated(api, key, True, "echo.else.test"))[:2] == (400, 1554)
    for _ in range(9):
        uploaded(api)
    answer = call(api, "POST", path(api, "/certificates"), GIVEN)
    assert refusal(answer) == (400, 1552, "a zone has 10 hostname certificates")
