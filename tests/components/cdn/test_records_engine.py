"""A zone that is not empty: the real engine, the cloudflare provider, the small Cloudflare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.engine.engine import Engine
from lab.engine.errors import EngineError
from tests.components.cdn.engine_world import opened
from tests.lab.cloudflare.api_host import Served

pytestmark = pytest.mark.timeout(300)

MARK = "layered-cloud/lab"
VIP = "203.0.113.10"


@dataclass
class World:
    engine: Engine
    api: Served
    more: dict[str, Any] = field(default_factory=dict)
    """Settings beside those that every test has."""
    origins6: list[IPv6Address] = field(default_factory=list)
    """Public VIPs beside the one of IPv4."""

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from components.cdn import Cdn
        from settings import models

        class Secrets:
            cloudflare_api_token = self.api.token

        settings = models.Cdn.model_validate(
            {
                "kind": "cloudflare",
                "zone": "lab.test",
                "api_url": self.api.base_url,
                "records": ["www.lab.test", "lab.test"],
                **self.more,
            }
        )
        ranged = Cdn("cdn", settings=settings, secrets=Secrets(), ipv6=bool(self.origins6))
        ranged.records([IPv4Address(VIP), *self.origins6])

    def put(self, type_: str, content: str, comment: str = "", name: str = "www") -> str:
        """A record that somebody made before; its id."""
        body = {"type": type_, "name": name, "content": content, "ttl": 1, "comment": comment}
        answer = requests.post(
            f"{self.api.base_url}/zones/{self.api.zone}/dns_records",
            json=body | {"proxied": type_ in ("A", "CNAME")},
            headers={"Authorization": f"Bearer {self.api.token}"},
            timeout=10,
        )
        return str(answer.json()["result"]["id"])

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        return self.api.state.zones[self.api.zone]["records"]  # type: ignore[no-any-return]

    def held(self) -> list[tuple[str, str, str]]:
        rows = self.records.values()
        return sorted((row["name"], row["type"], row["content"]) for row in rows)


OURS = [("lab.test", "A", VIP), ("www.lab.test", "A", VIP)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, World) as it:
        yield it


@pytest.mark.parametrize(("type_", "content"), [("A", "192.0.2.7"), ("CNAME", "old.test")])
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_changed(
    world: World, type_: str, content: str
) -> None:
    there = world.put(type_, content)
    words = f"www.lab.test: the zone lab.test holds {type_} {content} under this name already"
    with pytest.raises(EngineError, match=words):
        world.engine.preview()
    with pytest.raises(EngineError, match="Delete it there"):
        world.engine.up()
    assert list(world.records) == [there]
    assert world.api.state.zones[world.api.zone]["settings"]["ssl"]["value"] == "full"

    del world.records[there]
    world.engine.up()
    assert world.held() == OURS
    assert world.engine.up().changed == 0


def test_mail_may_be_received_under_our_names(world: World) -> None:
    world.put("MX", "mail.else.test")
    world.engine.up()
    assert world.held() == sorted([*OURS, ("www.lab.test", "MX", "mail.else.test")])


def test_a_record_of_ours_that_the_state_does_not_know_is_taken_over(world: World) -> None:
    there = world.put("A", VIP, MARK)
    done = world.engine.up()
    assert world.held() == OURS
    assert there not in world.records
    assert any("its state did not know it: taken over" in each for each in done.warnings)
    assert world.engine.up().changed == 0


def test_a_public_vip_of_ipv6_comes_and_goes(world: World) -> None:
    world.origins6 = [IPv6Address("2001:db8:0:1::10")]
    there = world.put("AAAA", "2001:db8:0:1::10", MARK)
    done = world.engine.up()
    both = [(name, "AAAA", "2001:db8:0:1::10") for name in ("lab.test", "www.lab.test")]
    assert world.held() == sorted([*OURS, *both])
    assert there not in world.records
    assert any("its state did not know it: taken over" in each for each in done.warnings)
    assert world.engine.up().changed == 0

    world.origins6 = []
    world.engine.up()
    assert world.held() == OURS


def test_one_of_ours_that_leads_to_an_older_vip_is_told(world: World) -> None:
    world.put("A", "203.0.113.99", MARK)
    done = world.engine.up()
    assert any("holds A 203.0.113.99, made by this stack, which" in each for each in done.warnings)


def test_only_an_owner_changes_what_holds_for_the_zone_and_it_stays_when_the_owner_goes(
    world: World,
) -> None:
    def held() -> dict[str, Any]:
        settings = world.api.state.zones[world.api.zone]["settings"]
        names = ("ssl", "min_tls_version", "always_use_https", "security_header")
        return {name: settings[name]["value"] for name in names}

    before = held()
    world.engine.up()
    assert held() == before

    world.more = {"owns_zone": True, "always_use_https": True, "hsts": {"max_age": 86_400}}
    world.engine.up()
    after = held()
    header = after.pop("security_header")["strict_transport_security"]
    assert after == {"ssl": "strict", "min_tls_version": "1.2", "always_use_https": "on"}
    assert (header["enabled"], header["max_age"], header["preload"]) == (True, 86_400, False)
    assert world.engine.up().changed == 0

    world.more = {}
    world.engine.up()
    assert held() == {**after, "security_header": {"strict_transport_security": header}}


def test_records_past_the_cdn_come_change_and_go(world: World) -> None:
    mail = {"name": "mail.lab.test", "type": "A", "content": "192.0.2.25", "ttl": 3600}
    text = {"name": "www.lab.test", "type": "TXT", "content": 'say "hello"'}
    alias = {"name": "status.lab.test", "type": "CNAME", "content": "pages.example.org"}
    world.more = {"unproxied": [mail, text, alias]}
    there = world.put("A", "192.0.2.25", name="mail")
    with pytest.raises(EngineError, match=r"mail\.lab\.test: the zone lab\.test holds A 192"):
        world.engine.preview()
    del world.records[there]
    world.engine.up()
    past = [
        ("mail.lab.test", "A", "192.0.2.25"),
        ("www.lab.test", "TXT", '"say \\"hello\\""'),
        ("status.lab.test", "CNAME", "pages.example.org"),
    ]
    assert world.held() == sorted([*OURS, *past])
    rows = {(row["type"], row["name"]): row for row in world.records.values()}
    (key,) = [key for key, row in world.records.items() if row["type"] == "CNAME"]
    assert rows["A", "mail.lab.test"]["proxied"] is False
    assert (rows["A", "mail.lab.test"]["ttl"], rows["CNAME", "status.lab.test"]["ttl"]) == (3600, 1)
    assert world.engine.up().changed == 0

    world.more = {"unproxied": [{**alias, "content": "other.example.org"}]}
    world.engine.up()
    assert world.held() == sorted([*OURS, ("status.lab.test", "CNAME", "other.example.org")])
    assert world.records[key]["content"] == "other.example.org"

    world.more = {}
    world.engine.up()
    assert world.held() == OURS
