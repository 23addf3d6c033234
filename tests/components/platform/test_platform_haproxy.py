"""HAProxy's own controller as the ingress: who is believed, what is open, how it leaves."""

from __future__ import annotations

import pytest

from components.loadbalancers.haproxy import CHECK
from components.platform.addon import Values
from components.platform.ingress.haproxy import BUFFER, CERTIFICATE, HAPROXY, LEAVE, NAME
from lab.software import checkers
from settings.checks.platform_ingress import INGRESS
from settings.models import FINISH_SECONDS, NodePorts
from tests.components.checked import real
from tests.components.platform.platform_args import plain, site


def controller(**given: object) -> Values:
    ingress = plain().ingress.model_copy(update=given)
    made = HAPROXY.values(site(plain().model_copy(update={"ingress": ingress})))["controller"]
    assert isinstance(made, dict)
    return made


def test_a_proxy_header_is_expected_of_the_balancers_and_of_nobody_else() -> None:
    assert controller()["config"]["proxy-protocol"] == "198.18.10.11,198.18.10.12"


def test_the_service_carries_http_and_https_and_nothing_of_the_inside() -> None:
    made = controller()
    opened = {name for name, on in made["service"]["enablePorts"].items() if on}
    assert opened == set(made["service"]["nodePorts"]) == {"http", "https"}
    assert made["pprof"] == {"enabled": False}


def test_nodes_answer_with_the_ports_decided_or_those_the_cluster_chooses() -> None:
    service = controller()["service"]
    assert service["nodePorts"] == {"http": 30080, "https": 30443}
    assert service["healthCheckNodePort"] == 30081
    free = controller(node_ports=NodePorts(http=None, https=None, health=None))["service"]
    assert free["nodePorts"] == {}
    assert "healthCheckNodePort" not in free


def test_a_host_without_a_certificate_of_its_own_gets_one_that_is_there_before() -> None:
    named = controller()["defaultTLSSecret"]
    assert (named["secretNamespace"], named["secret"]) == (NAME, CERTIFICATE.name)
    assert HAPROXY.minted is CERTIFICATE
    assert HAPROXY.tls is None, "an Ingress need not say anything"


def test_a_pod_that_leaves_finishes_within_its_patience() -> None:
    made = controller()
    assert made["lifecycle"]["preStop"]["exec"]["command"][-1] == LEAVE
    assert f"-t {FINISH_SECONDS * 1000} " in LEAVE
    promised = dict(INGRESS["haproxy"].leaving.promised({}))
    assert made["terminationGracePeriodSeconds"] > promised["HAProxy"]


def test_the_buffer_holds_what_the_settings_say_that_it_takes() -> None:
    most = INGRESS["haproxy"].request
    assert most is not None
    # As the balancers reckon their own: 8 bytes for each of 1000 fields, and what is added.
    assert (most + 24) * 1024 == BUFFER


@real
def test_haproxy_takes_the_programs_lines() -> None:
    config = controller()["config"]
    snippets = {
        "global": config["global-config-snippet"],
        "frontend all": "mode http\nbind 127.0.0.1:8080\ndefault_backend it",
        "backend it": f"mode http\n{config['backend-config-snippet']}",
    }
    timeouts = [
        f"{key.replace('-', ' ', 1)} {value}" for key, value in config.items() if "timeout" in key
    ]
    text = "".join(
        f"{section}\n" + "".join(f"    {line}\n" for line in lines.splitlines())
        for section, lines in {"defaults": "\n".join(timeouts), **snippets}.items()
    )
    done = checkers.run_checker(CHECK, {"/etc/haproxy/layered/10-ingress.cfg": text})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("key", ["global-config-snippet", "backend-config-snippet"])
def test_the_settings_ask_for_every_line_that_the_program_writes(key: str) -> None:
    (rule,) = [each for each in INGRESS["haproxy"].decided(plain().ingress) if each.keys[-1] == key]
    lines = controller()["config"][key].splitlines()
    assert rule.allowed("\n".join([*lines, "# and more"]))
    for left_out in lines:
        assert not rule.allowed("\n".join(each for each in lines if each != left_out))
