"""What the CDN is told comes last: after everything that stands behind it, and goes before that."""

from __future__ import annotations

from typing import Any

import pytest

from components.cdn.cloudflare_sdk import (
    AuthenticatedOriginPulls,
    AuthenticatedOriginPullsHostnameCertificate,
    DnsRecord,
)
from tests import whole

LAST = [DnsRecord, AuthenticatedOriginPullsHostnameCertificate, AuthenticatedOriginPulls]


@pytest.mark.parametrize("each", LAST)
def test_cloudflare_is_told_nothing_before_the_balancers_are_ready_for_it(each: Any) -> None:
    plan = whole.planned("shown")
    (pushed,) = (one for one in plan.resources if one.name.endswith("-routes") and one.custom)
    made = plan.of_type(each.TYPE)

    assert made
    assert all(pushed.urn in one.dependencies for one in made)
