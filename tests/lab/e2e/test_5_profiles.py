"""Other datacentres: every profile comes up from nothing and keeps every promise."""

from __future__ import annotations

import json

import pytest
from harness import lab, leftovers

from lab import stack


@pytest.mark.parametrize("profile", sorted(each.stem for each in stack.PROFILES.glob("*.yaml")))
def test_a_profile_comes_up_and_keeps_every_promise(profile: str, able: None) -> None:
    lab("down", "--quiet")
    try:
        done = lab("up", "--profile", profile, seconds=3600)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
        rows = json.loads(lab("check", "--json").stdout)
        for row in rows:
            print(f"{row['name']}: {row['detail']}")
        assert [f"{row['name']}: {row['detail']}" for row in rows if not row["ok"]] == []
    finally:
        down = lab("down")
    assert down.returncode == 0, down.stdout[-3000:] + down.stderr[-2000:]
    assert leftovers() == []
