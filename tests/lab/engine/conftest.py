"""What the engine's tests share: a backend of their own, and the real command line or a skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.engine import Cli, find_cli

PROJECT = {"name": "layered-cloud", "runtime": "python"}


@pytest.fixture(scope="session")
def cli() -> Cli:
    found = find_cli()
    if found is None:
        pytest.skip("no pulumi command line here yet: `make up` builds it, or put one on PATH")
    return found


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAYERED_CLOUD_STATE", str(tmp_path / "state"))
    return tmp_path / "state"
