"""A year passes: the real engine, the tls and cloudflare providers, the small Cloudflare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_command import local

from lab.engine.engine import Engine
from tests.components.cdn.engine_world import opened
from tests.lab.cloudflare.api_host import Served

pytestmark = pytest.mark.timeout(300)


@dataclass
class World:
    engine: Engine
    api: Served
    source: str = "origin-ca"

    def program(self) -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from components.cdn import Cdn, Certificate, CertificateArgs
        from settings import models

        settings = models.Cdn.model_validate(
            {"kind": "cloudflare", "zone": "lab.test", "api_url": self.api.base_url}
        )

        class Secrets:
            cloudflare_api_token = self.api.token

        wanted = models.Certificate.model_validate(
            {"source": self.source, "names": ["lab.test"], "validity_hours": 8760}
        )
        cdn = Cdn("cdn", settings=settings, secrets=Secrets())
        made = Certificate("certificate", CertificateArgs(settings=wanted, cdn=cdn.kind))
        # What the balancers are for the chain: somebody who shows it.
        shown = local.Command("shown", create="cat", stdin=made.chain)
        pulumi.export("shown", shown.stdout)

    def age(self, days: int) -> None:
        """The stack's certificates end in so many days, as they would if time had passed."""
        ends = (datetime.now(UTC) + timedelta(days=days, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        stack = self.engine._selected()
        state = stack.export_stack()
        deployment: Any = state.deployment
        for each in deployment["resources"]:
            if "validityEndTime" in each.get("outputs", {}):
                each["outputs"]["validityEndTime"] = ends
        for each in deployment["resources"]:
            if each["type"] == "tls:index/certRequest:CertRequest" and self.source == "origin-ca":
                for half in ("inputs", "outputs"):
                    each[half]["subject"]["serialNumber"] = ends
        stack.import_stack(state)

    def did(self, steps: list[Any]) -> list[tuple[str, str]]:
        return [(each["urn"].split("::")[-1], each["op"]) for each in steps]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, World) as it:
        yield it


def test_the_origin_ca_signs_again_in_the_last_month_and_not_before(world: World) -> None:
    world.engine.up()
    (first,) = world.api.state.certificates
    assert world.engine.up().changed == 0
    world.age(days=31)
    assert world.engine.up().changed == 0

    world.age(days=29)
    planned = world.did(world.engine.preview().steps)
    assert ("certificate-leaf", "replace") in planned, planned
    assert list(world.api.state.certificates) == [first], "a preview signs nothing"
    done = world.engine.up()
    (second,) = world.api.state.certificates
    assert second != first
    assert world.engine.outputs()["shown"] == (
        world.api.state.certificates[second]["certificate"].strip()
    )
    order = world.did(done.steps)
    shown, revoked = (
        order.index(("shown", "update")),
        order.index(("certificate-leaf", "delete-replaced")),
    )
    assert shown < revoked, f"the old one is shown when it is revoked: {order}"
    assert not [each for each in order if each[0] == "certificate-key"], "the key is kept"
    assert world.engine.up().changed == 0


def test_a_self_signed_certificate_is_made_anew_in_the_last_month_and_not_before(
    world: World,
) -> None:
    world.source = "self-signed"
    world.engine.up()
    first = world.engine.outputs()["shown"]
    world.age(days=31)
    assert world.engine.up().changed == 0
    world.age(days=29)
    world.engine.up()
    assert world.engine.outputs()["shown"] != first
    assert world.engine.up().changed == 0
