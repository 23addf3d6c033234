"""Contour as the ingress: who reaches its Envoys, unknown hosts, and what an Ingress must say."""

from __future__ import annotations

from components.platform import demo
from components.platform.addon import Values
from components.platform.entrance import ingress
from components.platform.ingress.contour import CERTIFICATE, CONTOUR, HTTP, HTTPS, NAME
from settings.checks.platform_ingress import INGRESS
from settings.models import IngressTimeouts
from tests.components import stacks
from tests.components.platform.platform_args import plain, site


def values(**given: object) -> Values:
    ingress = plain().ingress.model_copy(update=given)
    return CONTOUR.values(site(plain().model_copy(update={"ingress": ingress})))


def test_envoys_believe_whoever_reaches_them_and_only_the_balancers_do() -> None:
    made = values()
    assert made["contour"]["extraArgs"] == ["--use-proxy-protocol"]
    policy = made["envoy"]["networkPolicy"]
    assert (policy["enabled"], policy["allowExternal"]) == (True, False)
    (rule,) = policy["extraIngress"]
    assert [each["ipBlock"]["cidr"] for each in rule["from"]] == [
        "198.18.10.11/32",
        "198.18.10.12/32",
    ]
    listening = {each["port"] for each in rule["ports"]}
    assert listening == set(made["envoy"]["containerPorts"].values()) == {HTTP, HTTPS}


def test_a_host_that_nobody_knows_is_spoken_to_with_the_certificate_that_was_made() -> None:
    proxy, delegation = (CONTOUR.objects or (lambda _: {}))(site(plain())).values()
    fallback = values()["configInline"]["tls"]["fallback-certificate"]
    assert fallback == {"name": CERTIFICATE.name, "namespace": NAME}
    host = proxy["spec"]["virtualhost"]
    assert host["fqdn"] == CERTIFICATE.host
    assert host["tls"] == {"secretName": CERTIFICATE.name, "enableFallbackCertificate": True}
    assert proxy["spec"]["routes"][0]["directResponsePolicy"] == {"statusCode": 404}
    assert delegation["spec"]["delegations"] == [
        {"secretName": CERTIFICATE.name, "targetNamespaces": ["*"]}
    ]
    assert CONTOUR.minted is CERTIFICATE
    assert CONTOUR.webhook is not None, "the kinds are the chart's"


def test_an_ingress_uses_the_certificate_of_contours_namespace_unless_it_has_its_own() -> None:
    shown = stacks.lab().platform.demo
    assert shown is not None
    elsewhere = "projectcontour.io/tls-cert-namespace"
    plainly = ingress(demo.entrance(shown), CONTOUR)
    assert plainly["metadata"]["annotations"][elsewhere] == NAME
    assert plainly["spec"]["tls"] == [{"hosts": [shown.host], "secretName": CERTIFICATE.name}]
    signed = ingress(demo.entrance(shown.model_copy(update={"issuer": "inside"})), CONTOUR)
    assert elsewhere not in signed["metadata"]["annotations"]
    assert signed["spec"]["tls"] == [{"hosts": [shown.host], "secretName": "echo-tls"}]
    for made in (plainly, signed):
        annotations = made["metadata"]["annotations"]
        assert annotations["projectcontour.io/response-timeout"] == "infinity"


def test_a_request_takes_as_long_as_the_stack_says() -> None:
    endless = values()["configInline"]["timeouts"]
    assert (endless["request-timeout"], endless["connection-idle-timeout"]) == (
        "infinity",
        "920000ms",
    )
    said = values(timeouts=IngressTimeouts(read=950.5, idle=930))["configInline"]["timeouts"]
    assert (said["request-timeout"], said["connection-idle-timeout"]) == ("950500ms", "930000ms")


def test_the_settings_know_the_programs_ports_and_its_argument() -> None:
    table = {each.keys: each for each in INGRESS["contour"].decided(plain().ingress)}
    assert table[("envoy", "containerPorts", "http")].allowed(HTTP)
    assert table[("envoy", "containerPorts", "https")].allowed(HTTPS)
    assert table[("contour", "extraArgs")].allowed([*values()["contour"]["extraArgs"], "--debug"])
    assert not table[("contour", "extraArgs")].allowed(["--debug"])


def test_one_node_has_one_contour() -> None:
    assert CONTOUR.values(site(plain(), node_count=1))["contour"]["replicaCount"] == 1
    assert values()["contour"]["replicaCount"] == 2
