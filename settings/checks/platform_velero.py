"""Velero: values that a stack may not undo, and a store that keeps what goes to it to itself.

Sources: the chart's values.yaml and values.schema.json, 12.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.chart_keys import overlooked
from settings.checks.decided import Decided, off, on, only, undone
from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_STORE = "is where backups go, which platform.velero says"
_VOLUMES = "is whether volumes are in backups, which platform.velero.volumes says"
_KEY = "is the key to the store, which platformSecrets has"
VELERO: Final = (
    Decided(keys=("configuration", "backupStorageLocation"), why=_STORE),
    Decided(keys=("configuration", "defaultVolumesToFsBackup"), why=_VOLUMES),
    Decided(keys=("deployNodeAgent",), why=_VOLUMES),
    Decided(keys=("initContainers",), why="takes the place of platform.velero.plugin"),
    Decided(keys=("credentials", "useSecret"), why=_KEY, allowed=on),
    Decided(keys=("credentials", "existingSecret"), why=_KEY, allowed=only("store")),
    Decided(keys=("credentials", "secretContents"), why=_KEY),
    Decided(keys=("backupsEnabled",), why="leaves backups without a place", allowed=on),
    Decided(
        keys=("schedules", "all"),
        why="takes the place of platform.velero.schedule",
        right="write yours under another name",
    ),
    Decided(keys=("cleanUpCRDs",), why="takes every backup's record away", allowed=off),
)
KEYS: Final = {
    "": """namespace image nameOverride fullnameOverride annotations secretAnnotations labels
        podAnnotations podLabels revisionHistoryLimit resources resizePolicy hostAliases
        upgradeJobResources upgradeCRDsJob dnsPolicy initContainers podSecurityContext
        containerSecurityContext lifecycle priorityClassName runtimeClassName
        terminationGracePeriodSeconds livenessProbe readinessProbe tolerations affinity nodeSelector
        dnsConfig podDisruptionBudget extraVolumes extraVolumeMounts extraObjects metrics kubectl
        upgradeCRDs cleanUpCRDs configuration rbac serviceAccount credentials backupsEnabled
        snapshotsEnabled deployNodeAgent nodeAgent schedules configMaps""",
}
_VALUES = "platform.velero.chart.values"


@reads("platform")
def velero_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """One store, whose key is in no value, and one schedule of the stack's."""
    given = stack.platform.velero
    if given is not None:
        yield from undone(_VALUES, given.chart.values, VELERO)
        yield from overlooked(_VALUES, given.chart.values, "velero", KEYS)


@doubts("platform")
def backups_go_in_secret(stack: Stack) -> Iterator[Problem]:
    """A backup has every Secret of the cluster."""
    given = stack.platform.velero
    if given is not None and (given.endpoint or "").startswith("http://"):
        yield problem(
            "platform.velero.endpoint",
            given.endpoint,
            "takes every Secret of the cluster in clear text",
            "write https://",
        )


@reads("platform")
def backups_have_a_bucket_to_themselves(stack: Stack) -> Iterator[Problem]:
    """Velero takes no bucket with folders that are not its own (velero.io, "Backup Storage
    Locations": the location becomes unavailable)."""
    velero, logging = stack.platform.velero, stack.platform.logging
    if velero is None or logging is None:
        return
    store = logging.store
    if (velero.bucket, velero.endpoint) == (store.bucket, store.endpoint):
        yield problem(
            "platform.velero.bucket",
            velero.bucket,
            "is platform.logging.store.bucket too, and Velero uses none with others' folders",
            "give each a bucket of its own",
        )
