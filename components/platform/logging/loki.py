"""Loki in one process, and where it keeps lines.

Sources: the chart's values.schema.json and values.yaml, 18; Loki's configuration page (schema v13,
retention by the compactor, structured metadata).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.platform.addon import Addon, Site, Values
from settings.models import LOKI_NAMESPACE, STORE_KEYS, STORE_SECRET, LogStore, PlatformLogging

NAME = "loki"
URL = f"http://{NAME}.{LOKI_NAMESPACE}.svc:3100"
"""Of its API, for those in the cluster: without a password."""
_SCHEMA_FROM = "2024-04-01"
"""The first day of schema v13: before any line that a new Loki gets."""
LATE_HOURS = 12
"""How far behind a stream's newest line another one may be: what waited on a machine's disk comes
beside new ones. Loki takes half of a chunk's longest age."""
_ELSEWHERE = (
    *("gateway", "lokiCanary", "test", "chunksCache", "resultsCache", "ruler"),
    "minio",
)
"""What the chart has beside Loki itself: for many users, for a store that is far, or to try it."""
_VARIABLES: Mapping[str, str] = dict(
    zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), STORE_KEYS, strict=True)
)
"""What Amazon's SDK reads where the configuration names no key."""


def addon(site: Site) -> Addon | None:
    """Loki, where the stack has logging."""
    given = site.settings.logging
    if given is None:
        return None
    return Addon(
        name=NAME,
        namespace=LOKI_NAMESPACE,
        pod_security="restricted",
        chart=given.loki,
        values=values(given),
        secrets={STORE_SECRET: STORE_KEYS} if given.store.traits.bucket else {},
    )


def values(given: PlatformLogging) -> Values:
    """What the program decides for the chart.

    A line that comes late, since it waited for Loki, is taken as long as it would be kept; one that
    is too long is cut, not refused. A sender that is refused for coming too fast comes again, so
    that the limits bound Loki's memory and lose nothing.
    """
    store = given.store
    kept = f"{given.days * 24}h"
    return {
        "deploymentMode": "Monolithic",
        **{name: {"enabled": False} for name in _ELSEWHERE},
        **{name: {"replicas": 0} for name in ("read", "write", "backend")},
        "sidecar": {"rules": {"enabled": False}},
        "rbac": {"namespaced": True},
        "loki": {
            "auth_enabled": False,
            "analytics": {"reporting_enabled": False},
            "commonConfig": {"replication_factor": 1},
            "storage": STORES[store.kind](store),
            "schemaConfig": {
                "configs": [
                    {
                        **{"from": _SCHEMA_FROM, "store": "tsdb", "object_store": store.kind},
                        **{"schema": "v13", "index": {"prefix": "index_", "period": "24h"}},
                    }
                ]
            },
            "ingester": {"max_chunk_age": f"{2 * LATE_HOURS}h"},
            "compactor": {"retention_enabled": True, "delete_request_store": store.kind},
            "limits_config": {
                "retention_period": kept,
                "reject_old_samples_max_age": kept,
                "allow_structured_metadata": True,
                "max_line_size_truncate": True,
                **{"ingestion_rate_mb": 16, "ingestion_burst_size_mb": 32},
                **{"per_stream_rate_limit": "8MB", "per_stream_rate_limit_burst": "32MB"},
            },
        },
        "singleBinary": {
            "replicas": 1,
            "persistence": _volume(store),
            "extraEnv": _key() if store.traits.bucket else [],
        },
    }


def _volume(store: LogStore) -> Values:
    """Without a size the chart gives the pod a directory of its own."""
    if store.size is None:
        return {"enabled": False}
    return {"enabled": True, "size": f"{store.size}Gi", "storageClass": store.storage_class}


def _key() -> list[dict[str, Any]]:
    return [
        {
            "name": variable,
            "valueFrom": {"secretKeyRef": {"name": STORE_SECRET, "key": key}},
        }
        for variable, key in _VARIABLES.items()
    ]


def on_disk(_: LogStore) -> Values:
    """In its own volume."""
    return {"type": "filesystem"}


def in_bucket(store: LogStore) -> Values:
    """In a bucket that speaks S3; the key comes from the environment."""
    return {
        "type": "s3",
        "bucketNames": {"chunks": store.bucket, "ruler": store.bucket},
        "s3": {
            "endpoint": store.endpoint,
            "region": store.region,
            "s3ForcePathStyle": store.path_style,
            "insecure": (store.endpoint or "").startswith("http://"),
        },
    }


STORES: Mapping[str, Callable[[LogStore], Values]] = {"filesystem": on_disk, "s3": in_bucket}
"""By the word of `platform.logging.store.kind`: `loki.storage` of the chart."""
