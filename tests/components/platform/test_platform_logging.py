"""Logging: the charts' values, where lines go, and what makes a stream of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
import yaml

from components.host.baseline import journal
from components.loadbalancers import access_log
from components.platform.addon import Addon
from components.platform.addons import in_order
from components.platform.ingress import CONTROLLERS, traefik
from components.platform.logging import alloy, loki
from components.platform.monitoring import addon as monitoring
from components.platform.monitoring import rules
from settings.checks.platform_ingress import INGRESS
from settings.models import Platform
from tests.components import stacks
from tests.components.platform.platform_args import plain, site
from tests.components.platform.test_platform_monitoring import foreign
from tests.components.platform.test_platform_values import SCHEMAS

ALLOYS_OWN = SCHEMAS / "alloy.values.yaml"


def of(maker: Any, settings: Platform | None = None) -> Addon:
    made = maker.addon(site(settings or plain()))
    assert isinstance(made, Addon)
    return made


def scraped(settings: Platform) -> list[Any]:
    """Prometheus' further jobs."""
    made = monitoring(site(settings))
    assert made is not None
    found = made.values["prometheus"]["prometheusSpec"]["additionalScrapeConfigs"]
    assert isinstance(found, list)
    return found


def stored(**store: Any) -> Platform:
    """The plain platform with another store."""
    logging = plain().model_dump(mode="json")["logging"]
    given = plain().model_dump(mode="json") | {"logging": {**logging, "store": store}}
    return Platform.model_validate(given)


def test_every_value_is_one_of_alloys_chart() -> None:
    if not ALLOYS_OWN.is_file():
        pytest.skip(f"{ALLOYS_OWN.name} is not beside the checkout")
    own = yaml.safe_load(ALLOYS_OWN.read_text(encoding="utf-8"))
    assert list(foreign(of(alloy).values, own)) == []
    assert list(foreign({"alloy": {"mounts": {"varlogs": True}}}, own)) == [
        "alloy.mounts.varlogs is no value of the chart"
    ]


def test_a_stack_without_it_has_neither_and_its_ingress_writes_no_access_log() -> None:
    lab = site(stacks.lab().platform)
    assert loki.addon(lab) is None
    assert alloy.addon(lab) is None
    assert "accessLog" not in traefik.values(lab)


def test_alloy_comes_when_there_is_somebody_to_send_to() -> None:
    assert [each.name for each in in_order([of(alloy), of(loki)])] == ["loki", "alloy"]
    namespace = f"{of(loki).name}.{of(loki).namespace}.svc"
    assert f'url                 = "http://{namespace}:3100/loki/api/v1/push"' in configured()


def test_a_key_to_a_bucket_is_in_no_value() -> None:
    made = of(loki)
    assert made.secrets == {"store": ("access-key-id", "secret-access-key")}
    assert [each for each in plain().references() if each.startswith("loki/")] == [
        "loki/store/access-key-id",
        "loki/store/secret-access-key",
    ]
    named = {
        each["name"]: each["valueFrom"]["secretKeyRef"]
        for each in made.values["singleBinary"]["extraEnv"]
    }
    assert named == {
        "AWS_ACCESS_KEY_ID": {"name": "store", "key": "access-key-id"},
        "AWS_SECRET_ACCESS_KEY": {"name": "store", "key": "secret-access-key"},
    }
    assert set(made.values["loki"]["storage"]["s3"]) == {
        *("endpoint", "region", "s3ForcePathStyle", "insecure")
    }


def test_lines_in_a_volume_need_no_key() -> None:
    settings = stored(kind="filesystem", size=50, storage_class="fast")
    made = of(loki, settings)
    assert made.secrets == {}
    assert settings.logging is not None
    assert settings.logging.references() == []
    assert made.values["singleBinary"]["extraEnv"] == []
    assert made.values["loki"]["storage"] == {"type": "filesystem"}
    assert made.values["loki"]["schemaConfig"]["configs"][0]["object_store"] == "filesystem"
    volume = {"enabled": True, "size": "50Gi", "storageClass": "fast"}
    assert made.values["singleBinary"]["persistence"] == volume


def test_a_line_that_waited_is_taken_as_long_as_it_would_be_kept() -> None:
    limits = of(loki).values["loki"]["limits_config"]
    assert limits["retention_period"] == limits["reject_old_samples_max_age"] == "336h"
    assert of(loki).values["loki"]["compactor"]["retention_enabled"] is True


def test_a_grafana_is_told_of_loki() -> None:
    made = monitoring(site(plain()))
    assert made is not None
    (source,) = made.values["grafana"]["additionalDataSources"]
    assert source["url"] == "http://loki.loki.svc:3100"


def configured(settings: Platform | None = None) -> str:
    return alloy.configuration(site(settings or plain()))


def labels(text: str) -> set[str]:
    """What makes a stream: labels that are set somewhere, less those that are dropped again."""
    found: set[str] = set()
    for part in re.split("// The node's own journal.|// The machines that are no nodes.", text):
        given = set(re.findall(r'target_label\s*= "([a-z]\w*)"', part))
        given |= set(re.findall(r"(?:values|labels)\s*= \{ (\w+) = \"\w+\" \}", part))
        (dropped,) = re.findall(r"stage.label_drop \{\s*values = (\[.*\])", part)
        found |= given - set(yaml.safe_load(dropped))
    return found


def test_no_label_has_as_many_values_as_there_are_requests_or_pods() -> None:
    text = configured()
    assert "stage.labels" not in text
    assert labels(text) == {"source", "host", "namespace", "container"}
    for each in ("request_id", "pod", "unit"):
        assert re.search(rf'stage.structured_metadata {{\s*values = {{.*\b{each} = ""', text)


