"""Monitoring: the chart's values, where it reads, whom it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from components.platform import monitoring
from components.platform.addon import Addon
from components.platform.monitoring import alerts, scrape
from settings.models import Platform, Receiver
from tests.components import stacks
from tests.components.platform.platform_args import plain, site
from tests.components.platform.test_platform_values import SCHEMAS

CHARTS_OWN = SCHEMAS / "kube-prometheus-stack.values.yaml"


def addon(settings: Platform | None = None) -> Addon:
    made = monitoring.addon(site(settings or plain()))
    assert made is not None
    return made


def foreign(made: Mapping[str, Any], own: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Keys of ours that the chart has not, or of another type; an empty mapping of its own is for
    anything."""
    for key, value in made.items():
        here = f"{path}.{key}" if path else key
        if key not in own:
            yield f"{here} is no value of the chart"
        elif isinstance(value, Mapping) and isinstance(own[key], Mapping) and own[key]:
            yield from foreign(value, own[key], here)
        elif own[key] is not None and not isinstance(value, type(own[key])):
            yield f"{here} is {type(value).__name__}, in the chart {type(own[key]).__name__}"


def charts_own() -> dict[str, Any]:
    if not CHARTS_OWN.is_file():
        pytest.skip(f"{CHARTS_OWN.name} is not beside the checkout")
    found: dict[str, Any] = yaml.safe_load(CHARTS_OWN.read_text(encoding="utf-8"))
    return found


def test_every_value_is_one_of_the_charts() -> None:
    assert list(foreign(addon().values, charts_own())) == []


def test_a_value_that_the_chart_has_not_is_named() -> None:
    wrong = {
        "prometheus": {"prometheusSpec": {"hostNetwrk": True, "replicas": "two"}},
        "kubProxy": {},
    }
    assert list(foreign(wrong, charts_own())) == [
        "prometheus.prometheusSpec.hostNetwrk is no value of the chart",
        "prometheus.prometheusSpec.replicas is str, in the chart int",
        "kubProxy is no value of the chart",
    ]


def test_a_stack_without_it_has_none() -> None:
    assert monitoring.addon(site(stacks.lab().platform)) is None


def test_every_exporter_is_read_under_its_machines_name() -> None:
    jobs = {each["job_name"]: each for each in scrape.configs(site().targets)}
    assert list(jobs) == ["node-exporter", "haproxy"]
    assert [each["labels"]["instance"] for each in jobs["node-exporter"]["static_configs"]] == [
        *("router-a", "router-b", "lb-a", "lb-b", "cp-1", "worker-1", "worker-2"),
    ]
    assert jobs["haproxy"]["static_configs"] == [
        {
            "targets": [f"198.18.0.{number}:8404"],
            "labels": {"instance": name, "role": "balancer"},
        }
        for name, number in (("lb-a", 21), ("lb-b", 22))
    ]


def receiver(**given: Any) -> Receiver:
    return Receiver.model_validate({"name": "pager", "kind": "webhook", **given})


def test_a_receiver_is_told_of_its_severities_and_whoever_comes_after_it_too() -> None:
    made = alerts.config([receiver(severities=["critical"]), receiver(name="other")])
    assert made["route"]["receiver"] == "null"
    assert made["route"]["routes"][1:] == [
        {"receiver": "pager", "matchers": ['severity =~ "critical"'], "continue": True},
        {"receiver": "other", "matchers": ['severity =~ "critical|warning"'], "continue": True},
    ]


def test_what_is_secret_is_read_from_files_that_are_mounted() -> None:
    made = addon()
    assert made.secrets == {"alerts-operators": ("password",), "alerts-pager": ("url",)}
    assert made.values["alertmanager"]["alertmanagerSpec"]["secrets"] == list(made.secrets)
    by_name = {each["name"]: each for each in made.values["alertmanager"]["config"]["receivers"]}
    (mail,) = by_name["operators"]["email_configs"]
    assert mail["auth_password_file"] == "/etc/alertmanager/secrets/alerts-operators/password"
    (hook,) = by_name["pager"]["webhook_configs"]
    assert hook["url_file"] == "/etc/alertmanager/secrets/alerts-pager/url"
    assert [each for each in plain().references() if each.startswith("monitoring/")] == [
        "monitoring/alerts-operators/password",
        "monitoring/alerts-pager/url",
    ]


def test_a_server_that_asks_for_no_password_is_given_none() -> None:
    given = receiver(
        kind="mail", to=["a@example.org"], sender="b@example.org", server="smtp.example.org"
    )
    (mail,) = alerts.by_mail(given)["email_configs"]
    assert "auth_username" not in mail
    assert given.secret_keys() == ()


def test_what_is_never_up_is_not_asked() -> None:
    made = addon().values
    off = {name for name, each in made.items() if each.get("enabled") is False}
    assert off == {
        *("grafana", "kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler"),
        "nodeExporter",
    }
