"""Rules of a zone: the real engine, the cloudflare provider, the small Cloudflare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.engine.errors import EngineError
from tests.components.cdn.engine_world import opened
from tests.components.cdn.test_records_engine import MARK, World

pytestmark = pytest.mark.timeout(300)

FIREWALL = "http_request_firewall_custom"
RULES: dict[str, Any] = {
    "firewall": [
        {"name": "probes", "when": 'http.request.uri.path contains "/wp-"', "action": "block"}
    ],
    "rate_limits": [
        {"name": "logins", "when": 'http.request.uri.path eq "/login"', "requests": 20}
    ],
    "cache": [{"name": "assets", "when": "true", "cache": True, "edge_ttl": 7200}],
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, World) as it:
        it.more = {"owns_zone": True, "rules": RULES}
        yield it


def put(world: World, *rules: dict[str, Any], description: str = "") -> str:
    """A ruleset that somebody made before in the firewall's phase; its id."""
    answer = requests.post(
        f"{world.api.base_url}/zones/{world.api.zone}/rulesets",
        json={
            "kind": "zone",
            "name": "default",
            "phase": FIREWALL,
            "description": description,
            "rules": list(rules),
        },
        headers={"Authorization": f"Bearer {world.api.token}"},
        timeout=10,
    )
    return str(answer.json()["result"]["id"])


def theirs(name: str) -> dict[str, Any]:
    return {"expression": "ip.src eq 192.0.2.7", "action": "block", "description": name}


def held(world: World) -> dict[str, dict[str, Any]]:
    """The zone's rulesets by their phase."""
    kept = world.api.state.zones[world.api.zone].get("rulesets", {})
    return {each["phase"]: each for each in kept.values()}


def test_rules_are_made_changed_in_place_and_taken_back(world: World) -> None:
    world.engine.preview()
    assert held(world) == {}
    world.engine.up()
    (block,) = held(world)[FIREWALL]["rules"]
    assert (block["action"], block["ref"]) == ("block", "layered-cloud-lab-probes")
    (limit,) = held(world)["http_ratelimit"]["rules"]
    assert limit["ratelimit"] == {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 10,
        "requests_per_period": 20,
        "mitigation_timeout": 10,
        "requests_to_origin": False,
    }
    (kept,) = held(world)["http_request_cache_settings"]["rules"]
    ttl = {"mode": "override_origin", "default": 7200}
    assert kept["action_parameters"] == {"cache": True, "edge_ttl": ttl}
    assert world.engine.up().changed == 0

    first = held(world)[FIREWALL]["id"]
    other = [{**RULES["firewall"][0], "action": "managed_challenge"}]
    world.more = {"owns_zone": True, "rules": {"firewall": other}}
    world.engine.up()
    assert list(held(world)) == [FIREWALL]
    assert held(world)[FIREWALL]["id"] == first
    (now,) = held(world)[FIREWALL]["rules"]
    assert (now["action"], now["id"]) == ("managed_challenge", block["id"])

    world.more = {"owns_zone": True}
    world.engine.up()
    assert held(world) == {}


def test_a_phase_with_somebody_elses_rules_is_refused_before_anything_is_changed(
    world: World,
) -> None:
    there = put(world, theirs("only the office"))
    words = (
        "cdn.rules.firewall: the zone lab.test has rules in the phase "
        rf"{FIREWALL} that this stack did not make \(only the office\)"
    )
    with pytest.raises(EngineError, match=words):
        world.engine.preview()
    with pytest.raises(EngineError, match=r"empty cdn\.rules\.firewall"):
        world.engine.up()
    assert list(held(world)) == [FIREWALL]
    assert world.records == {}

    world.more = {"owns_zone": True, "rules": {**RULES, "firewall": []}}
    world.engine.up()
    assert held(world)[FIREWALL]["id"] == there
    assert held(world)["http_ratelimit"]["description"] == MARK


def test_a_rule_that_somebody_added_to_ours_is_not_deleted(world: World) -> None:
    world.engine.up()
    live = held(world)[FIREWALL]
    live["rules"].append({**theirs("added by hand"), "id": "f" * 32, "ref": "f" * 32})
    with pytest.raises(EngineError, match=r"did not make \(added by hand\)"):
        world.engine.up()
    assert [each["description"] for each in live["rules"]] == ["probes", "added by hand"]
    live["rules"].pop()
    assert world.engine.up().changed == 0


def test_what_the_dashboard_left_without_rules_is_taken_over(world: World) -> None:
    there = put(world)
    done = world.engine.up()
    assert held(world)[FIREWALL]["id"] != there
    assert held(world)[FIREWALL]["description"] == MARK
    assert any("its state did not know it: taken over" in each for each in done.warnings)


def test_one_of_ours_that_the_state_does_not_know_is_taken_over(world: World) -> None:
    rule = {**theirs("probes"), "ref": "layered-cloud-lab-probes"}
    there = put(world, rule, description=MARK)
    world.engine.up()
    assert held(world)[FIREWALL]["id"] != there
    assert world.engine.up().changed == 0
