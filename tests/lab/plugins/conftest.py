"""The small Cloudflare and its provider, for whoever tests a resource of it."""

from __future__ import annotations

import pytest

from lab.plugins.cloudflare import CloudflareProvider
from lab.plugins.server import Secret
from tests.lab.cloudflare.api_host import serve_cloudflare
from tests.lab.plugins.harness import plugin


@pytest.fixture
def api(tmp_path):
    with serve_cloudflare(tmp_path / "state.json") as served:
        yield served


@pytest.fixture
def cloudflare(api):
    with plugin(CloudflareProvider()) as harness:
        harness.configure(baseUrl=api.base_url, apiToken=Secret(api.token))
        yield harness
