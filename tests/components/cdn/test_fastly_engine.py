"""A CDN that is managed elsewhere: the real engine makes nothing, and asks Cloudflare nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab.engine.engine import Engine
from tests.components.cdn.engine_world import opened
from tests.lab.cloudflare.api_host import Served

pytestmark = pytest.mark.timeout(300)


@dataclass
class World:
    engine: Engine
    api: Served

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        import pulumi

        from components.cdn import Cdn
        from settings import models

        class Secrets:
            cloudflare_api_token = self.api.token

        settings = models.Cdn.model_validate(
            {
                "kind": "fastly",
                "range_list": ["198.51.100.0/25", "198.51.100.128/25"],
                "client_ip_header": "Fastly-Client-IP",
            }
        )
        cdn = Cdn("cdn", settings=settings, secrets=Secrets())
        cdn.records([IPv4Address("203.0.113.10")])
        pulumi.export("ranges", cdn.ranges)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, World) as it:
        yield it


def test_fastlys_ranges_are_known_and_nothing_is_made_there(world: World) -> None:
    steps = world.engine.preview_steps()["steps"]
    types = [each["newState"]["type"] for each in steps]

    assert sorted(types) == [
        "layered-cloud:cdn:Ranges",
        "layered-cloud:cdn:Records",
        "pulumi:pulumi:Stack",
    ]
    world.engine.up()
    assert world.engine.outputs() == {"ranges": ["198.51.100.0/24"]}
    assert world.api.state.zones[world.api.zone]["records"] == {}
