"""What the resources of the `cloudflare` provider have in common."""

from __future__ import annotations

from typing import Protocol

from lab.plugins.cloudflare_client import Client
from lab.plugins.resource import Properties, Resource


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


def of_zone(written: str, state: Properties, inputs: Properties) -> tuple[str, str]:
    """The zone of a resource and its identifier there, from what is written of it: ZONE/ID in an
    import, else the identifier alone, and the zone is the one that is known."""
    zone, _, name = written.rpartition("/")
    return zone or state.get("zoneId") or inputs.get("zoneId") or "", name
