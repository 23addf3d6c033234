"""A page of a size that a buffer holds is looked through in no time, whatever it is made of."""

from __future__ import annotations

import time

import pytest

from settings.files import examine
from tests.settings.fixtures import patched

LENGTH = 160_000


@pytest.mark.parametrize(
    "piece", ["x", "aGVsbG8+/", "a.b-", "-----BEGIN ", "authorization: ", " ", "x@pam!", "a://b:c"]
)
def test_a_long_page_is_looked_through_in_no_time(piece: str) -> None:
    html = "authorization:" + (piece * LENGTH)[:LENGTH]
    config = patched({"set": {"/balancers/maintenance_page": {"html": html}}})

    started = time.process_time()
    found = examine(config)

    assert time.process_time() - started < 1
    assert [each.key for each in found.problems if "page" not in each.key] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x root@pam!a=0a1b2c3d-0000-0000-0000-000000000000 x", "is a Proxmox API token"),
        ("see https://somebody:hush@vault.example.org/", "holds a password"),
        ('{"Authorization": [ "Basic aGVsbG8="]}', "holds a password"),
        ("authorization = bearer aGVsbG8=", "holds a password"),
    ],
)
def test_a_secret_in_a_page_is_found(text: str, wrong: str) -> None:
    html = "<p>\n" * 1000 + text
    found = examine(patched({"set": {"/balancers/maintenance_page": {"html": html}}}))

    (told,) = found.problems
    assert told.wrong.startswith(wrong)
