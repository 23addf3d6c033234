"""The lab's stack as if it ran: its outputs, and what its machines would answer, all well.

Answers that are long are those of real daemons (tests/ops/captured); a test changes some and sees
what is told.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ops.checks import kubernetes
from ops.checks.model import Seen, questions
from ops.checks.table import CHECKS
from ops.judge import Row, rows
from ops.question import Answer, Answers
from ops.site import Site, site
from settings.models import Stack
from tests.components import stacks
from tests.issued import NOW, made

CAPTURED = Path(__file__).parent / "captured"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOLIi6ZgH5vny/5IzT1kmhOAjjbuw2PFVDFZ1UWF6u5M"
# Of no use to anybody, and as long as one of ours.
KEY_LINE = base64.b64encode(hashlib.sha512(b"deploy").digest()).decode()[:70]
_MARKS = ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----")
DEPLOY_KEY = f"{_MARKS[0]}\n{KEY_LINE}\n{_MARKS[1]}\n"
ISSUED = made("kubernetes")
VERSION = "v1.36.3"


def captured(name: str) -> str:
    return (CAPTURED / name).read_text(encoding="utf-8")


def kubeconfig() -> str:
    return (
        json.dumps(
            {
                "clusters": [{"cluster": {"server": "https://198.18.0.10:6443"}}],
                "users": [{"user": {"client-key-data": "c2VjcmV0IGtleQ=="}}],
            }
        )
        + f"\n# client-certificate-data: {base64.b64encode(ISSUED.pem.encode()).decode()}\n"
    )


def outputs(stack: Stack) -> dict[str, Any]:
    machines: dict[str, Any] = {}
    for role, spec in stack.machines():
        addresses = {"management": str(spec.management), "lan": str(spec.lan)}
        machines[spec.name] = {
            "role": role,
            "host": spec.host,
            "user": "root",
            "port": 22,
            "host_key": HOST_KEY,
            "python": True,
            "addresses": addresses,
            "interfaces": {"management": "eth0", "lan": "eth1"},
        }
    return {
        "inventory": {"machines": machines},
        "deploy_key": DEPLOY_KEY,
        "kubeconfig": kubeconfig(),
        "certificate_authority": ISSUED.pem,
        "api_endpoints": {"lan": "198.18.10.10:6443", "management": "198.18.0.10:6443"},
        "owners": {"routers": {"edge": "router-a"}, "balancers": {"front": "lb-a"}},
        "urls": ["https://echo.lab.test"],
        "exporters": {},
    }


def lab(stack: Stack | None = None) -> Site:
    stack = stack or stacks.lab()
    return site("lab", stack, outputs(stack))


def held(*addresses: str) -> str:
    return json.dumps([{"addr_info": [{"local": each} for each in addresses]}])


def services(*units: str, **changed: Any) -> str:
    well = {"wanted": True, "active": "active", "status": 0, "said": ""}
    return json.dumps([{"unit": each, **well, **changed} for each in units])


def report(**drift: str) -> str:
    found = [{"what": what, "is": now} for what, now in drift.items()]
    return json.dumps(
        [{"layer": "base", "machine": "m", "confirmed": True, "at": "x", "drift": found}]
    )


def node(name: str, *, ready: str = "True", version: str = VERSION) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "message": "kubelet stopped posting"}
    if ready == "True":
        del condition["message"]
    return {
        "metadata": {"name": name},
        "spec": {},
        "status": {"conditions": [condition], "nodeInfo": {"kubeletVersion": version}},
    }


def nodes(*changed: dict[str, Any]) -> str:
    named = {each["metadata"]["name"]: each for each in changed}
    whole = {name: node(name) for name in ("cp-1", "worker-1", "worker-2")} | named
    return json.dumps({"items": list(whole.values())})


DF = """Filesystem     Type     Mounted on                  Use% IUse%
/dev/vda1      ext4     /                            36%    6%
tmpfs          tmpfs    /run                         99%    1%
overlay        overlay  /run/containerd/x/rootfs     98%    1%
/dev/vda15     vfat     /boot/efi                     9%     -
"""
MEMORY = {"/proc/meminfo": "MemTotal:       1000 kB\nMemAvailable:    600 kB\nHugetlb: 0 kB\n"}
_CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack_"
PODS = """kube-system cilium-x Running cp-1
kube-system job-y Succeeded cp-1
echo echo-1 Running worker-1
"""
WELL = {
    "failed units": "",
    "services": services("chrony.service", "ssh.service"),
    "takeover": "healthy\n",
    "manifests": report(),
    "certificates": json.dumps([{"where": "/etc/kubernetes/pki/ca.crt", "pem": ISSUED.pem}]),
    "shown certificate": json.dumps(
        [{"where": "echo.lab.test at 198.18.10.10:443", "pem": ISSUED.pem}]
    ),
    "reboot required": "{}",
    "kernel": "6.1.0-18-cloud-amd64\n",
    "kernels": json.dumps({"/boot/vmlinuz-6.1.0-18-cloud-amd64": None}),
    "processes": "systemd\nsshd\n",
    "chrony": captured("chrony.csv"),
    "disks": DF,
    "memory": json.dumps(MEMORY),
    "conntrack": json.dumps({f"{_CONNTRACK}count": "12\n", f"{_CONNTRACK}max": "262144\n"}),
    "firewall": captured("nft-table.txt"),
    "haproxy statistics": captured("haproxy-stat.csv"),
    "bgp": captured("frr-summary.json"),
    "nodes": nodes(),
    "pods": PODS,
    "api version": json.dumps({"serverVersion": {"gitVersion": VERSION}}),
    "etcd": "ok",
}
ADDRESSES = {
    "router-a": held("198.18.0.11", "203.0.113.10", "198.18.10.1"),
    "router-b": held("198.18.0.12"),
    "lb-a": held("198.18.0.21", "198.18.10.10", "198.18.0.10"),
    "lb-b": held("198.18.0.22"),
}


def answer(out: str, status: int = 0, err: str = "") -> Answer:
    return Answer(status=status, out=out, err=err, seconds=0.1)


def seen(
    stack: Stack | None = None,
    *,
    changed: Mapping[str, Mapping[str, str | Answer]] | None = None,
    silent: Mapping[str, str] | None = None,
    further: Mapping[str, Mapping[str, Answer]] | None = None,
) -> Seen:
    """What a look finds: all is well but what is `changed` (by machine and question)."""
    here = lab(stack)
    machines = {}
    for machine in here.machines:
        if machine.name in (silent or {}):
            machines[machine.name] = Answers(silent=(silent or {})[machine.name])
            continue
        told = {}
        for each in questions(here, machine, [c for c in CHECKS if c.applies(here)]):
            usual = (
                ADDRESSES.get(machine.name, "[]") if each.name == "addresses" else WELL[each.name]
            )
            said = (changed or {}).get(machine.name, {}).get(each.name, usual)
            told[each.name] = said if isinstance(said, Answer) else answer(said)
        told |= (further or {}).get(machine.name, {})
        machines[machine.name] = Answers(answers=told, seconds=0.4, least=-0.2, most=0.3)
    own = {kubernetes.HERE: answer("ok")}
    return Seen(site=here, now=NOW + timedelta(days=1), machines=machines, here=own)


def judged(found: Seen) -> dict[str, Row]:
    return {row.result.name: row for row in rows(found, CHECKS)}


def later(found: Seen, **changes: Any) -> Seen:
    return replace(found, **changes)
