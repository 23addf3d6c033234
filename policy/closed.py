"""Rules about what others may see, reach or change: secrets, keys, ports, container images."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policy.rules import COMMAND, SECRET, SERVICE, Resource, StackRule

GATE: Final = "command:local:Command"
"""The type of what remembers the deploy key: its environment's `NOW` is the public key with which
the program logs in (`components/host/entry.py`)."""
AUTHORIZED: Final = "/.ssh/authorized_keys"
ROUTERS: Final = "layered-cloud:routers:Routers"
MANAGEMENT: Final = {
    22: "SSH",
    2379: "etcd",
    2380: "etcd",
    3128: "Proxmox' SPICE proxy",
    5900: "VNC",
    6443: "the Kubernetes API",
    8006: "the Proxmox API",
    8404: "HAProxy's statistics",
    9100: "a node's metrics",
    10250: "the kubelet",
    10257: "the controller manager",
    10259: "the scheduler",
}
"""Ports by which a machine or a cluster is run (the daemons' own defaults)."""
WORKLOADS: Final = ("DaemonSet", "Deployment", "Job", "CronJob", "Pod", "ReplicaSet", "StatefulSet")

_NAMES_A_SECRET = re.compile(
    r"(?i)(\w*password|passphrase|(\w*api|access|auth)?token|(client|access)?secret(key)?"
    r"|(\w*private|api)key(pem|openssh)?|kubeconfig)"
)
_NAMESPACED = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_LOGIN_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_KEY = re.compile(
    r"(?:^|\s)(?:sk-)?(?:ssh|ecdsa)-\S+\s+(?P<key>AAAA[A-Za-z0-9+/]+=*)\s*(?P<comment>.*)"
)
"""The key and the comment of a line of authorized_keys(5), behind its options."""
_TAG_OR_DIGEST = re.compile(r"(@sha256:[0-9a-f]{64}|:[^:/@]+)$")


def _plain_secrets(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    for each in resources:
        for path, what in _found(each.shown, ""):
            # The value itself is never quoted.
            yield (
                each.name,
                f"shows {what} in {path}, and so does its state: make it a secret "
                "(`pulumi config set --secret`, or Output.secret)",
            )


def _refers(key: str, value: str, beside: Mapping[str, Any]) -> bool:
    """Whether `secret` among a chart's values is where a Kubernetes Secret is, not what is in it:
    NAMESPACE/NAME (F5's NGINX), or a name with the namespace beside it (haproxytech's)."""
    if key != "secret":
        return False
    return _NAMESPACED.fullmatch(value) is not None or "secretNamespace" in beside


def _found(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            inside = f"{path}.{key}" if path else str(key)
            named = _NAMES_A_SECRET.fullmatch(str(key).replace("_", "").replace("-", ""))
            if named and isinstance(each, str) and each not in ("", SECRET):
                if not _refers(str(key), each, value):
                    yield inside, "a secret by its name"
            else:
                yield from _found(each, inside)
    elif isinstance(value, list | tuple):
        for at, each in enumerate(value):
            yield from _found(each, f"{path}[{at}]")
    elif isinstance(value, str):
        if _PRIVATE_KEY.search(value):
            yield path, "a private key"
        elif _LOGIN_IN_URL.search(value):
            yield path, "a login in a URL"


def deploy_keys(resources: Sequence[Resource]) -> dict[str, str]:
    """The keys (base64) with which the program logs in, each with the resource that says so."""
    found = {}
    for each in resources:
        environment = each.properties.get("environment") if each.type == GATE else None
        text = environment.get("NOW") if isinstance(environment, Mapping) else None
        if isinstance(text, str) and (line := _KEY.search(text)):
            found[line["key"]] = each.name
    return found


def authorized(resource: Resource) -> list[tuple[str, str, str]]:
    """The keys that a push lets in, a line of its files at a time: path, key (base64), comment."""
    text = resource.properties.get("stdin") if resource.type == COMMAND else None
    # Most pushes bring no such file, and each is long.
    if not isinstance(text, str) or AUTHORIZED not in text:
        return []
    try:
        files = json.loads(text)["request"]["files"].items()
        lines = [
            (path, line)
            for path, file in files
            if path.endswith(AUTHORIZED)
            for line in file["content"].splitlines()
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []  # not a push of files
    found = [
        (path, _KEY.search(_QUOTED.sub("", line)))
        for path, line in lines
        if not line.lstrip().startswith("#")
    ]
    return [(path, each["key"], each["comment"].strip()) for path, each in found if each]


def _keys_apart(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    pushes = {each.name: keys for each in resources if (keys := authorized(each))}
    for key, gate in deploy_keys(resources).items():
        lines = {name: [one for one in keys if one[1] == key] for name, keys in pushes.items()}
        # The program's own is one of each file.
        twice = [
            name for name, found in lines.items() if len(found) > len({one[0] for one in found})
        ]
        if not twice:
            continue
        comments = [comment for name in twice for _, _, comment in lines[name] if comment]
        whose = f", {comments[0]}" if comments else ""
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        yield (
            gate,
            f"lets the program in by an operator's key ({_fingerprint(key)}{whose}; twice in "
            f"{min(twice)}{more}): give it one of its own as deployKey, and this one as "
            "deployKeyBefore for one update",
        )


def _fingerprint(key: str) -> str:
    """As ssh-keygen(1) shows it (`-l`)."""
    try:
        digest = hashlib.sha256(base64.b64decode(key)).digest()
    except binascii.Error:
        return key
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _management_ports(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    for each in resources:
        for port, where in _open_ports(each):
            if port in MANAGEMENT:
                yield (
                    each.name,
                    f"opens port {port} ({MANAGEMENT[port]}) to the world: take it out of {where}; "
                    "whoever runs the machines comes by the management network",
                )


def _open_ports(resource: Resource) -> Iterator[tuple[int, str]]:
    if resource.type == ROUTERS:
        # The second is what the component hands on, which is what a policy pack is shown.
        known = resource.properties.get("publicPorts") or resource.properties.get("public_ports")
        for port in known or ():
            yield int(port), "routers.public_ports"
        for each in resource.properties.get("forwards") or ():
            if each["protocol"] == "tcp" and each["anybody"]:
                for port in MANAGEMENT:
                    if each["first"] <= port <= each["last"]:
                        where = f"routers.forwards ({each['name']}), or name its sources"
                        yield port, where
    spec = resource.properties.get("spec")
    if resource.type == SERVICE and isinstance(spec, Mapping) and spec.get("type") != "ClusterIP":
        for port in spec.get("ports") or () if spec.get("type") else ():
            for key in ("port", "targetPort"):
                if isinstance(number := port.get(key), int | float):
                    yield int(number), "the Service, or make it a ClusterIP"


def _pinned_images(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    for each in resources:
        if not is_workload(each):
            continue
        for image in _images(each.properties):
            tag = _TAG_OR_DIGEST.search(image)
            if tag is None or tag[0] == ":latest":
                yield (
                    each.name,
                    f"runs whatever {image} is tomorrow: write a version's tag, or a digest",
                )


def is_workload(resource: Resource) -> bool:
    """Whether it is a Kubernetes object that runs containers."""
    package, _, kind = resource.type.rpartition(":")
    return package.startswith("kubernetes:") and kind in WORKLOADS


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in ("containers", "initContainers") and isinstance(each, list):
                yield from (one["image"] for one in each if isinstance(one.get("image"), str))
            else:
                yield from _images(each)


STACK_RULES: Final = (
    StackRule(
        name="secret-is-not-plain",
        description="No secret stands where a plan, a log or a state shows it.",
        check=_plain_secrets,
    ),
    StackRule(
        name="deploy-key-is-the-programs-alone",
        description="The key with which the program logs in is no operator's.",
        check=_keys_apart,
    ),
    StackRule(
        name="management-is-not-public",
        description="No port by which machines are run is open to the world.",
        check=_management_ports,
    ),
    StackRule(
        name="container-image-is-pinned",
        description="Every container's image has a version's tag or a digest.",
        check=_pinned_images,
    ),
)
