"""The CDN, whatever its kind: its ranges first in the chain, its records last."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.cdn.kind import Kind, Secrets
from components.cdn.kinds import KINDS
from components.host.transport import dependencies
from settings.models import Cdn as CdnSettings


class Cdn:
    """The stack's CDN as the chain meets it.

    `name` is the prefix of what it registers. `secrets` are the stack's; each kind takes its own.
    With `ipv6` it calls by IPv6 too.
    """

    ranges: pulumi.Output[Sequence[str]]
    """The addresses from which it calls, never empty."""
    client_ip_header: str | None
    """The header in which it, and only it, names the client; None where nobody stands in front."""
    authorities: pulumi.Input[str] | None
    """Who signs the certificate it shows when it calls (PEM); None where none is asked for."""
    certificate_required: bool
    """Whether who shows none is refused."""

    def __init__(
        self, name: str, *, settings: CdnSettings, secrets: Secrets, ipv6: bool = False
    ) -> None:
        self._name = name
        self.settings = settings
        self.kind = KINDS[settings.kind](settings, secrets)
        self.ranges = CdnRanges(f"{name}-ranges", self.kind, ipv6=ipv6).ranges
        self.client_ip_header = settings.client_header
        self.authorities = self.kind.authorities(f"{name}-origin-pulls")
        pulls = settings.origin_pulls
        self.certificate_required = pulls is not None and pulls.required

    def records(
        self,
        origins: Sequence[IPv4Address | IPv6Address],
        opts: pulumi.ResourceOptions | None = None,
    ) -> CdnRecords:
        """The service's names, pointed at the origins."""
        return CdnRecords(f"{self._name}-records", self.kind, origins, opts)


class CdnRanges(pulumi.ComponentResource):
    """The addresses from which the CDN calls.

    Promises: `ranges` is never empty, and everybody only where the stack says that no CDN stands in
    front. It is a late output where the CDN is
    asked: it flows into the routers' set and the balancers' list, and into no address. Nobody has
    it before the CDN was looked at: a name of the service that leads to somebody else there fails
    the preview, and an update before a router or a balancer is told anything.

    Leaves out: any watch on the list between two updates.

    Raises `LayerError` for a set that would close the routers, or open them, and for names that are
    somebody else's.
    """

    ranges: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        kind: Kind,
        *,
        ipv6: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("layered-cloud:cdn:Ranges", name, {}, opts)
        kind.found = kind.look(self)
        both = pulumi.Output.all(ranges=kind.ranges(self, ipv6=ipv6), found=kind.found)
        self.ranges = both.apply(lambda known: known["ranges"])
        self.register_outputs({"ranges": self.ranges})


class CdnRecords(pulumi.ComponentResource):
    """The service's names at the CDN, pointed at the public VIPs, and the settings and rules of a
    zone that the stack owns.

    Promises: nothing is made before what it waits for, and it goes before that: no visitor is led
    here, and the CDN is given nothing to show, before the balancers are ready for it. No record of
    the service shows an origin's address to anybody but the CDN. For a CDN that is not managed by
    the stack it makes nothing.

    Leaves out: what is paid beside the plan, such as load balancing and bot management.

    Raises nothing of its own.
    """

    names: pulumi.Output[Sequence[str]]
    """The names served."""
    urls: pulumi.Output[Sequence[str]]
    """Of the service, as clients call it; a wildcard is no name to call."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        origins: Sequence[IPv4Address | IPv6Address],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("layered-cloud:cdn:Records", name, {}, opts)
        kind.records(origins, self, dependencies(opts))
        served = kind.settings.records
        self.names = pulumi.Output.from_input(list(served))
        self.urls = pulumi.Output.from_input(
            [f"https://{each}/" for each in served if not each.startswith("*.")]
        )
        self.register_outputs({"names": self.names, "urls": self.urls})
