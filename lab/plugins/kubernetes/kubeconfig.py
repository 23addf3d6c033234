"""Reading a kubeconfig; handing it on without a file.

The contents never reach a file system: client keys and the kubeconfig for child processes live in
anonymous memory files (memfd_create(2)), which are gone with the process, however it ends.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import Configuration

from lab.plugins.server import PluginError


class KubeconfigError(PluginError):
    """The kubeconfig cannot be used; the text says why and never quotes it."""


class MemoryFile:
    """A file in memory only, mode 0600, readable by this process and, by `path`, its children."""

    def __init__(self, label: str, contents: str) -> None:
        self._fd = os.memfd_create(label)
        os.fchmod(self._fd, 0o600)
        os.write(self._fd, contents.encode())

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True)
class Access:
    """The cluster, user and namespace of one context of a kubeconfig."""

    context: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]


def load(path_or_contents: str) -> dict[str, Any]:
    """The kubeconfig as a mapping, from its contents or from the path of a file.

    Raises KubeconfigError.
    """
    contents = path_or_contents
    if "\n" not in contents and not contents.lstrip().startswith("{"):
        file = Path(contents).expanduser()
        try:
            contents = file.read_text()
        except OSError as wrong:
            raise KubeconfigError(
                f"kubeconfig: neither its contents nor a readable file: {wrong.strerror}"
            ) from None
    try:
        loaded = yaml.safe_load(contents)
    except yaml.YAMLError as wrong:
        problem = getattr(wrong, "problem", None) or "not YAML"
        mark = getattr(wrong, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise KubeconfigError(f"kubeconfig: {problem}{where}") from None
    if not isinstance(loaded, dict):
        raise KubeconfigError("kubeconfig: not a mapping; give the file's contents or its path")
    return loaded


def access(config: Mapping[str, Any], *, context: str = "", cluster: str = "") -> Access:
    """The active context (`context` and `cluster` override). Raises KubeconfigError naming what
    the kubeconfig lacks."""
    chosen = context or config.get("current-context") or ""
    if not chosen:
        raise KubeconfigError("kubeconfig: no current-context; set the provider's `context`")
    scope = _named(config, "contexts", "context", chosen)
    cluster_name = cluster or scope.get("cluster", "")
    user_name = scope.get("user", "")
    return Access(
        context=chosen,
        namespace=scope.get("namespace") or "",
        cluster=_named(config, "clusters", "cluster", cluster_name),
        user=_named(config, "users", "user", user_name) if user_name else {},
    )


def active_cluster(
    config: Mapping[str, Any], *, context: str = "", cluster: str = ""
) -> Mapping[str, Any] | None:
    """The cluster entry a kubeconfig points at, None when it points at none."""
    try:
        return access(config, context=context, cluster=cluster).cluster
    except KubeconfigError:
        return None


def _named(config: Mapping[str, Any], section: str, key: str, name: str) -> Mapping[str, Any]:
    entries = config.get(section) or []
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("name") == name:
            found = entry.get(key)
            return found if isinstance(found, Mapping) else {}
    known = ", ".join(str(entry.get("name")) for entry in entries if isinstance(entry, Mapping))
    raise KubeconfigError(f"kubeconfig: no {key} named {name!r} (it has: {known or 'none'})")


def client_configuration(where: Access) -> tuple[Configuration, list[MemoryFile]]:
    """The client's configuration, and the memory files it refers to (close them after use).

    Raises KubeconfigError for credentials that run a program (`exec`, `auth-provider`).
    """
    server = where.cluster.get("server")
    if not server:
        raise KubeconfigError("kubeconfig: the cluster has no server")
    for kind in ("exec", "auth-provider"):
        if kind in where.user:
            raise KubeconfigError(
                f"kubeconfig: the user's {kind!r} credentials are not supported here; "
                "use a client certificate or a token"
            )
    config = Configuration()
    files: list[MemoryFile] = []

    def pem(label: str, section: Mapping[str, Any], key: str) -> str | None:
        """Path of the PEM text: a memory file for inline data, else the file that is named."""
        data = _decoded(section, f"{key}-data")
        if data is None:
            path = section.get(key)
            return str(path) if path else None
        file = MemoryFile(label, data)
        files.append(file)
        return file.path

    config.host = server
    config.verify_ssl = not where.cluster.get("insecure-skip-tls-verify", False)
    config.ca_cert_data = _decoded(where.cluster, "certificate-authority-data")
    if config.ca_cert_data is None and where.cluster.get("certificate-authority"):
        config.ssl_ca_cert = str(where.cluster["certificate-authority"])
    config.tls_server_name = where.cluster.get("tls-server-name")
    config.cert_file = pem("client-certificate", where.user, "client-certificate")
    config.key_file = pem("client-key", where.user, "client-key")
    token = where.user.get("token")
    if token:
        config.api_key["BearerToken"] = f"Bearer {token}"
    config.connection_pool_maxsize = 16
    config.retries = 0
    return config, files


def _decoded(section: Mapping[str, Any], key: str) -> str | None:
    data = section.get(key)
    if not data:
        return None
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise KubeconfigError(f"kubeconfig: {key} is not base64 of a PEM text") from None
