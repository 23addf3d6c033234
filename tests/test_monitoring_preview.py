"""What a preview of the whole program by the real engine shows of monitoring, and what it hides."""

from __future__ import annotations

import pytest

from components.routers.linux.firewall import RULES
from tests import whole
from tests.offline import told

pytestmark = pytest.mark.timeout(300)


def test_a_preview_shows_the_release_and_hides_whom_it_calls() -> None:
    text, everything = told("watched", "monitoring/alerts-pager/url=https://hook/a-token")
    for shown in ("kube-prometheus-stack", "VipWithoutOwner", "198.18.0.11:9100", "alerts-pager"):
        assert shown in text
    for page in ("glance", "routers", "balancers", "cluster", "machines"):
        assert f"layered-cloud-{page}.json" in text
    assert "Connections tracked, of those they may" in text
    assert "a-token" not in everything


def test_dashboards_come_after_the_namespace_and_the_release() -> None:
    seen = whole.plan("watched")
    release = seen.registration("kubernetes:helm.sh/v3:Release", "kube-prometheus-stack")
    namespace = seen.registration("kubernetes:core/v1:Namespace", "monitoring-namespace")
    page = seen.registration("kubernetes:core/v1:ConfigMap", "layered-cloud-routers-dashboard")
    assert {release.urn, namespace.urn} <= page.dependencies


def test_the_routers_let_the_nodes_read_their_figures() -> None:
    nodes = "ip saddr { 198.18.0.31, 198.18.0.41, 198.18.0.42 }"
    firewalls = [
        part.texts(cdn_ranges=["198.51.100.0/24"])[RULES]
        for _, parts in whole.plan("watched").sums
        for part in parts
        if part.name == "firewall"
    ]
    assert len(firewalls) == 2
    for own in ("198.18.0.11", "198.18.0.12"):
        rule = f"{nodes} ip daddr {own} tcp dport 9100 accept"
        assert [rule in text for text in firewalls].count(True) == 1
