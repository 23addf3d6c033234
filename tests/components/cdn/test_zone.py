"""Whose a record is that stands in the zone under a name of ours."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from components.cdn.zone import Found, refusals, strays

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
