"""The API server: discovery, reading, server-side apply, deletion, with bounded retries."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import urllib3
from kubernetes.client import ApiClient
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError

from lab.plugins.kubernetes.kubeconfig import (
    Access,
    MemoryFile,
    client_configuration,
)
from lab.plugins.kubernetes.objects import Gvk, Obj, items, pluck
from lab.plugins.server import PluginError

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0

Answer = TypeVar("Answer")


class ApiError(PluginError):
    """The API server's refusal, in its words. `status` is the HTTP status."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def not_found(self) -> bool:
        return self.status == 404

    @property
    def webhook_not_ready(self) -> bool:
        """An admission webhook that cannot be reached or trusted yet: its pod or its CA bundle is
        still coming up (metallb, cert-manager and others answer so right after their install)."""
        return self.status in {500, 503, 504} and "failed calling webhook" in self.message


class Unreachable(PluginError):
    """No answer from the API server."""


class NoSuchKind(PluginError):
    """The API server does not know the kind (its CustomResourceDefinition may be missing)."""


@dataclass(frozen=True)
class ResourceKind:
    """Where a kind lives in the API: its plural name, and whether it has a namespace."""

    gvk: Gvk
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        root = f"/apis/{self.gvk.group}" if self.gvk.group else "/api"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        leaf = f"/{name}" if name else ""
        return f"{root}/{self.gvk.version}{scope}/{self.plural}{leaf}"


class Cluster:
    """One cluster, through one context of a kubeconfig. Safe for use from several threads."""

    def __init__(self, where: Access) -> None:
        self.where = where
        configuration, self._files = client_configuration(where)
        self._api = ApiClient(configuration)
        # The client's own discovery writes a cache file named by the server's address, which a
        # rebuilt cluster at the same address would read: discovery is done here instead.
        self._client: Any = DynamicClient(  # type: ignore[no-untyped-call]
            self._api, discoverer=lambda _client, _cache_file: None
        )
        self._kinds: dict[tuple[str, str], dict[str, ResourceKind]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the connections and forgets the credentials."""
        self._api.rest_client.close()
        files: list[MemoryFile] = self._files
        for file in files:
            file.close()

    def version(self) -> str:
        """The server's version, for example v1.36.3. Raises Unreachable, ApiError."""
        return str(self._json("GET", "/version").get("gitVersion", ""))

    def kind(self, gvk: Gvk) -> ResourceKind:
        """Where a kind lives; the server is asked again for one not known yet.

        Raises NoSuchKind, ApiError, Unreachable.
        """
        key = (gvk.group, gvk.version)
        with self._lock:
            known = self._kinds.get(key, {}).get(gvk.kind)
        if known:
            return known
        path = f"/apis/{gvk.group}/{gvk.version}" if gvk.group else f"/api/{gvk.version}"
        try:
            listed = items(self._json("GET", path), "resources")
        except ApiError as refused:
            if not refused.not_found:
                raise
            listed = []
        kinds = {
            entry["kind"]: ResourceKind(
                Gvk(gvk.group, gvk.version, entry["kind"]), entry["name"], entry["namespaced"]
            )
            for entry in listed
            if "/" not in entry["name"]
        }
        with self._lock:
            self._kinds[key] = kinds
        if gvk.kind not in kinds:
            raise NoSuchKind(
                f'no matches for kind "{gvk.kind}" in version "{gvk.api_version}": '
                "the API server does not have it; make sure that its CustomResourceDefinition "
                "(or the chart that brings it) is installed first (depends_on)"
            )
        return kinds[gvk.kind]

    def get(self, gvk: Gvk, namespace: str, name: str) -> Obj | None:
        """The live object, None when there is none. Raises ApiError, NoSuchKind, Unreachable."""
        try:
            return self._json("GET", self.kind(gvk).path(namespace, name))
        except ApiError as refused:
            if refused.not_found:
                return None
            raise

    def list(self, gvk: Gvk, namespace: str, *, labels: str = "", fields: str = "") -> list[Obj]:
        """Objects of a kind in a namespace (all namespaces when it is "")."""
        answer = self._json(
            "GET", self.kind(gvk).path(namespace),
            label_selector=labels or None, field_selector=fields or None,
        )  # fmt: skip
        return items(answer, "items")

    def apply(
        self, gvk: Gvk, obj: Obj, *, manager: str, force: bool = False, dry_run: bool = False
    ) -> Obj:
        """Server-side apply; the object as it is afterwards. Raises ApiError, NoSuchKind,
        Unreachable."""
        where = self.kind(gvk)
        metadata = obj.get("metadata") or {}
        return self._json(
            "PATCH", where.path(metadata.get("namespace", ""), metadata["name"]), body=obj,
            content_type="application/apply-patch+yaml", field_manager=manager,
            force_conflicts="true" if force else "false", dry_run="All" if dry_run else None,
        )  # fmt: skip

    def delete(self, gvk: Gvk, namespace: str, name: str, *, propagation: str, uid: str) -> None:
        """Asks for deletion (of exactly the object with `uid`, when given). Raises ApiError."""
        body: Obj = {"propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        self._json("DELETE", self.kind(gvk).path(namespace, name), body=body)

    def _json(self, method: str, path: str, **options: Any) -> Obj:
        answer = _translated(
            lambda: self._client.request(
                method, path, serialize=False,
                _request_timeout=(CONNECT_SECONDS, READ_SECONDS), **options,
            ),
            self.where.cluster.get("server", "the API server"),
        )  # fmt: skip
        loaded = json.loads(answer.data)
        return loaded if isinstance(loaded, dict) else {}


def _translated(call: Callable[[], Answer], server: str) -> Answer:
    try:
        return call()
    except DynamicApiError as refused:
        raise _api_error(refused) from None
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as wrong:
        cause = getattr(wrong, "reason", None) or wrong
        raise Unreachable(f"{server}: {cause}") from None
    except ValueError as wrong:
        raise Unreachable(f"{server}: not a Kubernetes API answer ({wrong})") from None


def _api_error(refused: DynamicApiError) -> ApiError:
    body: Any = refused.body
    try:
        status = json.loads(body) if body else {}
    except ValueError:
        status = {"message": body.decode(errors="replace") if isinstance(body, bytes) else body}
    if not isinstance(status, Mapping):
        status = {"message": str(status)}
    message = str(status.get("message") or refused.reason or f"HTTP {refused.status}").strip()
    causes = [
        f"{cause.get('field')}: {cause.get('message')}"
        for cause in items(pluck(status, "details"), "causes")
        if cause.get("message") and cause["message"] not in message
    ]
    reason = str(status.get("reason") or "")
    return ApiError(int(refused.status or 0), reason, "\n".join([message, *causes]))
