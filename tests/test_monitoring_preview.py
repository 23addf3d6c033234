"""What a preview of the whole program by the real engine shows of monitoring, and what it hides."""

from __future__ import annotations

import pytest

from components.routers.linux.firewall import RULES
from lab.engine import workspace
from lab.engine.engine import OFFLINE
from lab.software import goitems
from tests import whole
from tests.preview_of_workers import stand_in

pytestmark = pytest.mark.timeout(300)


def test_a_preview_shows_the_release_and_hides_whom_it_calls() -> None:
    if not goitems.PULUMI.item.ready:
        pytest.skip("Pulumi is not built: python -m lab.software build --only pulumi")
    stack, changes = whole.VARIANTS["watched"]
    secrets = {f"layered-cloud:{key}": value for key, value in whole.SECRETS.items()}
    secrets["layered-cloud:platformSecrets"] = "monitoring/alerts-pager/url=https://hook/a-token"
    with workspace(
        stack,
        config=whole.config_of(stack, changes),
        secrets=secrets,
        throw_away=True,
        env={OFFLINE: "1"},
    ) as engine:
        stand_in(engine)
        done = engine.preview(diff=True)
        everything = done.text + done.log.read_text(encoding="utf-8")
    for shown in ("kube-prometheus-stack", "VipWithoutOwner", "198.18.0.11:9100", "alerts-pager"):
        assert shown in done.text
    assert "a-token" not in everything


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
