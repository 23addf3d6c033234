"""Expressions of Cloudflare's Rules language, as far as a text can be judged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from settings.models.expressions import LONGEST, Expression, by_pattern, fields

JUDGED = TypeAdapter(Expression)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        'http.host eq "a.example" and not cf.edge.server_port in {80 443}',
        'http.request.uri.path matches r#"^/(a|")\\.b"# or ssl',
        r'http.user_agent contains "\"("',
        "ip.src in {192.0.2.0/24 2001:db8::/32} or ip.src in $cf.open_proxies",
        'any(http.request.headers["x"][*] eq "[")',
    ],
)
def test_what_cloudflare_documents_is_taken(text: str) -> None:
    assert JUDGED.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is empty"),
        ("true or " * 600, f"has 4800 characters, and Cloudflare takes {LONGEST}"),
        ('http.host eq "a', "has a string that does not end"),
        ('r#"a" ', "has a string that does not end"),
        ("(ssl", "opens a ( that is not closed"),
        ("ssl)", "closes a ) that was not opened"),
        ("ip.src in {192.0.2.1)", "closes a ) that was not opened"),
        ("htpp.host eq 1", "names htpp.host, and no field begins with htpp"),
    ],
)
def test_what_it_cannot_take_is_refused_and_told_why(text: str, wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        JUDGED.validate_python(text)
    assert wrong in str(refused.value)


def test_fields_and_patterns_are_not_looked_for_in_strings() -> None:
    text = 'http.host eq "foo.bar matches ~" and ip.src in $cf.vpn'
    assert fields(text) == {"http.host", "ip.src"}
    assert not by_pattern(text)
    assert by_pattern('http.host ~ "a"')
    assert by_pattern('http.host matches "a"')


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_string_once_it_is_quoted(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    whole = f'http.host eq "{quoted}"'
    assert JUDGED.validate_python(whole) == whole
    assert fields(whole) == {"http.host"}
