"""The probes of the CDN's edge: what they ask, and what is told where it is not as it should be."""

from __future__ import annotations

import runpy
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.probes import cdn, edge
from lab.probes.result import Broken
from lab.probes.world import Edge, script
from settings.models import Cdn

EDGE = Edge(address="198.51.100.80", authority="PEM")
VIP = "203.0.113.10"


def world(ask: Any, front: Edge | None = EDGE) -> Any:
    told = Cdn.model_validate(
        {
            **{"kind": "cloudflare", "zone": "lab.test", "records": ["echo.lab.test"]},
            "unproxied": [{"name": "past.lab.test", "type": "A", "content": "192.0.2.66"}],
        }
    )
    stack = SimpleNamespace(
        cdn=told,
        routers=SimpleNamespace(vips=[SimpleNamespace(wan=[VIP])]),
        balancers=SimpleNamespace(redirect_to_https=True),
        platform=SimpleNamespace(demo=SimpleNamespace(host="echo.lab.test", every_node=False)),
    )
    return SimpleNamespace(stack=stack, outputs={}, ask=ask, edge=front)


@pytest.mark.parametrize("probe", [cdn.names, cdn.rules, cdn.only_the_cdn])
def test_without_an_edge_nothing_is_asked(probe: Any) -> None:
    assert probe(world(None, front=None)) == "no edge in front"


def test_a_name_that_leads_past_the_cdn_is_told() -> None:
    said = {"echo.lab.test": [EDGE.address], "past.lab.test": ["192.0.2.66"]}

    def ask(place: str, name: str, spec: dict[str, Any]) -> Any:
        assert (place, name, spec["server"]) == ("client", "resolve", EDGE.address)
        return {each: said[each] for each in spec["names"]}

    assert "echo.lab.test is 198.51.100.80" in cdn.names(world(ask))
    said["echo.lab.test"] = [VIP]
    with pytest.raises(Broken, match="the name server says"):
        cdn.names(world(ask))


def answers(*, second: str = "HIT", closed: int = 403, body: str = "a") -> Any:
    """An edge that keeps what lies below /kept/."""
    seen: list[str] = []

    def ask(place: str, name: str, spec: dict[str, Any]) -> Any:
        assert (place, name, spec["address"], spec["ca"]) == ("client", "get", EDGE.address, "PEM")
        path = spec["path"]
        told = None
        if path.startswith("/kept/"):
            told = second if path in seen else "MISS"
        again = path in seen
        seen.append(path)
        return [
            {
                **{"status": closed if path == "/closed" else 200, "error": ""},
                **{"json": body if again else "a", "shown": {cdn.STATUS: told}},
            }
        ]

    return ask


def test_what_is_kept_and_closed_is_seen() -> None:
    assert cdn.rules(world(answers())).endswith("was kept, /closed is closed")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"second": "MISS"}, "CF-Cache-Status of /kept/"),
        ({"body": "b"}, "is not the one that was kept"),
        ({"closed": 200}, "/closed: 200, not 403"),
    ],
)
def test_what_is_not_kept_or_not_closed_is_told(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(Broken, match=said):
        cdn.rules(world(answers(**wrong)))


@pytest.mark.parametrize(
    ("status", "error", "good"),
    [
        (0, "SSLError: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert", True),
        (200, "", False),
        (0, "ConnectionRefusedError: [Errno 111] Connection refused", False),
    ],
)
def test_only_a_refusal_for_want_of_a_certificate_counts(
    status: int, error: str, good: bool
) -> None:
    def ask(place: str, name: str, spec: dict[str, Any]) -> Any:
        assert (place, name, spec["address"]) == ("client", "get", VIP)
        return [{"status": status, "error": error, "json": None, "shown": {}}]

    if good:
        assert error in cdn.only_the_cdn(world(ask))
        return
    with pytest.raises(Broken, match="answers who shows no certificate"):
        cdn.only_the_cdn(world(ask))


def test_visitors_knock_at_the_edge_and_believe_its_authority() -> None:
    assert edge.public_doors(world(None)) == [EDGE.address]
    assert edge.authority(world(None)) == "PEM"
    assert edge.authority(world(None), tls=False) is None
    assert edge.public_doors(world(None, front=None)) == [VIP]


def resolver(tmp_path: Path) -> dict[str, Any]:
    """The script's functions; it runs anywhere, and so is no module."""
    path = tmp_path / "resolve.py"
    path.write_text(script("resolve").removesuffix("main()\n"))
    return runpy.run_path(str(path))


def test_an_answer_of_a_name_server_is_read(tmp_path: Path) -> None:
    read = resolver(tmp_path)
    asked = read["question"](7, "echo.lab.test")
    head = struct.pack(">6H", 7, 0x8400, 1, 2, 0, 0)
    record = struct.pack(">HHHIH", 0xC00C, 1, 1, 300, 4)
    said = head + asked[12:] + record + bytes([198, 51, 100, 80]) + record + bytes([192, 0, 2, 1])
    assert read["addresses"](said, 7) == ["198.51.100.80", "192.0.2.1"]
    with pytest.raises(ValueError, match="no answer to the question"):
        read["addresses"](said, 8)
    refused = struct.pack(">6H", 7, 0x8403, 1, 0, 0, 0) + asked[12:]
    with pytest.raises(ValueError, match="code 3"):
        read["addresses"](refused, 7)
