"""A value for each key that its own type takes, to show how it is written."""

from __future__ import annotations

import json
import re
from typing import Any, Final, get_args, get_origin

from pydantic.fields import FieldInfo

from settings.bounds import least
from settings.models.addresses import EXAMPLES
from settings.problems import NAMESPACE
from settings.reference import Key, every_key
from settings.shape import alternatives, choices, is_list

_PEM: Final = "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"

_LAST: Final[dict[str, Any]] = {
    "environment": "prod",
    "asn": 64512,
    "bridge": "vmbr1",
    "ntp": ["time.cloudflare.com"],
    "endpoint": "https://pve.example.org:8006/",
    "host": "pve1",
    "url": "https://images.example.org/20260811/debian-12.qcow2",
    "sha256": "0" * 64,
    "file_name": "debian-12.qcow2",
    "tags": ["layered-cloud"],
    "replaceable": ["lb-a"],
    "uris": ["https://packages.example.org/debian"],
    "suites": ["bookworm"],
    "components": ["stable"],
    "owner": "lb-a",
    "names": ["www.example.org"],
    "hosts": ["www.example.org"],
    "html": "<!doctype html><title>Back soon</title>",
    "paths": ["/shop"],
    "prefixes": ["/shop"],
    "denied_paths": ["/admin"],
    "denied_agents": ["badbot"],
    "methods": ["GET"],
    "health_path": "/healthz",
    "authorities": _PEM,
    "recipient": _PEM,
    "archive": "prod.cp-1.20260801T120000Z.backup",
    "client_ca": _PEM,
    "kubernetes_version": "1.36.3",
    "version": "1.20.2",
    "unreachable": ["cp-1"],
    "drained": ["router-a"],
    "machines": ["lb-a"],
    "ignore_preflight_errors": ["Mem"],
    "extra_packages": ["nfs-common"],
    "remove": ["Server"],
    "chart": "cilium",
    "repository": "https://charts.example.org",
    "image": "registry.example.org/echo:1.2.3",
    "plugin": "docker.io/velero/velero-plugin-for-aws:v1.14.1",
    "email": "ops@example.org",
    "zones": ["example.org"],
    "zone": "example.org",
    "zone_id": "0123456789abcdef0123456789abcdef",
    "records": ["www.example.org"],
    "api_url": "https://api.example.org/client/v4",
    "client_ip_header": "X-Client-IP",
    "to": ["ops@example.org"],
    "sender": "cloud@example.org",
    "server": "smtp.example.org",
    "username": "cloud",
    "namespace": "tools",
    "namespaces": ["shop"],
    "after": ["cilium"],
    "keys": ["token"],
    "storage": "local-lvm",
    "issuer": "letsencrypt",
    "path": "/shop",
    "when": 'http.request.uri.path contains "/wp-"',
    "counting": "http.response.code eq 403",
    "service": "tools/tools-web:http",
    "secrets": ["PASSWORD"],
    "alive_path": "/alive",
    "writable": ["/var/cache"],
    "ingress_class": "other",
    "management": "ether1",
    "lan": "ether2",
    "wan": "ether3",
    "sync": "ether4",
}
"""By the last name of the key."""

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9._/-]*|\d+(\.\d+){2,3}(/\d+|-[0-9][A-Za-z0-9.~]*)?")
"""Read as text by every reader of YAML, in a list or mapping of flow style too."""
_NO_TEXT: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


_WHOLE: Final[dict[str, Any]] = {
    "platform.monitoring.dashboards": True,
    "platform.velero.bucket": "backups",
    "platform.velero.schedule": "30 1 * * *",
    "platform.delivery.repository": "https://git.example.org/cloud.git",
    "platform.delivery.path": "clusters/prod",
    "cluster.containerd.version": "2.4.2-1",
    "cluster.kubelet.extra_args": {"max-pods": "200"},
    "cluster.kubelet.config": {"maxPods": 200},
    "cluster.cluster_configuration": {"apiServer": {"certSANs": ["api.example.org"]}},
    "cluster.sysctls": {"vm.max_map_count": "262144"},
    "cluster.node_files": {"/etc/motd": "hello\n"},
    "cluster.containerd.snippets": {"50-mine.toml": "version = 3\n"},
    "cluster.containerd.hosts": {"docker.io": 'server = "https://mirror.example.org"\n'},
    "balancers.routes[].headers": {"X-Beta": "yes"},
    "balancers.answers.set": {"X-Content-Type-Options": "nosniff"},
    "routers.snippets": {"input": ["ip saddr 198.18.10.9 tcp dport 9100 accept"]},
    "balancers.snippets": {"service": ["http-request set-header X-Region eu"]},
    "balancers.logging.servers[].tls.name": "logs.example.org",
    "services[].env": {"MODE": "live"},
    "services[].user": 1000,
    "services[].annotations": {"nginx.org/websocket-services": "shop"},
    "platform.demo.host": "demo.example.org",
    "platform.cert_manager.issuers[].server": "https://acme.example.org/directory",
    "cdn.unproxied[].content": "192.0.2.25",
    "cdn.unproxied[].name": "mail.example.org",
    "cdn.rules.firewall[].skip": ["bots"],
    "cdn.rules.cache[].cache": True,
    "access.authorized_keys": ["ssh-ed25519 AAAA... you@example.org"],
    "cluster.backups.ssh.url": "ssh://backup@vault.example.org/srv/backups",
    "cluster.backups.ssh.host_keys": ["ssh-ed25519 AAAA..."],
    "routers.host_keys": {"router-a": "ssh-ed25519 AAAA..."},
}
"""Values of keys whose last name means something else there."""


def line(key: Key) -> str:
    """The key with a value, where it stands in the file, as one line of YAML."""
    section, *steps = key.path.replace("[].", ".[].").split(".")
    value: Any = value_of(key)
    for step in reversed(steps):
        value = [value] if step == "[]" else {step: value}
    return f"{NAMESPACE}:{section}: {flow(value)}"


def flow(value: Any) -> str:
    """A value in YAML's flow style, as stack files are written."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_scalar(name)}: {flow(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return value if _PLAIN.fullmatch(value) and value not in _NO_TEXT else json.dumps(value)


def value_of(key: Key) -> Any:
    """A value that the key's own type takes; a section has what is required in it."""
    if key.model is not None:
        inner = {
            name: value_of(every_key()[f"{key.items}.{name}"])
            for name, field in key.model.model_fields.items()
            if field.is_required()
        }
        return [inner] if is_list(key.annotation) else inner
    if key.path in _WHOLE:
        return _WHOLE[key.path]
    return _plain(key.path.rpartition(".")[2], key.annotation, key.field)


def _plain(last: str, annotation: Any, field: FieldInfo) -> Any:
    given = field.default
    if isinstance(given, bool):
        return not given
    if found := choices(annotation):
        other = next((each for each in found if each != given), found[0])
        return [other] if is_list(annotation) else other
    return _of(next(alternatives(annotation)), last, annotation, field)


def _of(kind: Any, last: str, annotation: Any, field: FieldInfo) -> Any:
    """A value of the first type that the key takes."""
    if get_origin(kind) is list:
        item = get_args(kind)[0]
        return _LAST[last] if str in set(alternatives(item)) else [_plain(last, item, field)]
    if kind in EXAMPLES:
        return EXAMPLES[kind]
    given = _LAST.get(last, field.default)
    if kind in (int, float):
        return given if isinstance(given, int | float) else least(annotation, field)
    if kind is str:
        return given if isinstance(given, str) else "mine"
    return {"KEY": "VALUE"}
