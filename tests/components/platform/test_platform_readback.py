"""The ingress' Service, as a control plane judges and prints it, and as the program reads it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from components.platform import metallb, readback, render
from components.platform.addon import Webhook
from components.platform.ingress import CONTROLLERS, Controller
from components.platform.readback import Service
from settings.models import Ingress, NodePorts
from tests.components import stacks
from tests.components.platform.platform_args import site

LIVE: dict[str, Any] = {
    "spec": {
        "ports": [
            {"name": "web", "port": 80, "nodePort": 30080},
            {"name": "websecure", "port": 443, "nodePort": 30443},
        ],
        "healthCheckNodePort": 30081,
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}, {"ip": "198.18.10.201"}]}},
}
KUBECTL = """#!{python}
import json, re, sys
service = json.load(open({path!r}))
asked = sys.argv[sys.argv.index("--output") + 1]
assert sys.argv[sys.argv.index("--namespace"):][1:5] == ["traefik", "get", "service", "traefik"]
if service is None:
    sys.exit("The connection to the server 198.18.10.10:6443 was refused")
port = re.search(r'@.name=="(\\w+)"', asked)
if port:
    found = [p.get("nodePort", "") for p in service["spec"]["ports"] if p["name"] == port[1]]
elif "healthCheckNodePort" in asked:
    found = [service["spec"].get("healthCheckNodePort", "")]
else:
    found = [each["ip"] for each in service["status"]["loadBalancer"].get("ingress", [])]
print(*found, end="")
"""
"""kubectl with the four JSONPaths that are asked for."""


def traefik() -> Controller:
    return CONTROLLERS["traefik"]


def undecided() -> Ingress:
    return stacks.lab().platform.ingress.model_copy(
        update={
            "node_ports": NodePorts(http=None, https=None, health=None),
            "load_balancer_ip": None,
        }
    )


def judged(
    live: Any, tmp_path: Path, ingress: Ingress | None = None
) -> subprocess.CompletedProcess[str]:
    """What the control plane says of a live Service."""
    (tmp_path / "service.json").write_text(json.dumps(live))
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.format(python=sys.executable, path=str(tmp_path / "service.json")))
    kubectl.chmod(0o755)
    expected = readback.expected(traefik(), ingress or stacks.lab().platform.ingress)
    return subprocess.run(
        ["/bin/bash", "-eu", "-o", "pipefail"],
        input=render.service_agrees("traefik", "traefik", expected, 0),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        timeout=60,
    )


def other(**spec: Any) -> dict[str, Any]:
    return {**LIVE, "spec": {**LIVE["spec"], **spec}}


def test_a_service_as_decided_is_agreed_to_in_silence(tmp_path: Path) -> None:
    done = judged(LIVE, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_difference_fails_the_update_and_names_both(tmp_path: Path) -> None:
    live = other(
        ports=[{"name": "web", "nodePort": 31999}, {"name": "websecure", "nodePort": 30443}],
        healthCheckNodePort=32000,
    )
    done = judged(live, tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:3] == [
        "ingress:",
        "  - the live Service's NodePort for http is 31999, but 30080 was decided",
        "  - the live Service's healthCheckNodePort is 32000, but 30081 was decided",
    ]
    assert "run `pulumi up` again; look at `kubectl -n traefik describe service traefik`" in (
        done.stderr
    )


def test_what_the_service_lacks_is_named(tmp_path: Path) -> None:
    done = judged({**LIVE, "status": {"loadBalancer": {}}}, tmp_path)
    assert done.returncode == 1
    assert (
        "  - the live Service has no LoadBalancer address, though 198.18.10.200 was decided\n"
        in done.stderr
    )


def test_undecided_values_may_be_any_but_must_be_there(tmp_path: Path) -> None:
    assert judged(LIVE, tmp_path, undecided()).returncode == 0
    done = judged(other(ports=[{"name": "web"}]), tmp_path, undecided())
    assert done.stderr.splitlines()[:3] == [
        "ingress:",
        "  - the live Service has no NodePort for http",
        "  - the live Service has no NodePort for https",
    ]


def test_a_control_plane_that_cannot_ask_says_so(tmp_path: Path) -> None:
    done = judged(None, tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        "ingress:",
        "The connection to the server 198.18.10.10:6443 was refused",
    ]


def test_the_service_is_read_as_the_api_writes_it() -> None:
    service = Service.parsed(json.dumps(LIVE))
    assert service.node_port("websecure") == 30443
    assert service.health_port == 30081
    assert service.address == "198.18.10.200"


def test_every_controller_that_a_stack_may_name_is_there() -> None:
    named = get_args(Ingress.model_fields["kind"].annotation)
    assert set(CONTROLLERS) == set(named)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "text",
    [
        render.webhook_guard([metallb.pool(site()), metallb.advertisement(site())]),
        render.webhook_wait([metallb.pool(site())], Webhook(refusal="no", logs="logs"), 60),
        render.service("traefik", "traefik"),
        render.service_agrees(
            "traefik", "traefik", readback.expected(traefik(), stacks.lab().platform.ingress), 60
        ),
    ],
    ids=["guard", "wait", "service", "agrees"],
)
def test_the_texts_are_clean_to_shellcheck(text: str) -> None:
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "-"],
        input=f"#!/bin/bash\n{text}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
