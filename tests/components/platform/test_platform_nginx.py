"""F5's NGINX as the ingress: who is believed, TLS for any host, what the balancers pass on."""

from __future__ import annotations

import pytest

from components.platform import demo
from components.platform.addon import Values
from components.platform.entrance import ingress
from components.platform.ingress.nginx import CERTIFICATE, NAME, NGINX
from settings.checks.platform_ingress import INGRESS
from settings.models import IngressTimeouts, NodePorts
from tests.components import stacks
from tests.components.platform.platform_args import plain, site


def controller(**given: object) -> Values:
    ingress = plain().ingress.model_copy(update=given)
    made = NGINX.values(site(plain().model_copy(update={"ingress": ingress})))["controller"]
    assert isinstance(made, dict)
    return made


def entries(**given: object) -> dict[str, str]:
    found = controller(**given)["config"]["entries"]
    assert isinstance(found, dict)
    return found


def test_clients_addresses_are_those_that_the_balancers_name_and_nobody_else() -> None:
    made = entries()
    assert made["proxy-protocol"] == "True"
    assert made["real-ip-header"] == "proxy_protocol"
    assert made["set-real-ip-from"] == "198.18.10.11/32,198.18.10.12/32"


def test_a_configmap_holds_texts() -> None:
    assert {type(each) for each in entries().values()} == {str}


def test_any_host_is_spoken_to_over_tls_and_an_ingress_without_a_secret_is_served_so() -> None:
    made = controller()
    named = f"{NAME}/{CERTIFICATE.name}"
    assert (made["defaultTLS"], made["wildcardTLS"]) == ({"secret": named}, {"secret": named})
    assert NGINX.minted is CERTIFICATE
    shown = stacks.lab().platform.demo
    assert shown is not None
    spec = ingress(demo.entrance(shown), NGINX)["spec"]
    assert spec["ingressClassName"] == made["ingressClass"]["name"] == "nginx"
    assert spec["tls"] == [{"hosts": [shown.host]}]
    assert entries()["ssl-redirect"] == "False", "and over HTTP as well"


def test_answers_of_an_authority_stand_in_the_one_ingress_of_a_host() -> None:
    shown = stacks.lab().platform.demo
    assert shown is not None
    signed = ingress(demo.entrance(shown.model_copy(update={"issuer": "by-answer"})), NGINX)
    assert signed["metadata"]["annotations"] == {
        "acme.cert-manager.io/http01-edit-in-place": "true",
        "cert-manager.io/cluster-issuer": "by-answer",
    }


def test_nodes_answer_with_the_ports_decided_or_those_the_cluster_chooses() -> None:
    service = controller()["service"]
    assert (service["httpPort"]["nodePort"], service["httpsPort"]["nodePort"]) == (30080, 30443)
    assert service["externalTrafficPolicy"] == "Local"
    free = controller(node_ports=NodePorts(http=None, https=None, health=None))["service"]
    assert "nodePort" not in free["httpPort"]
    assert "nodePort" not in free["httpsPort"]


@pytest.mark.parametrize(("read", "written"), [(None, "86400s"), (950.5, "950500ms")])
def test_a_request_takes_as_long_as_the_stack_says(read: float | None, written: str) -> None:
    made = entries(timeouts=IngressTimeouts(read=read, idle=930))
    assert made["keepalive-timeout"] == "930000ms"
    lines = made["http-snippets"].splitlines()
    assert f"client_header_timeout {written};" in lines
    assert f"client_body_timeout {written};" in lines


def test_the_settings_ask_for_every_line_that_the_program_writes() -> None:
    (rule,) = [
        each
        for each in INGRESS["nginx"].decided(plain().ingress)
        if each.keys[-1] == "http-snippets"
    ]
    lines = entries()["http-snippets"].splitlines()
    assert rule.allowed("\n".join([*lines, "charset utf-8;"]))
    for left_out in lines:
        assert not rule.allowed("\n".join(each for each in lines if each != left_out))
