"""Kubernetes objects as plain dictionaries: reading fields, type tokens, `pulumi.com/` marks."""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

from lab.plugins.server import UNKNOWN

Obj: TypeAlias = dict[str, Any]

PREFIX: Final = "pulumi.com/"
AUTONAMED: Final = PREFIX + "autonamed"
SKIP_AWAIT: Final = PREFIX + "skipAwait"
WAIT_FOR: Final = PREFIX + "waitFor"
TIMEOUT_SECONDS: Final = PREFIX + "timeoutSeconds"
PATCH_FORCE: Final = PREFIX + "patchForce"
FIELD_MANAGER: Final = PREFIX + "patchFieldManager"
PROPAGATION: Final = PREFIX + "deletionPropagationPolicy"
REPLACE_UNREADY: Final = PREFIX + "replaceUnready"

SERVER_METADATA: Final = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Fields of ObjectMeta that only the API server writes (ObjectMeta v1 reference)."""


CLUSTER_WIDE: Final = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("networking.k8s.io", "IngressClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
    }
)
"""Group and kind of built-in kinds without a namespace, for when no server can be asked."""


@dataclass(frozen=True)
class Gvk:
    """Group, version and kind; the core group is the empty string."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.api_version}/{self.kind}"


def gvk_of_token(token: str) -> Gvk | None:
    """The kind a type token `kubernetes:GROUP/VERSION:KIND` stands for, None when it is not one."""
    package, _, rest = token.partition(":")
    module, _, kind = rest.rpartition(":")
    group, slash, version = module.rpartition("/")
    if package != "kubernetes" or not slash or not kind or not version or "/" in group:
        return None
    return Gvk("" if group == "core" else group, version, kind)


def gvk_of(obj: Mapping[str, Any], default: Gvk) -> Gvk:
    """The kind an object itself says it is, `default` for what it leaves out."""
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return default
    group, _, version = api_version.rpartition("/")
    return Gvk("" if group == "core" else group, version, kind)


@cache
def sdk_class(gvk: Gvk) -> str | None:
    """`module:Class` of the SDK's class for the kind, None when it has none (a custom resource)."""
    package = gvk.group.split(".")[0] or "core"
    module = f"pulumi_kubernetes.{package}.{gvk.version}"
    try:
        found = hasattr(importlib.import_module(module), gvk.kind)
    except ImportError:
        return None
    return f"{module}:{gvk.kind}" if found else None


def pluck(obj: Any, *path: str | int) -> Any:
    """The value at a path, None when any part of it is missing."""
    for part in path:
        if isinstance(obj, Mapping):
            obj = obj.get(part)
        elif isinstance(obj, list) and isinstance(part, int) and part < len(obj):
            obj = obj[part]
        else:
            return None
    return obj


def text(obj: Any, *path: str | int) -> str:
    """The string at a path, "" when it is missing, unknown or something else."""
    value = pluck(obj, *path)
    return value if isinstance(value, str) else ""


def number(obj: Any, *path: str | int, default: int = 0) -> int:
    """The whole number at a path, `default` when it is missing."""
    value = pluck(obj, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def items(obj: Any, *path: str | int) -> list[Any]:
    """The list at a path, empty when it is missing."""
    value = pluck(obj, *path)
    return value if isinstance(value, list) else []


def name_of(obj: Any) -> str:
    return text(obj, "metadata", "name")


def namespace_of(obj: Any) -> str:
    return text(obj, "metadata", "namespace")


def annotation(obj: Any, key: str) -> str:
    """The annotation's value, "" when it is not set or not known yet."""
    return text(obj, "metadata", "annotations", key)


def marked(obj: Any, key: str) -> bool:
    """Whether the annotation is "true"."""
    return annotation(obj, key) == "true"


def with_metadata(obj: Obj, **changes: Any) -> Obj:
    """A copy whose metadata has the changes laid over it (None removes)."""
    metadata = obj.get("metadata")
    if metadata is UNKNOWN:
        return dict(obj)
    merged = {**(metadata or {}), **changes}
    return {**obj, "metadata": {key: value for key, value in merged.items() if value is not None}}


def identifier(namespace: str, name: str) -> str:
    """The resource's id: `namespace/name`, or `name` for what has no namespace."""
    return f"{namespace}/{name}" if namespace else name


def parse_identifier(id: str) -> tuple[str, str]:
    """Namespace ("" when there is none) and name of an id."""
    namespace, slash, name = id.partition("/")
    return (namespace, name) if slash else ("", namespace)


def own_fields(live: Obj) -> Obj:
    """What of a live object a user could have written: without status and server metadata."""
    metadata = {
        key: value
        for key, value in (live.get("metadata") or {}).items()
        if key not in SERVER_METADATA
    }
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key
        not in {
            "deployment.kubernetes.io/revision",
            "kubectl.kubernetes.io/last-applied-configuration",
        }
    }
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    fields = {key: value for key, value in live.items() if key not in {"status", "metadata"}}
    return {**fields, "metadata": metadata}


def with_default_namespace(obj: Obj) -> Obj:
    """A copy in which an object that names no namespace names the `default` one."""
    if obj.get("metadata") is UNKNOWN or pluck(obj, "metadata", "namespace") is not None:
        return obj
    return with_metadata(obj, namespace="default")


def stored(state: Obj) -> Obj:
    """The object of a resource's state, without what the provider itself keeps there."""
    return {key: value for key, value in state.items() if not key.startswith("__")}
