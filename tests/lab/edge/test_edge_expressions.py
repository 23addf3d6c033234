"""Which rules the lab's edge understands, and what it makes of them."""

from __future__ import annotations

import re

import pytest

from lab.edge.expressions import Unreadable, condition


@pytest.mark.parametrize(
    ("expression", "path", "holds"),
    [
        ('starts_with(http.request.uri.path, "/kept/")', "/kept/1", True),
        ('starts_with(http.request.uri.path, "/kept/")', "/not/kept/1", False),
        ('ends_with(http.request.uri.path, ".css")', "/a.css", True),
        ('ends_with(http.request.uri.path, ".css")', "/acss", False),
        ('http.request.uri.path eq "/closed"', "/closed", True),
        ('http.request.uri.path eq "/closed"', "/closed/", False),
        ('(http.request.uri.path contains "admin")', "/an/admin/page", True),
        ('http.request.uri.path ne "/"', "/", False),
        ('http.request.uri.path ne "/"', "/x", True),
        (
            '(http.request.uri.path == "/a") or (starts_with(http.request.uri.path, "/b"))',
            "/b1",
            True,
        ),
        ('http.request.uri.path contains "a" and http.request.uri.path contains "b"', "/a", False),
        ('http.request.uri.path contains "a" && http.request.uri.path contains "b"', "/ba", True),
        (r'http.request.uri.path eq "/a\"b"', '/a"b', True),
    ],
)
def test_a_rule_holds_for_the_paths_that_it_names(expression: str, path: str, holds: bool) -> None:
    read = condition(expression)
    found = [bool(re.search(atom.pattern, path)) for atom in read.atoms]
    assert (any(found) if read.any_of else all(found)) is holds


def test_a_host_is_compared_too() -> None:
    (atom,) = condition('http.host eq "echo.lab.test"').atoms
    assert (atom.variable, atom.pattern) == ("$host", r"^echo\.lab\.test$")


@pytest.mark.parametrize(
    "expression",
    [
        "ip.src in {192.0.2.0/24}",
        'http.request.uri.path matches "^/a"',
        'not http.host eq "a"',
        'http.host eq "a" and http.host eq "b" or http.host eq "c"',
        'http.host eq "a" xor http.host eq "b"',
        "true",
        "",
    ],
)
def test_what_it_has_no_words_for_is_said(expression: str) -> None:
    with pytest.raises(Unreadable, match="the lab's edge does not act upon"):
        condition(expression)
