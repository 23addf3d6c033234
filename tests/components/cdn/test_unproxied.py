"""Records past the CDN, as they are registered."""

from __future__ import annotations

from tests.components.cdn.test_cdn import RECORD, ZONE, cdn, run_records


def test_what_leads_past_the_cdn_is_made_as_it_is_written_and_is_no_name_of_the_service() -> None:
    mail = {"name": "mail.example.org", "type": "A", "content": "192.0.2.25", "ttl": 3600}
    text = {"name": "example.org", "type": "TXT", "content": "v=spf1 -all"}
    seen = run_records(cdn(**ZONE, unproxied=[mail, text]))
    (one,) = [each for each in seen.of_type(RECORD) if each.name.startswith("unproxied-mail")]
    assert one.inputs == {
        **mail,
        "zoneId": ZONE["zone_id"],
        "proxied": False,
        "comment": seen.one(RECORD, "example.org-203.0.113.10").inputs["comment"],
    }
    (other,) = [each for each in seen.of_type(RECORD) if each.name.startswith("unproxied-ex")]
    assert (other.inputs["content"], other.inputs["ttl"]) == ('"v=spf1 -all"', 1)
    (layer,) = seen.of_type("layered-cloud:cdn:Records")
    assert seen.outputs[layer.urn]["names"] == ["www.example.org", "example.org"]
