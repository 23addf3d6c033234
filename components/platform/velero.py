"""Backups of what is in the cluster: Velero.

Sources: the chart's values.yaml and templates, 12.1 (Velero 1.18); velero-plugin-for-aws'
backupstoragelocation.md; AWS' shared credentials file.
"""

from __future__ import annotations

from components.platform.addon import Addon, Form, Site, Values
from settings.models import STORE_KEYS, STORE_SECRET, VELERO_NAMESPACE, Velero

NAME = "velero"
_FILE = "cloud"
"""The key of the Secret that the chart mounts as the credentials file."""
_ID, _KEY = STORE_KEYS
CREDENTIALS = f"[default]\naws_access_key_id={{{_ID}}}\naws_secret_access_key={{{_KEY}}}\n"


def addon(site: Site) -> Addon | None:
    """Velero with one store and one schedule, where the stack has it.

    The namespace is privileged since the agent reads the volumes of all pods where the kubelet has
    them.
    """
    given = site.settings.velero
    if given is None:
        return None
    return Addon(
        name=NAME,
        namespace=VELERO_NAMESPACE,
        pod_security="privileged",
        chart=given.chart,
        values=_values(given),
        secrets={STORE_SECRET: STORE_KEYS},
        forms={STORE_SECRET: Form(texts={_FILE: CREDENTIALS})},
    )


def _values(given: Velero) -> Values:
    plugins = [{"mountPath": "/target", "name": "plugins"}]
    return {
        "initContainers": [
            {
                **{"name": "velero-plugin-for-aws", "image": given.plugin},
                "volumeMounts": plugins,
            }
        ],
        "credentials": {"useSecret": True, "existingSecret": STORE_SECRET},
        "configuration": {
            "backupStorageLocation": [
                {
                    **{"name": "default", "default": True, "provider": "aws"},
                    **{"bucket": given.bucket, "config": _store(given)},
                }
            ],
            "volumeSnapshotLocation": [],
            "defaultVolumesToFsBackup": given.volumes,
        },
        "snapshotsEnabled": False,
        "deployNodeAgent": given.volumes,
        "schedules": {
            "all": {"schedule": given.schedule, "template": {"ttl": f"{given.days * 24}h0m0s"}}
        },
    }


def _store(given: Velero) -> Values:
    """Texts all, as the API has them. Stores other than Amazon's know no checksums of its newer
    kind."""
    own = {} if given.endpoint is None else {"s3Url": given.endpoint, "checksumAlgorithm": ""}
    return {
        "region": given.region,
        "s3ForcePathStyle": "true" if given.path_style else "false",
        **own,
    }
