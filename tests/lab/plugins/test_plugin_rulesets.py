"""The cloudflare provider's rulesets, against the small API."""

from __future__ import annotations

import pytest

from lab.plugins.cloudflare_rulesets import Ruleset


def given(api, *rules, phase="http_request_cache_settings"):
    return {"zoneId": api.zone, "kind": "zone", "name": "default", "phase": phase,
            "description": "ours", "rules": list(rules)}  # fmt: skip


def rule(name, seconds=7200):
    ttl = {"mode": "override_origin", "default": seconds}
    return {"ref": name, "description": name, "expression": "true", "enabled": True,
            "action": "set_cache_settings",
            "actionParameters": {"cache": True, "edgeTtl": ttl}}  # fmt: skip


def test_a_ruleset_lives_changes_in_place_and_dies(api, cloudflare):
    state = cloudflare.create(Ruleset.token, given(api, rule("a")))
    assert cloudflare.diff(state, given(api, rule("a"))).nothing
    assert cloudflare.read(state).inputs == state.inputs
    changed = given(api, rule("a", 9000), rule("b"))
    assert cloudflare.diff(state, changed).replaces == []
    state = cloudflare.update(state, changed)
    assert state.outputs["version"] == "2"
    kept = api.state.zones[api.zone]["rulesets"][state.id]
    assert kept["rules"][0]["action_parameters"]["edge_ttl"]["default"] == 9000
    kept["rules"].append({**kept["rules"][0], "ref": "theirs"})
    assert [each["ref"] for each in cloudflare.read(state).inputs["rules"]] == ["a", "b", "theirs"]
    cloudflare.delete(state)
    assert cloudflare.read(state) is None
    cloudflare.delete(state)


def test_another_phase_is_another_ruleset(api, cloudflare):
    state = cloudflare.create(Ruleset.token, given(api, rule("a")))
    assert cloudflare.diff(state, given(api, rule("a"), phase="http_ratelimit")).replaces == [
        "phase"
    ]


def test_a_phase_has_one_ruleset_and_the_plans_number_of_rules(api, cloudflare):
    cloudflare.create(Ruleset.token, given(api, rule("a")))
    with pytest.raises(Exception, match="code 20217"):
        cloudflare.create(Ruleset.token, given(api, rule("a")))
    many = given(api, *[rule(str(each)) for each in range(6)], phase="http_request_firewall_custom")
    with pytest.raises(Exception, match="has 5 rules on the plan Free"):
        cloudflare.create(Ruleset.token, many)


def test_a_rate_is_counted_by_the_data_centre_too(api, cloudflare):
    limit = {**rule("a"), "action": "block", "actionParameters": None,
             "ratelimit": {"characteristics": ["ip.src"], "period": 10}}  # fmt: skip
    with pytest.raises(Exception, match=r"missing cf\.colo\.id"):
        cloudflare.create(Ruleset.token, given(api, limit, phase="http_ratelimit"))


def test_what_a_zone_has_is_told(api, cloudflare):
    state = cloudflare.create(Ruleset.token, given(api, rule("a")))
    listed = cloudflare.invoke("cloudflare:index/getRulesets:getRulesets", {"zoneId": api.zone})
    (row,) = listed["rulesets"]
    assert (row["id"], row["phase"]) == (state.id, "http_request_cache_settings")
    one = cloudflare.invoke(
        "cloudflare:index/getRuleset:getRuleset", {"zoneId": api.zone, "id": state.id}
    )
    assert (one["description"], one["rules"][0]["ref"]) == ("ours", "a")