def test_a_machine_is_who_is_at_the_address_that_a_line_came_from() -> None:
    rules = re.findall(
        r'regex\s*= "(.+)"\s*target_label\s*= "host"\s*replacement\s*= "(.+)"', configured()
    )
    assert {name: pattern.replace("\\\\", "") for pattern, name in rules} == {
        **{"router-a": "198.18.10.2", "router-b": "198.18.10.3"},
        **{"lb-a": "198.18.10.11", "lb-b": "198.18.10.12"},
    }
    assert "__syslog_message_hostname" not in configured()


def test_the_collector_answers_the_machines_alone_and_at_no_port_of_a_node() -> None:
    (service,) = of(alloy).objects.values()
    spec = service["spec"]
    assert service["metadata"]["annotations"] == {"metallb.io/loadBalancerIPs": "198.18.10.201"}
    assert spec["loadBalancerSourceRanges"] == [
        *("198.18.10.2/32", "198.18.10.3/32", "198.18.10.11/32", "198.18.10.12/32")
    ]
    assert spec["allocateLoadBalancerNodePorts"] is False
    assert spec["externalTrafficPolicy"] == "Local"
    (port,) = spec["ports"]
    assert (port["port"], f'"0.0.0.0:{port["targetPort"]}"' in configured()) == (601, True)


def test_the_longest_line_of_an_access_log_is_taken() -> None:
    (most,) = re.findall(r"max_message_length\s*= (\d+)", configured())
    assert int(most) >= 2 * 2 * access_log.LONGEST


def test_without_a_collector_nobody_is_listened_to() -> None:
    given = plain().model_dump(mode="json")
    given["logging"]["collector"] = None
    settings = Platform.model_validate(given)
    assert of(alloy, settings).objects == {}
    assert "loki.source.syslog" not in configured(settings)


def test_nothing_is_given_up_while_loki_is_away() -> None:
    assert "max_backoff_retries = 0" in configured()


ID = "20107232-073a-4b1e-91d4-653f0c8c5747"
EXPRESSION = re.compile(r"expression = `(.+)`")


@pytest.mark.parametrize(
    "line",
    [
        f'{{"level":"info","request_id":"{ID}","path":"/"}}',
        f'{{"X-Request-Id": "{ID}"}}',
        f"level=info requestId={ID} path=/",
        f'GET / 200 "request-id: {ID}"',
        f"served [X-Request-ID: {ID}]",
    ],
)
def test_an_application_is_found_by_the_request_whatever_it_calls_its_id(line: str) -> None:
    (expression,) = EXPRESSION.findall(configured())
    found = re.search(expression, line)
    assert found is not None
    assert found["request_id"] == ID


@pytest.mark.parametrize("line", ["no id", "request_id=7", f"id={ID}", f"request_ids={ID[:-1]}"])
def test_what_is_no_id_of_a_request_is_none(line: str) -> None:
    (expression,) = EXPRESSION.findall(configured())
    assert re.search(expression, line) is None


def test_an_ingress_that_writes_an_access_log_is_read_as_it_writes() -> None:
    text = configured()
    assert 'selector = "{namespace=\\"traefik\\", container=\\"traefik\\"}"' in text
    assert 'request_id = "\\"request_X-Request-Id\\""' in text
    assert 'selector = "{namespace!=\\"traefik\\"}"' in text


def test_the_pods_of_one_that_does_not_are_read_as_everybodys() -> None:
    ingress = plain().ingress.model_copy(update={"kind": "cilium"})
    text = configured(plain().model_copy(update={"ingress": ingress}))
    assert "request_X-Request-Id" not in text
    assert 'selector = "{source=\\"pod\\"}"' in text


def test_settings_and_controllers_agree_on_who_tells_requests() -> None:
    assert {word: rules.tells_requests for word, rules in INGRESS.items()} == {
        word: controller.access_log is not None for word, controller in CONTROLLERS.items()
    }


def test_the_access_log_has_no_header_field_but_the_id_and_no_query() -> None:
    fields = traefik.values(site(plain()))["accessLog"]["fields"]
    assert fields["headers"] == {"defaultMode": "drop", "names": {"X-Request-Id": "keep"}}
    assert fields["queryParameters"] == {"defaultMode": "drop"}


def test_prometheus_asks_who_collects_and_knows_who_should_send() -> None:
    """By the node that a pod is on; of machines that are no nodes, by those that send."""
    settings = plain()
    asked = {each["job_name"] for each in scraped(settings)}
    assert {"alloy", "loki"} <= asked
    without = settings.model_copy(update={"logging": None})
    assert not {"alloy", "loki"} & {each["job_name"] for each in scraped(without)}


def test_a_machine_that_sends_is_expected_to() -> None:
    senders = {"lb-a": IPv4Address("198.18.10.11")}
    (group,) = rules.senders(replace(site(plain()), senders=senders))
    (expected,) = group["rules"]
    assert (expected["record"], expected["labels"]) == (rules.SENDER, {"host": "lb-a"})
    assert rules.senders(replace(site(plain()), senders={})) == []


def test_what_alloy_counts_is_what_the_rules_ask_for() -> None:
    text = configured()
    prefix, name = alloy.COUNTER
    assert f'prefix            = "{prefix}"' in text
    assert f'name              = "{name}"' in text
    asked = rules.FILE.read_text(encoding="utf-8")
    assert f"(increase({prefix}{name}[30m]))" in asked
    assert 2 * journal.MARK_SECONDS < 30 * 60
