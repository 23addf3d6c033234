"""What a preview of the whole program by the real engine shows of logging, and what it hides."""

from __future__ import annotations

import pytest

from components.host.baseline import journal
from components.loadbalancers.rsyslog import CONFIG as ACCESS
from lab.engine import workspace
from lab.engine.engine import OFFLINE
from lab.software import goitems
from tests import whole
from tests.preview_of_workers import stand_in

pytestmark = pytest.mark.timeout(300)


def test_a_preview_shows_both_releases_and_hides_the_key_to_the_bucket() -> None:
    if not goitems.PULUMI.item.ready:
        pytest.skip("Pulumi is not built: python -m lab.software build --only pulumi")
    stack, changes = whole.VARIANTS["collected"]
    secrets = {f"layered-cloud:{key}": value for key, value in whole.SECRETS.items()}
    secrets["layered-cloud:platformSecrets"] = (
        "loki/store/access-key-id=a-name\nloki/store/secret-access-key=a-key-to-it"
    )
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
    for shown in ("loki-store-secret", "retention_period", "alloy-namespace", "X-Request-Id"):
        assert shown in done.text
    assert "a-key-to-it" not in everything
    assert "a-name" not in everything


def test_routers_and_balancers_send_their_journals_and_the_balancers_their_access_log() -> None:
    sums = whole.plan("collected").sums
    journals = [
        part.texts()[journal.CONFIG]
        for layer, parts in sums
        for part in parts
        if layer == "baseline" and part.name == "journal"
    ]
    access = [part.texts()[ACCESS] for _, parts in sums for part in parts if part.name == "rsyslog"]
    assert len(journals) == 4, "two routers, two balancers, and no node"
    assert len(access) == 2
    for text in (*journals, *access):
        assert 'target="198.18.10.201" port="601"' in text
