"""Alerts of public services: judged by promtool, tried on series, and of figures that HAProxy
tells."""

from __future__ import annotations

from typing import Any

import pytest

from components.platform import monitoring
from components.platform.monitoring import budgets
from lab.software import checkers
from settings.models import PublicService
from tests.components import certificates, rendered, stacks
from tests.components.checked import real
from tests.components.platform.platform_args import plain, site
from tests.components.platform.test_platform_rules import promtool, yaml_of

AT = "/etc/prometheus/budgets.yaml"


def services() -> list[PublicService]:
    return list(stacks.with_services().services)


def rules() -> str:
    return yaml_of({"groups": budgets.groups(services())})


def series(code: str, each_minute: float, minutes: int, proxy: str = "route_shop_https") -> Any:
    labels = f'job="haproxy", instance="lb-a", proxy="{proxy}", code="{code}"'
    return {
        "series": f"haproxy_backend_http_responses_total{{{labels}}}",
        "values": f"0+{each_minute:g}x{minutes}",
    }


def alert(window: str, severity: str, share: str, times: str) -> dict[str, Any]:
    return {
        "exp_labels": {"service": "shop", "severity": severity, "window": window},
        "exp_annotations": {
            "summary": f"{share} of the answers of shop are 5xx, over {window}",
            "description": "shop (shop.lab.test, store.lab.test) is to fail 0.1 % of its answers "
            f"in thirty days at most, and fails {times} times as many or more. Whose, the "
            "balancers' log says: backend route_shop_https.",
        },
    }


def tried(given: list[Any], at: str, expected: list[Any]) -> None:
    case = {
        "rule_files": [AT],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": given,
                "alert_rule_test": [
                    {"eval_time": at, "alertname": "ServiceErrors", "exp_alerts": expected}
                ],
            }
        ],
    }
    done = promtool(
        "test", "rules", "/etc/prometheus/case.yaml", case=yaml_of(case), budgets=rules()
    )
    assert done.returncode == 0, done.stdout + done.stderr


@real
def test_prometheus_own_checker_takes_the_rules() -> None:
    done = promtool("check", "rules", AT, budgets=rules())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(budgets.groups(services())[0]['rules'])} rules found" in done.stdout


@real
@pytest.mark.parametrize(
    ("good", "bad", "minutes", "expected"),
    [
        # Two in a hundred: the month's errors are used up in a day and a half.
        (
            *(98, 2, 120),
            [
                alert("1h", "critical", "2%", "14.4"),
                alert("6h", "critical", "2%", "6"),
                alert("3d", "warning", "2%", "1"),
            ],
        ),
        # Two in a thousand, in half a month: told on a working day.
        (998, 2, 120, [alert("3d", "warning", "0.2%", "1")]),
        (9995, 5, 120, []),
    ],
)
def test_somebody_is_told_of_errors_by_how_fast_they_use_up_what_may_fail(
    good: int, bad: int, minutes: int, expected: list[Any]
) -> None:
    tried([series("2xx", good, minutes), series("5xx", bad, minutes)], f"{minutes}m", expected)


@real
def test_few_errors_of_few_requests_tell_nothing() -> None:
    tried([series("2xx", 0.05, 120), series("5xx", 0.05, 120)], "120m", [])


@real
def test_an_hour_after_the_errors_ended_only_what_they_cost_is_told() -> None:
    ended = {**series("5xx", 2, 60), "values": "0+2x60 120x60"}
    tried([series("2xx", 98, 120), ended], "125m", [alert("3d", "warning", "1.01%", "1")])


@real
def test_another_services_errors_are_its_own() -> None:
    others = [series(code, 50, 120, "route_cart_https") for code in ("2xx", "5xx")]
    tried([series("2xx", 100, 120), *others], "120m", [])


def test_they_are_a_rule_of_the_charts_only_where_a_service_has_some() -> None:
    key = "additionalPrometheusRulesMap"
    some = monitoring.addon(site(plain(), services=tuple(services())))
    none = monitoring.addon(site(plain(), services=tuple(services()[1:])))
    assert some is not None
    assert none is not None
    assert some.values[key][budgets.RULES] == {"groups": budgets.groups(services())}
    assert list(none.values[key]) == ["layered-cloud"]


_ASK = """
haproxy -D -f /etc/haproxy/layered >&2 || exit 1
for host in shop.lab.test store.lab.test lab.test; do
    curl --silent --output /dev/null --write-out '%{http_code} ' --header "Host: $host" \
        http://198.18.10.10/ || exit 1
done
curl --silent --fail http://198.18.0.21:8404/metrics
"""


@real
def test_haproxy_counts_what_it_answers_itself_under_the_services_name() -> None:
    """No node is there: 503 for each, of which two are the service's."""
    stack = stacks.with_services()
    files = rendered.balancer_files(stack, "lb-a")
    files["/etc/haproxy/tls/site.pem"] = certificates.self_signed("shop.lab.test")
    legs = {
        "eth0": ["198.18.0.21/24", "198.18.0.10/32"],
        "eth1": ["198.18.10.11/24", "198.18.10.10/32"],
    }
    done = checkers.run_checker(["bash", "-c", _ASK], files, interfaces=legs)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("503 503 503 ")
    told = "haproxy_backend_http_responses_total"
    assert f'{told}{{proxy="route_shop_http",code="5xx"}} 2\n' in done.stdout
    assert f'{told}{{proxy="ingress_http",code="5xx"}} 1\n' in done.stdout
    assert f'{told}{{proxy="route_again_http",code="5xx"}} 0\n' in done.stdout
