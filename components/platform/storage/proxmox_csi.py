"""Volumes as disks of the nodes' virtual machines: the Proxmox CSI plugin.

Sources: the chart's values.yaml and templates, 0.5.9 (plugin v0.19.1); its docs install.md,
config.md and options.md.
"""

from __future__ import annotations

from components.platform.addon import Addon, Values
from settings.models import (
    STORAGE_NAMESPACE,
    STORAGE_TOKEN,
    STORAGE_TOKEN_KEYS,
    PlatformStorage,
    VolumeClass,
)

NAME = "proxmox-csi-plugin"
_TOKEN_DIRECTORY = "/etc/proxmox-token"  # noqa: S105 (a directory)


def made(given: PlatformStorage) -> Addon:
    """The plugin and its StorageClasses.

    The namespace is privileged since the plugin mounts disks on every node. Its configuration names
    files of the token's Secret, so that neither the chart's values nor its release hold the token.
    """
    return Addon(
        name=NAME,
        namespace=STORAGE_NAMESPACE,
        pod_security="privileged",
        chart=given.chart,
        values=_values(given),
        secrets={STORAGE_TOKEN: STORAGE_TOKEN_KEYS},
    )


def _values(given: PlatformStorage) -> Values:
    volume = "token"
    cluster = {
        "url": f"{given.endpoint.rstrip('/')}/api2/json",
        "insecure": given.insecure,
        "region": given.region,
        **{f"token_{key}_file": f"{_TOKEN_DIRECTORY}/{key}" for key in STORAGE_TOKEN_KEYS},
    }
    return {
        "config": {"clusters": [cluster]},
        "storageClass": [_class(each) for each in given.classes],
        "extraVolumes": [{"name": volume, "secret": {"secretName": STORAGE_TOKEN}}],
        "extraVolumeMounts": [{"name": volume, "mountPath": _TOKEN_DIRECTORY, "readOnly": True}],
    }


def _class(each: VolumeClass) -> Values:
    return {
        "name": each.name,
        "storage": each.storage,
        "reclaimPolicy": each.reclaim,
        "fstype": each.filesystem,
        "ssd": each.ssd,
        "annotations": {
            "storageclass.kubernetes.io/is-default-class": "true" if each.default else "false"
        },
    }
