"""What among a chart's values is a secret, and what only says where one is."""

from __future__ import annotations

from typing import Any

import pytest

from policy.rules import Resource
from policy.table import faults

RELEASE = "kubernetes:helm.sh/v3:Release"


def told(values: dict[str, Any]) -> list[str]:
    shown = {"values": values}
    release = Resource(type=RELEASE, name="chart", properties=shown, shown=shown)
    return [each.wrong for each in faults([release]) if each.rule == "secret-is-not-plain"]


@pytest.mark.parametrize(
    "values",
    [
        {"defaultTLS": {"secret": "nginx-ingress/nginx-ingress-certificate"}},
        {"defaultTLSSecret": {"secret": "certificate", "secretNamespace": "haproxy"}},
    ],
)
def test_a_reference_to_a_secret_is_none(values: dict[str, Any]) -> None:
    assert told(values) == []


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"webhook": {"secret": "hunter2"}}, "values.webhook.secret"),
        ({"webhook": {"secret": "c2VjcmV0/Cg=="}}, "values.webhook.secret"),
        ({"oidc": {"clientSecret": "abc/def"}}, "values.oidc.clientSecret"),
        ({"oidc": {"password": "x", "secretNamespace": "auth"}}, "values.oidc.password"),
    ],
)
def test_what_is_in_one_is_told(values: dict[str, Any], path: str) -> None:
    (message,) = told(values)
    assert message.startswith(f"shows a secret by its name in {path}, ")
