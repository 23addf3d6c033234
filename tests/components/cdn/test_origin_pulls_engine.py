"""What Cloudflare shows at the origin: the real engine, the providers, the small Cloudflare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pulumi
import pytest
from cryptography import x509

from lab.engine.engine import Engine
from tests.components.cdn.engine_world import opened
from tests.lab.cloudflare.api_host import Served

pytestmark = pytest.mark.timeout(300)

NAMES = ["lab.test", "www.lab.test"]


@dataclass
class World:
    engine: Engine
    api: Served
    authorities: list[str] = field(default_factory=lambda: ["first"])

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from components.cdn import Cdn
        from settings import models

        class Secrets:
            cloudflare_api_token = self.api.token

        pulls = {"authorities": self.authorities} if self.authorities else None
        settings = models.Cdn.model_validate(
            {
                **{"kind": "cloudflare", "zone": "lab.test", "api_url": self.api.base_url},
                **{"records": NAMES, "origin_pulls": pulls},
            }
        )
        cdn = Cdn("cdn", settings=settings, secrets=Secrets())
        cdn.records([IPv4Address("203.0.113.10")])
        pulumi.export("authorities", cdn.authorities)

    def up(self, *authorities: str) -> list[x509.Certificate]:
        """An update; whom the balancers would believe."""
        self.authorities = list(authorities)
        self.engine.up()
        given = self.engine.outputs().get("authorities")
        return x509.load_pem_x509_certificates(given.encode()) if given else []

    @property
    def kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self.api.state.zones[self.api.zone]["origin_pulls"]
        return kept

    def shown(self) -> x509.Certificate:
        """What Cloudflare shows for both names, and has nothing else."""
        (key,) = self.kept["certificates"]
        assert {name: each["cert_id"] for name, each in self.kept["hostnames"].items()} == (
            dict.fromkeys(NAMES, key)
        )
        assert all(each["enabled"] for each in self.kept["hostnames"].values())
        return x509.load_pem_x509_certificate(
            self.kept["certificates"][key]["certificate"].encode()
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, World) as it:
        yield it


def test_the_cdn_shows_what_our_authority_signed_and_changes_it_while_both_are_accepted(
    world: World,
) -> None:
    (first,) = world.up("first")
    before = world.shown()
    before.verify_directly_issued_by(first)
    usage = before.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert before.subject.rfc4514_string() == "CN=lab.test"
    assert world.engine.up().changed == 0

    both = world.up("second", "first")
    assert first in both
    (second,) = (each for each in both if each != first)
    after = world.shown()
    after.verify_directly_issued_by(second)
    assert after.public_key() != before.public_key()

    assert world.up("second") == [second]
    assert world.shown() == after

    assert world.up() == []
    assert world.kept == {"certificates": {}, "hostnames": {}}


def test_no_key_stands_in_the_clear_in_a_plan_or_in_the_state(world: World) -> None:
    world.up("first")
    told = list(keys(world.engine.state()))
    assert "cdn-origin-pulls-first-shown-key" in str(world.engine.state())
    assert len(told) >= 5
    assert all("plaintext" in path for path in told), told  # of a value that the state seals
    world.authorities = ["second", "first"]
    assert "PRIVATE KEY" not in json.dumps(world.engine.preview_steps())


def keys(value: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Where private keys stand in a state whose secrets were opened."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from keys(each, *path, name)
    elif isinstance(value, list):
        for each in value:
            yield from keys(each, *path)
    elif isinstance(value, str) and "PRIVATE KEY" in value:
        yield path
