"""The cloudflare provider's client certificates for names, against the small API."""

from __future__ import annotations

from lab.plugins.cloudflare_origin_pulls import AuthenticatedOriginPulls, HostnameCertificate
from lab.plugins.server import Secret
from tests.issued import made

CERTIFICATE, SHOWN = HostnameCertificate.token, AuthenticatedOriginPulls.token
LEAF, OTHER = made("lab.test", names=()), made("other.lab.test", names=())


def certificate(api, pair=LEAF):
    return {"zoneId": api.zone, "certificate": pair.pem, "privateKey": Secret(pair.key_pem)}


def shown(api, key):
    row = {"hostname": "echo.lab.test", "certId": key, "enabled": True}
    return {"zoneId": api.zone, "configs": [row]}


def kept(api):
    return api.state.zones[api.zone].get("origin_pulls", {"certificates": {}, "hostnames": {}})


def test_a_certificate_lives_is_replaced_by_any_change_and_dies(api, cloudflare):
    state = cloudflare.create(CERTIFICATE, certificate(api))
    assert state.outputs["issuer"] == "CN=lab.test"
    assert cloudflare.diff(state, certificate(api)).nothing
    found = cloudflare.diff(state, certificate(api, OTHER)).replaces
    assert sorted(found) == ["certificate", "privateKey"]
    assert cloudflare.read(state).outputs["status"] == "active"
    cloudflare.delete(state)
    assert kept(api)["certificates"] == {}
    assert cloudflare.read(state) is None
    cloudflare.delete(state)


def test_a_name_is_shown_another_certificate_in_place_and_none_when_it_goes(api, cloudflare):
    first, second = (cloudflare.create(CERTIFICATE, certificate(api)).id for _ in range(2))
    state = cloudflare.create(SHOWN, shown(api, first))
    assert (state.id, state.outputs["certId"]) == ("echo.lab.test", first)
    assert cloudflare.diff(state, shown(api, second)).replaces == []
    state = cloudflare.update(state, shown(api, second))
    assert kept(api)["hostnames"]["echo.lab.test"]["cert_id"] == second
    assert cloudflare.read(state).inputs == state.inputs
    cloudflare.delete(state)
    assert kept(api)["hostnames"] == {}
    assert cloudflare.read(state) is None


def test_two_names_in_one_resource_are_refused_as_the_provider_does(api, cloudflare):
    both = shown(api, "f" * 32)
    both["configs"] *= 2
    _, failures = cloudflare.check(SHOWN, both)
    assert failures == {"configs": "config must contain exactly one hostname association"}
