"""Where everybody's log lines go: Loki, and Grafana Alloy that brings them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from settings.models.addresses import Address
from settings.models.base import Form, Name, Port, Strict, Unit
from settings.models.charts import Chart
from settings.models.urls import StoreUrl

LOKI_NAMESPACE: Final = "loki"
"""Where Loki and its Secret are."""
STORE_SECRET: Final = "store"  # noqa: S105 (the name of a Secret)
"""What its Secret is called."""
STORE_KEYS: Final = ("access-key-id", "secret-access-key")
"""The keys of that Secret."""

Bucket = Annotated[
    str,
    Form(
        r"(?!([0-9]{1,3}\.){3}[0-9]{1,3}$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "is no bucket",
        "write 3 to 63 lower-case letters, digits, dots and dashes",
    ),
]
"""Of S3 (its user guide, Bucket naming rules)."""
Region = Annotated[
    str,
    Form(
        r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
        "is no region",
        "write lower-case letters, digits and dashes",
    ),
]


@dataclass(frozen=True, kw_only=True)
class StoreTraits:
    """What a kind of store asks of a stack: whether lines are in a `bucket` (then the fields of a
    bucket, and a key to it in `platformSecrets`)."""

    bucket: bool


STORE_KINDS: Final[Mapping[str, StoreTraits]] = MappingProxyType(
    {"filesystem": StoreTraits(bucket=False), "s3": StoreTraits(bucket=True)}
)
"""By the word of `LogStore.kind`."""


class LogStore(Strict):
    """Where Loki keeps lines."""

    kind: Literal["filesystem", "s3"]
    """In a volume of its own, or in a bucket that speaks S3, whose key `platformSecrets` has as
    `loki/store/access-key-id` and `loki/store/secret-access-key`."""
    size: Annotated[int, Unit("GiB")] | None = Field(default=None, ge=1, le=65_536)
    """Of Loki's volume: all lines with `filesystem`, those of the last hours with `s3`. Null: the
    pod's own, which goes with the pod."""
    storage_class: Name | None = None
    """Who makes the volume. Null: the cluster's default StorageClass."""
    bucket: Bucket | None = None
    """Of kind s3 alone, as the next three: its name. Needed there, as `region` is."""
    region: Region | None = None
    """Its region; what a store of your own goes by (often us-east-1)."""
    endpoint: StoreUrl | None = None
    """Who serves it. Null: Amazon's, by the region."""
    path_style: bool = True
    """Whether the bucket is the first part of the path, as most stores other than Amazon's want, or
    of the host name."""

    @property
    def traits(self) -> StoreTraits:
        """Of its kind."""
        return STORE_KINDS[self.kind]


class Collector(Strict):
    """Where the machines that are no nodes send their lines: Alloy, at an address of its own."""

    address: Address
    """Of `platform.metallb.pool`, and nobody else's. Only the routers' and the balancers' own LAN
    addresses are answered there."""
    port: Port = 601
    """Its port; 601 is the one registered for syslog over TCP."""
    queue: Annotated[int, Unit("MiB")] = Field(default=256, ge=16, le=1024)
    """Disk of each of these machines for lines that wait. When it is full, further lines are
    dropped."""


class PlatformLogging(Strict):
    """Everybody's lines in one place, by Loki and Grafana Alloy."""

    loki: Chart
    """Loki's chart, the community's (grafana-community)."""
    alloy: Chart
    """Grafana Alloy's chart: what reads lines and sends them to Loki."""
    store: LogStore
    """Where Loki keeps them."""
    days: Annotated[int, Unit("days")] = Field(default=14, ge=1, le=3650)
    """How long a line is kept."""

    collector: Collector | None = None
    """Where routers and balancers send their journals, and the balancers their access log. Null:
    pods and nodes only."""

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        keys = STORE_KEYS if self.store.traits.bucket else ()
        return [f"{LOKI_NAMESPACE}/{STORE_SECRET}/{key}" for key in keys]
