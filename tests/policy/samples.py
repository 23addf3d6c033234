"""Six changes as plans of the engine's JSON, and the page that shows what is said of each.

`UPDATE_GOLDEN=1 pytest tests/policy/test_summary.py` writes docs/pull-requests.md.
"""

from __future__ import annotations

import json
from typing import Any

from policy.keeping import MACHINES
from policy.rules import COMMAND, RECORD, RELEASE, VM

URN = "urn:pulumi:prod::layered-cloud::{}::{}"
TIMEOUTS = "defaults\n    timeout connect 2s\n    timeout server {}s\n"
ROUTES = "frontend https\n    bind :443 ssl\n{}    default_backend ingress\n"


def step(op: str, type_: str, name: str, old: Any, new: Any, **more: Any) -> dict[str, Any]:
    found = {"op": op, "urn": URN.format(type_, name), **more}
    for key, inputs in (("oldState", old), ("newState", new)):
        if inputs is not None:
            found[key] = {"type": type_, "inputs": inputs, "protect": type_ == VM}
    return found


def pushed(name: str, old: str, new: str) -> dict[str, Any]:
    """A push of a file, whose request is JSON on stdin."""
    quiet = {"logging": "none", "addPreviousOutputInEnv": False}
    both = [{**quiet, "stdin": json.dumps({"files": [{"text": text}]})} for text in (old, new)]
    return step("update", COMMAND, name, *both)


def router(address: str) -> dict[str, Any]:
    return {
        "vmId": 3002,
        "tags": ["prod", "router"],
        "rebootAfterUpdate": False,
        "initialization": {"ipConfigs": [{"ipv4": {"address": address}}]},
    }


def release(version: str) -> dict[str, Any]:
    """A chart as the program installs it; its values stay."""
    return {
        "name": "cilium",
        "namespace": "kube-system",
        "chart": "cilium",
        "version": version,
        "repositoryOpts": {"repo": "https://helm.cilium.io"},
        "values": {"kubeProxyReplacement": True},
    }


def record(address: str) -> dict[str, Any]:
    return {"type": "A", "name": "www.example.org", "content": address, "proxied": True, "ttl": 1}


SAMPLES: dict[str, list[dict[str, Any]]] = {
    "A timeout": [
        pushed(f"lb-{each}-routes", TIMEOUTS.format(130), TIMEOUTS.format(300)) for each in "ba"
    ],
    "A new route": [
        pushed(
            f"lb-{each}-routes",
            ROUTES.format(""),
            ROUTES.format("    use_backend media if { path_beg /media/ }\n"),
        )
        for each in "ba"
    ],
    "A VIP that moves": [
        pushed(
            f"router-{each}-routers",
            "virtual_ipaddress {\n    203.0.113.10/27 dev eth2\n}\n",
            "virtual_ipaddress {\n    203.0.113.11/27 dev eth2\n}\n",
        )
        for each in "ba"
    ]
    + [step("update", RECORD, "www", record("203.0.113.10"), record("203.0.113.11"))],
    "A machine that is replaced": [
        step("same", MACHINES, "machines", {"replaceable": []}, {"replaceable": []}),
        step(
            "replace",
            VM,
            "router-b",
            router("203.0.113.3/27"),
            router("203.0.113.4/27"),
            replaceReasons=["initialization.ipConfigs"],
        ),
    ],
    "A certificate": [
        step(
            "replace",
            "cloudflare:index/originCaCertificate:OriginCaCertificate",
            "certificate-leaf",
            {"hostnames": ["www.example.org"]},
            {"hostnames": ["www.example.org", "api.example.org"]},
            replaceReasons=["hostnames"],
        )
    ],
    "A chart": [step("update", RELEASE, "cilium", release("1.20.2"), release("1.20.3"))],
}
