"""What a preview of the whole program by the real engine shows of logging, and what it hides."""

from __future__ import annotations

import pytest

from components.host.baseline import journal
from components.loadbalancers.rsyslog import CONFIG as ACCESS
from tests import whole
from tests.offline import told

pytestmark = pytest.mark.timeout(300)


def test_a_preview_shows_both_releases_and_hides_the_key_to_the_bucket() -> None:
    text, everything = told(
        "collected", "loki/store/access-key-id=a-name\nloki/store/secret-access-key=a-key-to-it"
    )
    for shown in ("loki-store-secret", "retention_period", "alloy-namespace", "X-Request-Id"):
        assert shown in text
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
