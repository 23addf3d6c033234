"""What the resources of the `cloudflare` provider have in common."""

from __future__ import annotations

from typing import Protocol

from lab.plugins.cloudflare_client import Client
from lab.plugins.resource import Resource


class Configured(Protocol):
    """A provider that knows where the API is."""

    api: Client


class ApiResource(Resource):
    """A resource of the provider's API."""

    def __init__(self, provider: Configured) -> None:
        self._provider = provider

    @property
    def api(self) -> Client:
        """The API as it is configured."""
        return self._provider.api
