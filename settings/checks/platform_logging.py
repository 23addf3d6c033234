"""Logging: what a stack's values may not undo, a store that can be written to, and hops whose lines
are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.decided import Decided, off, on, only, undone
from settings.checks.platform_ingress import INGRESS
from settings.checks.registry import doubts, reads
from settings.models.platform_logging import LOKI_NAMESPACE, LogStore
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_STORE = "is where lines are kept, which platform.logging.store says"
_DAYS = "is how long lines are kept, which platform.logging.days says"
_PLACE = "is not where Alloy sends lines to"
_MODE = "is not one process, as the rest of the values is made for"
LOKI: Final = (
    Decided(keys=("deploymentMode",), why=_MODE, allowed=only("Monolithic", "SingleBinary")),
    Decided(keys=("singleBinary", "replicas"), why=_MODE, allowed=only(1)),
    Decided(keys=("singleBinary", "persistence", "enabled"), why=_STORE),
    Decided(keys=("singleBinary", "persistence", "size"), why=_STORE),
    Decided(keys=("singleBinary", "persistence", "storageClass"), why=_STORE),
    Decided(keys=("loki", "storage", "type"), why=_STORE),
    Decided(keys=("loki", "storage", "bucketNames"), why=_STORE),
    Decided(keys=("loki", "storage", "s3"), why=_STORE),
    Decided(
        keys=("loki", "auth_enabled"),
        why="asks for a tenant, which Alloy does not name",
        allowed=off,
    ),
    Decided(keys=("loki", "config"), why="takes the place of all that the program writes"),
    Decided(keys=("loki", "limits_config", "retention_period"), why=_DAYS),
    Decided(
        keys=("loki", "limits_config", "allow_structured_metadata"),
        why="refuses lines with a request's id",
        allowed=on,
    ),
    Decided(
        keys=("loki", "compactor", "retention_enabled"),
        why="keeps every line for ever",
        allowed=on,
    ),
    Decided(keys=("fullnameOverride",), why=_PLACE, allowed=only("", None, "loki")),
    Decided(keys=("namespaceOverride",), why=_PLACE, allowed=only("", None, LOKI_NAMESPACE)),
)
_READS = "reads nothing of the nodes"
_AGAIN = "forgets how far it has read: lines would come twice"
ALLOY: Final = (
    Decided(keys=("alloy", "configMap", "content"), why="takes the place of the program's"),
    Decided(keys=("alloy", "configMap", "create"), why=_READS, allowed=on),
    Decided(keys=("alloy", "mounts", "varlog"), why=_READS, allowed=on),
    Decided(keys=("alloy", "mounts", "extra"), why=_AGAIN),
    Decided(keys=("alloy", "storagePath"), why=_AGAIN),
    Decided(keys=("controller", "volumes", "extra"), why=_AGAIN),
    Decided(
        keys=("controller", "type"),
        why="leaves nodes unread",
        allowed=only("daemonset"),
    ),
    Decided(keys=("rbac", "create"), why="may not list the pods", allowed=on),
)
_OF_BUCKET: Final = ("bucket", "region")
_FOR_BUCKET: Final = (*_OF_BUCKET, "endpoint", "path_style")


@reads("platform")
def logging_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """Both ends agree: Alloy reads every node and sends to a Loki that takes and keeps it."""
    given = stack.platform.logging
    if given is not None:
        yield from undone("platform.logging.loki.values", given.loki.values, LOKI)
        yield from undone("platform.logging.alloy.values", given.alloy.values, ALLOY)


@reads("platform")
def lines_have_a_place(stack: Stack) -> Iterator[Problem]:
    """A store has what its kind needs, and nothing else."""
    given = stack.platform.logging
    if given is not None:
        yield from (_bucket if given.store.traits.bucket else _no_bucket)(given.store)


def _bucket(store: LogStore) -> Iterator[Problem]:
    rights = {
        "bucket": "write the bucket's name",
        "region": "write its region, us-east-1 where a store of your own knows none",
    }
    for key in _OF_BUCKET:
        if getattr(store, key) is None:
            wrong = f"is missing: lines are in a bucket (kind {store.kind})"
            yield problem(f"platform.logging.store.{key}", ABSENT, wrong, rights[key])


def _no_bucket(store: LogStore) -> Iterator[Problem]:
    for key in _FOR_BUCKET:
        if key in store.model_fields_set:
            wrong = f"is of no use to {store.kind}"
            right = "remove it, or write kind: s3"
            yield problem(f"platform.logging.store.{key}", ABSENT, wrong, right)
    if store.storage_class is not None and store.size is None:
        yield problem(
            "platform.logging.store.storage_class",
            store.storage_class,
            "makes no volume without a size",
            "write size, or remove it",
        )


@doubts("platform")
def lines_outlive_the_pod(stack: Stack) -> Iterator[Problem]:
    """Without a volume, lines are in the pod."""
    given = stack.platform.logging
    if given is not None and not given.store.traits.bucket and given.store.size is None:
        yield problem(
            "platform.logging.store.size",
            ABSENT,
            "is none: every line goes with Loki's pod",
            "write a size, of a StorageClass that the cluster has, or kind: s3",
        )


@doubts("platform")
def requests_are_found_at_every_hop(stack: Stack) -> Iterator[Problem]:
    """The ingress says nothing of a request, or not by its id."""
    kind = stack.platform.ingress.kind
    if stack.platform.logging is not None and not INGRESS[kind].tells_requests:
        yield problem(
            "platform.ingress.kind",
            kind,
            "writes no line of a request, by its id or otherwise, for platform.logging to collect",
            "look at the balancers' line and the application's, or write another kind",
        )


@doubts("platform")
def lines_have_a_class_that_is_there(stack: Stack) -> Iterator[Problem]:
    """A volume of a class that nobody makes is waited for."""
    logging, storage = stack.platform.logging, stack.platform.storage
    wanted = None if logging is None else logging.store.storage_class
    classes = [] if storage is None else [each.name for each in storage.classes]
    if wanted is not None and classes and wanted not in classes:
        yield problem(
            "platform.logging.store.storage_class",
            wanted,
            "is none of platform.storage.classes",
            f"write {' or '.join(classes)}, unless something else makes it",
        )
