"""Whose a record is that stands in the zone under a name of ours."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from components.cdn.zone import Found, called, content_of, refusals, strays
from settings.models import UnproxiedRecord

MARK = "layered-cloud/lab"
ORIGINS = [IPv4Address("203.0.113.10"), IPv4Address("203.0.113.11")]


def found(type_: str, content: str, comment: str = "", name: str = "www.lab.test") -> Found:
    return Found(name=name, type=type_, content=content, comment=comment)


def refused(*records: Found) -> list[str]:
    return refusals(records, zone="lab.test", mark=MARK)


def test_our_own_and_what_leads_nowhere_may_stand_there() -> None:
    apex = found("NS", "a.ns.lab.test", name="lab.test")
    assert refused(found("A", "203.0.113.10", MARK), found("A", "192.0.2.9", MARK), apex) == []
    assert refused(found("MX", "mail.lab.test"), found("TXT", "v=spf1"), found("CAA", "")) == []


@pytest.mark.parametrize(
    ("record", "holds"),
    [
        (found("A", "192.0.2.7"), "A 192.0.2.7 under this name already, and"),
        (found("A", "203.0.113.10"), "A 203.0.113.10 under this name already, and"),
        (found("A", "192.0.2.7", "old"), "A 192.0.2.7 under this name already (old), and"),
        (found("AAAA", "2001:db8::7"), "AAAA 2001:db8::7 under this name already, and"),
        (found("CNAME", "lab.test", MARK), f"CNAME lab.test under this name already ({MARK})"),
        (found("CNAME", "lab.pages.test"), "CNAME lab.pages.test under this name already, and"),
        (found("NS", "ns.else.test"), "NS ns.else.test under this name already, and"),
    ],
)
def test_anybody_elses_is_refused_by_name_and_content_with_two_ways_out(
    record: Found, holds: str
) -> None:
    (line,) = refused(record)
    assert line.startswith(f"www.lab.test: the zone lab.test holds {holds}")
    assert "Delete it there (DNS, Records), and the next update makes ours; or, " in line
    assert f"with the comment {MARK}: it is taken over then" in line


def test_one_of_ours_that_leads_elsewhere_is_told_and_not_refused() -> None:
    records = [found("A", "203.0.113.10", MARK), found("A", "192.0.2.9", MARK)]
    (line,) = strays(records, zone="lab.test", mark=MARK, origins=ORIGINS)
    assert line.startswith("www.lab.test: the zone lab.test holds A 192.0.2.9, made by this stack,")


def test_an_address_of_ipv6_is_ours_by_the_same_mark() -> None:
    gone = found("AAAA", "2001:db8::7", MARK)
    assert refused(gone) == []
    (line,) = strays([gone], zone="lab.test", mark=MARK, origins=ORIGINS)
    assert line.startswith("www.lab.test: the zone lab.test holds AAAA 2001:db8::7, made by this")
    assert strays([gone], zone="lab.test", mark=MARK, origins=[IPv6Address("2001:db8::7")]) == []


def past(type_: str, content: str, name: str = "mail.lab.test") -> UnproxiedRecord:
    return UnproxiedRecord.model_validate({"name": name, "type": type_, "content": content})


def told(*records: Found, unproxied: list[UnproxiedRecord]) -> list[str]:
    return refusals(
        records, zone="lab.test", mark=MARK, records=["www.lab.test"], unproxied=unproxied
    )


def test_what_leads_past_the_cdn_is_looked_at_by_its_own_measure() -> None:
    theirs = found("A", "192.0.2.7", name="mail.lab.test")
    (line,) = told(theirs, unproxied=[past("A", "192.0.2.25")])
    assert "make it what cdn.unproxied says, with the comment" in line
    alias = found("CNAME", "old.example.org", MARK, name="mail.lab.test")
    assert told(alias, unproxied=[past("CNAME", "mx.example.org")]) == []
    assert len(told(alias, unproxied=[past("A", "192.0.2.25")])) == 1


def test_beside_a_text_of_ours_a_name_may_lead_anywhere_but_by_an_alias() -> None:
    text = [past("TXT", "here"), past("TXT", "here too", "www.lab.test")]
    assert told(found("A", "192.0.2.7", name="mail.lab.test"), unproxied=text) == []
    assert len(told(found("CNAME", "a.test", name="mail.lab.test"), unproxied=text)) == 1
    assert len(told(found("A", "192.0.2.7"), unproxied=text)) == 1


def test_one_that_leads_past_the_cdn_is_no_stray() -> None:
    here = found("A", "192.0.2.25", MARK, name="mail.lab.test")
    given = {"zone": "lab.test", "mark": MARK, "origins": ORIGINS}
    assert len(strays([here], **given)) == 1
    assert strays([here], **given, unproxied=[past("A", "192.0.2.25")]) == []
    assert len(strays([here], **given, unproxied=[past("A", "192.0.2.26")])) == 1


def test_a_text_is_given_as_quoted_strings_of_255_bytes_each() -> None:
    assert content_of(past("TXT", 'a"b\\c')) == '"a\\"b\\\\c"'
    first, second = content_of(past("TXT", "a" * 256)).split(" ")
    assert (len(first), second) == (257, '"a"')
    assert content_of(past("A", "192.0.2.25")) == "192.0.2.25"


def test_an_alias_keeps_its_resource_when_it_leads_elsewhere_and_others_have_one_each() -> None:
    assert called(past("CNAME", "a.test")) == called(past("CNAME", "b.test"))
    assert called(past("TXT", "a")) != called(past("TXT", "b"))
