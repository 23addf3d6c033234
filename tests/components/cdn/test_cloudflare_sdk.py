"""What is declared by hand of Cloudflare's SDK asks the engine for the same as the SDK does."""

from __future__ import annotations

import dataclasses
import importlib
from types import ModuleType
from typing import Any

import pulumi
import pytest

from components.cdn import cloudflare_rulesets_sdk, cloudflare_sdk
from tests.components.mocks import Registered, run_program

RESOURCES: dict[str, dict[str, Any]] = {
    "Provider": {"api_token": "hush", "base_url": "http://198.18.0.9/"},
    "DnsRecord": {
        "zone_id": "z", "name": "www.example.org", "type": "A", "content": "203.0.113.10",
        "proxied": True, "ttl": 1, "comment": "ours",
    },
    "ZoneSetting": {"zone_id": "z", "setting_id": "ssl", "value": "strict"},
    "AuthenticatedOriginPullsHostnameCertificate": {
        "zone_id": "z", "certificate": "PEM", "private_key": "hush",
    },
    "AuthenticatedOriginPulls": {
        "zone_id": "z",
        "configs": [{"certId": "c", "enabled": True, "hostname": "www.example.org"}],
    },
    "OriginCaCertificate": {
        "csr": "PEM", "hostnames": ["example.org"], "request_type": "origin-ecc",
        "requested_validity": 90,
    },
    "Ruleset": {
        "zone_id": "z", "kind": "zone", "name": "default", "phase": "http_ratelimit",
        "description": "ours",
        "rules": [
            {"ref": "r", "description": "d", "expression": "true", "enabled": True,
             "action": "block",
             "actionParameters": {"edgeTtl": {"mode": "override_origin", "default": 60},
                                  "browserTtl": {"mode": "override_origin", "default": 60},
                                  "cache": True, "ruleset": "current", "phases": ["p"]},
             "ratelimit": {"characteristics": ["ip.src"], "period": 10, "requestsPerPeriod": 1,
                           "mitigationTimeout": 10, "requestsToOrigin": False,
                           "countingExpression": "true"}},
        ],
    },
}  # fmt: skip


def ours_of(name: str) -> Any:
    """The module of ours that declares it."""
    mine = (cloudflare_sdk, cloudflare_rulesets_sdk)
    return next(each for each in mine if hasattr(each, name))


@pytest.fixture(scope="module")
def whole_sdk() -> ModuleType:
    """Cloudflare's own: three seconds and much memory, of whoever collects these tests too."""
    return importlib.import_module("pulumi_cloudflare")


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_a_resource_is_registered_as_the_sdk_does(name: str, whole_sdk: ModuleType) -> None:
    def made(sdk: Any) -> Registered:
        return run_program(lambda: getattr(sdk, name)("one", **RESOURCES[name]) and None)

    (ours,), (theirs,) = (
        [each for each in made(sdk).resources if each.name == "one"]
        for sdk in (ours_of(name), whole_sdk)
    )
    # The SDK tells the engine the outputs it has fields for as inputs without a value.
    given = {key: value for key, value in theirs.inputs.items() if value is not None}
    assert dataclasses.replace(ours, inputs={}) == dataclasses.replace(theirs, inputs={})
    assert {key: value for key, value in ours.inputs.items() if value is not None} == given
    assert ours.version


def test_what_the_origin_ca_signed_is_read_from_the_answer() -> None:
    seen = run_program(
        lambda: cloudflare_sdk.OriginCaCertificate("one", **RESOURCES["OriginCaCertificate"])
        .certificate,
        answer=lambda type_, name, inputs: {"certificate": "SIGNED"},
    )  # fmt: skip
    assert seen.value == "SIGNED"


@pytest.mark.parametrize(
    ("ask", "answer", "field"),
    [
        (lambda sdk, opts: sdk.get_ip_ranges_output(opts=opts),
         {"ipv4Cidrs": ["192.0.2.0/24"]}, "ipv4_cidrs"),
        (lambda sdk, opts: sdk.get_ip_ranges_output(opts=opts),
         {"ipv6Cidrs": ["2001:db8::/32"]}, "ipv6_cidrs"),
        (lambda sdk, opts: sdk.get_zone_output(filter={"name": "a.example", "match": "all"},
                                               opts=opts),
         {"zoneId": "z"}, "zone_id"),
    ],
)  # fmt: skip
def test_a_question_is_asked_as_the_sdk_asks_it(
    ask: Any, answer: Any, field: str, whole_sdk: ModuleType
) -> None:
    def asked(sdk: Any, given: Any) -> tuple[Any, Any]:
        seen = run_program(
            lambda: ask(sdk, pulumi.InvokeOutputOptions()).apply(lambda a: getattr(a, field)),
            invoke=lambda token, arguments: given,
        )
        ((token, arguments),) = seen.invokes
        return seen.value, (token, {k: v for k, v in arguments.items() if v is not None})

    assert asked(cloudflare_sdk, answer) == asked(whole_sdk, answer)
    assert asked(cloudflare_sdk, {})[0] is None


def test_a_zones_records_are_asked_for_as_the_sdk_asks_for_them(whole_sdk: ModuleType) -> None:
    row = {"name": "a.example", "type": "A", "content": "192.0.2.7", "ttl": 1}

    def asked(sdk: Any, read: Any) -> tuple[Any, Any]:
        seen = run_program(
            lambda: sdk.get_dns_records_output(
                zone_id="z", name={"exact": "a.example"}, opts=pulumi.InvokeOutputOptions()
            ).apply(read),
            invoke=lambda token, arguments: {"results": [row]},
        )
        ((token, arguments),) = seen.invokes
        return seen.value, (token, {k: v for k, v in arguments.items() if v is not None})

    ours, question = asked(
        cloudflare_sdk, lambda rows: [(each.name, each.content, each.comment) for each in rows]
    )
    theirs, same = asked(
        whole_sdk,
        lambda answer: [(each.name, each.content, each.comment or "") for each in answer.results],
    )
    assert (ours, question) == (theirs, same)
    assert ours == [("a.example", "192.0.2.7", "")]


@pytest.mark.parametrize(
    ("question", "arguments", "answer", "read", "told"),
    [
        (
            "get_rulesets_output",
            {"zone_id": "z"},
            {"rulesets": [{"id": "a", "kind": "zone", "phase": "http_ratelimit"}]},
            lambda answer: [
                (each.id, each.kind, each.phase) for each in getattr(answer, "rulesets", answer)
            ],
            [("a", "zone", "http_ratelimit")],
        ),
        (
            "get_ruleset_output",
            {"zone_id": "z", "id": "a"},
            {"description": "ours", "rules": [{"ref": "r", "description": "d"}]},
            lambda answer: (
                answer.description,
                [(each.ref, each.description) for each in answer.rules],
            ),
            ("ours", [("r", "d")]),
        ),
    ],
)
def test_a_zones_rules_are_asked_for_as_the_sdk_asks_for_them(
    *, question: str, arguments: Any, answer: Any, read: Any, told: Any, whole_sdk: ModuleType
) -> None:
    def asked(sdk: Any) -> tuple[Any, Any]:
        seen = run_program(
            lambda: getattr(sdk, question)(**arguments, opts=pulumi.InvokeOutputOptions()).apply(
                read
            ),
            invoke=lambda token, given: answer,
        )
        ((token, given),) = seen.invokes
        return seen.value, (token, {k: v for k, v in given.items() if v is not None})

    assert asked(cloudflare_rulesets_sdk) == asked(whole_sdk)
    assert asked(cloudflare_rulesets_sdk)[0] == told
