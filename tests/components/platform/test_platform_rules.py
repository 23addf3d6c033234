"""The rules of the chain: judged by promtool, tried on series, and of figures that daemons tell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.host.speakers.bgpfigures.session import TOLD, text
from components.platform.monitoring import rules, scrape
from lab.software import checkers
from tests.components import certificates, rendered, stacks
from tests.components.checked import real
from tests.components.platform.platform_args import plain, site

CASES = Path(__file__).parent / "rules"
AT = "/etc/prometheus/rules.yaml"
FACTS = "/etc/prometheus/facts.yaml"
SIXTH = "2001:db8:0:1::10"


def promtool(*words: str, **files: str) -> subprocess.CompletedProcess[str]:
    at = {AT: rules.FILE.read_text(encoding="utf-8")}
    at |= {f"/etc/prometheus/{name}.yaml": text for name, text in files.items()}
    return checkers.run_checker(["promtool", *words], at)


def yaml_of(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False)


@real
def test_prometheus_own_checker_takes_the_rules_and_the_facts() -> None:
    here = site(plain())
    facts = [rules.facts(here), *rules.senders(here)]
    done = promtool("check", "rules", AT, FACTS, facts=yaml_of({"groups": facts}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {sum(len(each['rules']) for each in facts)} rules found" in done.stdout
    wrong = promtool("check", "rules", "/etc/prometheus/wrong.yaml", wrong="groups: [{nam: x}]")
    assert wrong.returncode != 0


@real
@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_rule_fires_on_what_it_is_for_and_on_nothing_else(case: Path) -> None:
    text = case.read_text(encoding="utf-8")
    done = promtool("test", "rules", "/etc/prometheus/case.yaml", case=text)
    assert done.returncode == 0, done.stdout + done.stderr


def fired() -> set[str]:
    """Alerts that some case sees firing."""
    cases = [yaml.safe_load(path.read_text("utf-8")) for path in CASES.glob("*.yaml")]
    return {
        each["alertname"]
        for case in cases
        for one in case["tests"]
        for each in one["alert_rule_test"]
        if each["exp_alerts"]
    }


def alerts() -> list[dict[str, Any]]:
    return [each for group in rules.groups() for each in group["rules"]]


def test_no_rule_is_without_a_case() -> None:
    assert {each["alert"] for each in alerts()} == fired()


def test_every_rule_says_how_bad_it_is_and_what_it_means() -> None:
    for each in alerts():
        assert each["labels"]["severity"] in ("critical", "warning"), each["alert"]
        assert set(each["annotations"]) == {"summary", "description"}, each["alert"]


def test_every_vip_is_a_fact_unless_nobody_tells_who_holds_it() -> None:
    whole = site(plain())
    labels = [each["labels"] for each in rules.facts(whole)["rules"]]
    facts = {each["address"]: each["role"] for each in labels}
    assert facts == {
        **{"203.0.113.10": "router", "198.18.10.1": "router"},
        **{"198.18.10.10": "balancer", "198.18.0.10": "balancer"},
    }
    without = site(plain(), targets=[t for t in whole.targets if t.role != "router"])
    assert {each["labels"]["role"] for each in rules.facts(without)["rules"]} == {"balancer"}


def test_a_vip_of_either_family_is_a_fact() -> None:
    stack = stacks.both_families()
    vips = {"router": stack.routers.every_vip, "balancer": stack.balancers.every_vip}
    made = rules.facts(site(plain(), vips=vips))["rules"]
    assert [each["labels"]["address"] for each in made] == [
        *("203.0.113.10", "198.18.10.1", SIXTH, "fd00:10::1"),
        *("198.18.10.10", "198.18.0.10", "fd00:10::10"),
    ]


@real
def test_prometheus_own_checker_takes_the_scrape_configuration() -> None:
    made = yaml_of({"rule_files": [AT], "scrape_configs": scrape.configs(site(plain()).targets)})
    done = promtool("check", "config", "/etc/prometheus/it.yaml", it=made)
    assert done.returncode == 0, done.stdout + done.stderr


TOLD_BY_OTHERS = {"kube_node_status_condition", "up"}
"""By kube-state-metrics and by Prometheus itself."""
_NAMED = re.compile(r"\b(?:haproxy|kube|node|up)(?:_[a-z_]+)?(?=[{\[ )]|$)", re.M)
_ASK = """
haproxy -D -f /etc/haproxy/layered >/dev/null || exit 1
prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.netdev.address-info \
    >/dev/null 2>&1 &
for url in http://198.18.0.21:8404/metrics http://127.0.0.1:9100/metrics; do
    curl --silent --fail --retry 20 --retry-delay 1 --retry-connrefused "$url" || exit 1
done
kill $!
"""


@real
def test_the_daemons_tell_every_figure_that_a_rule_reads() -> None:
    """HAProxy under a balancer's own configuration, and node_exporter."""
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    files["/etc/haproxy/tls/site.pem"] = certificates.self_signed("echo.lab.test")
    files[TOLD] = text("frr", [])
    legs = {
        "eth0": ["198.18.0.21/24", "198.18.0.10/32"],
        "eth1": ["198.18.10.11/24", "198.18.10.10/32", f"{SIXTH}/128"],
    }
    done = checkers.run_checker(["bash", "-c", _ASK], files, interfaces=legs)
    assert done.returncode == 0, done.stderr
    told = {line.partition("{")[0].partition(" ")[0] for line in done.stdout.splitlines()}
    named = {name for each in alerts() for name in _NAMED.findall(each["expr"])}
    assert len(named) > 8
    assert named - TOLD_BY_OTHERS - told == set()
    assert f'node_textfile_mtime_seconds{{file="{TOLD}"}}' in done.stdout
    assert 'layered_cloud_bgp_answers{daemon="frr"} 1' in done.stdout
    assert 'haproxy_frontend_limit_sessions{proxy="service"}' in done.stdout
    assert 'haproxy_frontend_limit_sessions{proxy="api"}' in done.stdout
    for address in ("198.18.10.10", SIXTH):
        assert f'node_network_address_info{{address="{address}"' in done.stdout
