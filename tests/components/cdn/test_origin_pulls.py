"""Whom the balancers believe while the authority that signs is another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.cdn.origin_pulls import OriginPulls
from settings.models import OriginPulls as Settings
from tests.components.mocks import run_program


def told(authorities: Sequence[str]) -> tuple[Any, Mapping[str, Any]]:
    """What the balancers are given, and the inputs of what the CDN shows."""
    seen = run_program(
        lambda: OriginPulls("pulls", Settings(authorities=list(authorities)), subject="lab.test")
        .authorities,
        answer=lambda type_, name, inputs: {"certPem": f"{name} PEM", "privateKeyPem": "hush"},
    )  # fmt: skip
    (shown,) = seen.of_type("tls:index/locallySignedCert:LocallySignedCert")
    return seen.value, shown.inputs


def test_another_first_authority_signs_and_is_no_news_to_the_balancers() -> None:
    one, by_a = told(["a", "b"])
    other, by_b = told(["b", "a"])

    assert one == other == "pulls-a PEM\npulls-b PEM\n"
    assert (by_a["caCertPem"], by_b["caCertPem"]) == ("pulls-a PEM", "pulls-b PEM")
