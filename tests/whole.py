"""The program itself run with a shipped stack against the recording engine, and what it made."""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import pkgutil
import runpy
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import config as engine

import components
from components.host import part
from components.host.part import Part
from components.host.text import merged
from settings.files import read_config
from tests.components.mocks import Registered, Registration, run_program
from tests.issued import made

ROOT = Path(__file__).parent.parent
STACKS = ("dev", "prod", "lab")
"""The shipped stacks."""
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
LATER = datetime.now(UTC) + timedelta(days=100)


def shipped(stack: str) -> dict[str, Any]:
    """A shipped stack's configuration, whole keys, fresh."""
    return copy.deepcopy(_read(stack))


@cache
def _read(stack: str) -> dict[str, Any]:
    return read_config((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"), stack)


def _bgp(daemon: str) -> dict[str, dict[str, Any]]:
    """The routers, by a daemon, and the nodes speak BGP."""
    return {
        "platform": {
            "metallb": {
                "mode": "bgp",
                "pool": [{"first": "198.18.60.0", "last": "198.18.60.127"}],
            },
            "ingress": {"load_balancer_ip": "198.18.60.1"},
        },
        "routers": {
            "bgp": {
                "daemon": daemon,
                "asn": 64512,
                "upstream": [
                    {"name": "isp", "address": "203.0.113.1", "asn": 64500, "password": True}
                ],
                "inside": {"asn": 64513, "password": True},
            }
        },
    }


def _announced(daemon: str) -> dict[str, dict[str, Any]]:
    """Three balancers announce the service to the routers by a daemon, and all tell of that; lists
    are written whole."""
    lab = shipped("lab")
    machines = lab["layered-cloud:balancers"]["machines"]
    third = {"name": "lb-c", "vm_id": 113, "management": "198.18.0.23", "lan": "198.18.10.13"}
    return {
        "access": {"node_exporter": True},
        "routers": {
            "bgp": {
                **{"daemon": daemon, "asn": 64512},
                "balancers": {"asn": 64514, "password": True},
            }
        },
        "balancers": {
            "machines": [*machines, {**machines[0], **third}],
            "reach": {"kind": "bgp", "vips": ["198.18.30.1"]},
        },
    }


def _mikrotik() -> dict[str, dict[str, Any]]:
    """The lab's routers are physical ones."""
    legs = {"management": "ether1", "lan": "ether2", "wan": "ether3", "sync": "ether4"}
    return {
        "routers": {
            "kind": "mikrotik",
            "machines": [],
            "host_keys": dict.fromkeys(("router-a", "router-b"), HOST_KEY),
            "physical": [
                {
                    **{"name": f"router-{letter}", "management": f"198.18.0.{11 + index}"},
                    **{"lan": f"198.18.10.{2 + index}", "wan": f"203.0.113.{2 + index}"},
                    **{"sync": f"198.18.20.{2 + index}", "interfaces": legs},
                }
                for index, letter in enumerate("ab")
            ],
        }
    }


def _vyos() -> dict[str, dict[str, Any]]:
    """The lab's routers are VyOS' own virtual machines."""
    image = {
        **{"url": "https://images.lab.test/vyos-1.4.0.qcow2", "sha256": "7" * 63 + "b"},
        "file_name": "vyos-1.4.0.qcow2",
    }
    return {"routers": {"kind": "vyos", "image": image}}


def _vyos_bgp() -> dict[str, dict[str, Any]]:
    """They speak BGP too, without the passwords that nothing could keep out of a preview."""
    speaking, routers = _bgp("frr"), _vyos()["routers"]
    bgp: dict[str, Any] = speaking["routers"]["bgp"]
    for end in (bgp["inside"], *bgp["upstream"]):
        end["password"] = False
    return {**speaking, "routers": routers | {"bgp": bgp}}


def _one_address() -> dict[str, dict[str, Any]]:
    """The lab's routers share one public address; lists are written whole."""
    lab: dict[str, Any] = read_config((ROOT / "Pulumi.lab.yaml").read_text("utf-8"), "lab")
    machines = lab["layered-cloud:routers"]["machines"]
    return {
        "networks": {
            "wan": {"cidr": "100.64.0.0/29", "public": "203.0.113.8/30", "gateway": "203.0.113.9"}
        },
        "routers": {
            "machines": [
                {**each, "wan": f"100.64.0.{last}"} for last, each in enumerate(machines, start=2)
            ]
        },
    }


def _both_families() -> dict[str, dict[str, Any]]:
    """Visitors come by IPv6 too; lists are written whole."""
    lab = shipped("lab")
    routers, balancers = lab["layered-cloud:routers"], lab["layered-cloud:balancers"]
    for last, router in enumerate(routers["machines"], start=2):
        router |= {"wan6": f"2001:db8:0:1::{last}", "lan6": f"fd00:10::{last}"}
    routers["vips"][0] |= {"wan6": ["2001:db8:0:1::10"], "lan6": ["fd00:10::1"]}
    for last, balancer in enumerate(balancers["machines"], start=11):
        balancer["lan6"] = f"fd00:10::{last}"
    balancers["vips"][0]["lan6"] = ["fd00:10::10"]
    return {
        "networks": {
            "wan": {"cidr6": "2001:db8:0:1::/64", "gateway6": "fe80::1"},
            "lan": {"cidr6": "fd00:10::/64"},
        },
        "routers": {key: routers[key] for key in ("machines", "vips")},
        "balancers": {key: balancers[key] for key in ("machines", "vips")},
    }


def _meshed(kind: str, version: str, charts: tuple[str, str, str]) -> dict[str, dict[str, Any]]:
    """The demonstration is in a mesh."""
    pinned = {"version": version, "repository": "https://charts.lab.test"}
    keys = zip(("crds", "cni", "control_plane"), charts, strict=True)
    given = {key: {"chart": chart, **pinned} for key, chart in keys}
    return {"platform": {"mesh": {"kind": kind, "namespaces": ["echo"], **given}}}


def _image(name: str, distribution: str) -> dict[str, str]:
    """An image of a role's own."""
    return {
        **{"url": f"https://images.lab.test/{name}.qcow2", "sha256": "5" * 63 + "a"},
        **{"file_name": f"{name}.qcow2", "distribution": distribution},
    }


VARIANTS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "extras": (
        "dev",
        {"cluster": {"extra_packages": ["nfs-common"], "node_files": {"/etc/motd": "ours\n"}}},
    ),
    "straight": (
        "dev",
        {
            "cdn": {"kind": "none", "zone": None, "records": []},
            "balancers": {"certificate": {"source": "self-signed", "names": ["*.example.org"]}},
        },
    ),
    "ordered": (
        "dev",
        {
            "cdn": {"kind": "none", "zone": None, "records": []},
            "balancers": {
                "certificate": {
                    **{"source": "acme", "names": ["dev.example.org", "app.dev.example.org"]},
                    "acme": {
                        **{"challenge": "http-01", "email": "ops@example.org"},
                        "terms_agreed": True,
                    },
                }
            },
        },
    ),
    "ordered-by-records": (
        "dev",
        {
            "balancers": {
                "certificate": {
                    "source": "acme",
                    "acme": {
                        **{"challenge": "dns-01", "zones": ["example.org"]},
                        **{"email": "ops@example.org", "terms_agreed": True},
                        "authorities": made("acme", authority=True, ends=LATER).pem,
                    },
                }
            },
        },
    ),
    "shown": (
        "dev",
        {
            "cdn": {"records": ["dev.example.org"], "origin_pulls": {"authorities": ["first"]}},
            "balancers": {"redirect_to_https": True},
        },
    ),
    "proven": (
        "dev",
        {
            "cdn": {
                **{"kind": "listed", "zone": None, "records": []},
                **{"range_list": ["192.0.2.0/24"], "client_ip_header": "X-Client"},
                "origin_pulls": {"client_ca": made("authority", authority=True, ends=LATER).pem},
            },
            "balancers": {
                "certificate": {"source": "self-signed", "names": ["*.example.org"]},
                "redirect_to_https": True,
            },
        },
    ),
    "watched": (
        "lab",
        {
            "access": {"node_exporter": True},
            "platform": {
                "monitoring": {
                    "chart": {
                        **{"chart": "kube-prometheus-stack", "version": "88.5.3"},
                        "repository": "https://charts.lab.test",
                        "values": {"grafana": {"enabled": True}},
                    },
                    "receivers": [{"name": "pager", "kind": "webhook"}],
                }
            },
        },
    ),
    "collected": (
        "lab",
        {
            "platform": {
                "logging": {
                    **{
                        name: {
                            **{"chart": name, "version": version},
                            "repository": "https://charts.lab.test",
                        }
                        for name, version in (("loki", "18.11.0"), ("alloy", "1.4.0"))
                    },
                    "store": {"kind": "s3", "bucket": "logs", "region": "us-east-1", "size": 10},
                    "collector": {"address": "198.18.10.201"},
                }
            },
        },
    ),
    "stored": (
        "lab",
        {
            "platform": {
                "storage": {
                    "kind": "proxmox-csi",
                    "chart": {
                        **{"chart": "proxmox-csi-plugin", "version": "0.5.9"},
                        "repository": "https://charts.lab.test",
                    },
                    "endpoint": "https://198.18.10.250:8006/",
                    "classes": [{"name": "fast", "storage": "local-lvm", "default": True}],
                }
            },
        },
    ),
    "delivered": (
        "lab",
        {
            "platform": {
                "delivery": {
                    **{"kind": "argo-cd", "repository": "https://git.lab.test/cloud.git"},
                    "chart": {
                        **{"chart": "argo-cd", "version": "10.1.1"},
                        "repository": "https://charts.lab.test",
                    },
                    "credentials": True,
                }
            },
        },
    ),
    "handed over": (
        "lab",
        {
            "platform": {
                "delivery": {
                    **{"kind": "flux", "repository": "https://git.lab.test/cloud.git"},
                    "chart": {
                        **{"chart": "flux2", "version": "2.18.3"},
                        "repository": "https://charts.lab.test",
                    },
                }
            },
        },
    ),
    "saved": (
        "lab",
        {
            "platform": {
                "velero": {
                    "chart": {
                        **{"chart": "velero", "version": "12.1.0"},
                        "repository": "https://charts.lab.test",
                    },
                    "plugin": "images.lab.test/velero-plugin-for-aws:v1.14.1",
                    **{"bucket": "backups", "region": "us-east-1", "volumes": True},
                }
            },
        },
    ),
    "meshed by istio": ("lab", _meshed("istio", "1.30.1", ("base", "cni", "istiod"))),
    "meshed by linkerd": (
        "lab",
        _meshed("linkerd", "2026.8.2", ("linkerd-crds", "linkerd2-cni", "linkerd-control-plane")),
    ),
    "fastly": (
        "dev",
        {
            "cdn": {
                **{"kind": "fastly", "zone": None, "records": []},
                **{"range_list": ["192.0.2.0/24"], "client_ip_header": "Fastly-Client-IP"},
            },
            "balancers": {"certificate": {"source": "self-signed", "names": ["*.example.org"]}},
        },
    ),
    "backed up": (
        "lab",
        {
            "cluster": {
                "backups": {
                    "recipient": made("backups", ends=LATER).pem,
                    "ssh": {
                        "url": "ssh://backup@198.18.0.200/srv/backups",
                        "host_keys": [HOST_KEY],
                    },
                }
            }
        },
    ),
    "both families": ("lab", _both_families()),
    "one address": ("lab", _one_address()),
    "maintained": ("lab", {"maintenance": {"machines": ["router-a", "lb-a", "worker-1"]}}),
    "distributions": (
        "prod",
        {
            "routers": {"image": _image("debian-13", "trixie")},
            "balancers": {"image": _image("noble", "noble")},
        },
    ),
    "remembering": ("prod", {"balancers": {"ingress": {"sticky": "source"}}}),
    "logged": (
        "lab",
        {"balancers": {"logging": {"servers": [{"address": "198.18.0.200", "port": 601}]}}},
    ),
    "bird": ("lab", _bgp("bird")),
    "bgp": ("lab", _bgp("frr")),
    "announced": ("lab", _announced("frr")),
    "announced by bird": ("lab", _announced("bird")),
    "mikrotik": ("lab", _mikrotik()),
    "vyos": ("lab", _vyos()),
    "vyos with bgp": ("lab", _vyos_bgp()),
    "further charts": (
        "dev",
        {
            "platform": {
                "charts": [
                    {
                        **{"name": "tools", "namespace": "tools", "after": ["traefik"]},
                        **{"chart": "tools", "version": "1.2.3"},
                        "repository": "https://charts.lab.test",
                        "secrets": [{"name": "tools-login", "keys": ["token"]}],
                    }
                ]
            }
        },
    ),
}
"""A shipped stack with something in it that none of them has: settings laid over its sections."""
SECRETS = {
    "proxmoxApiToken": "root@pam!builder=hush",
    "proxmoxSshKey": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "cloudflareApiToken": "hush",
    "bgpPasswords": "isp=hush\ninside=hush\nbalancers=hush",
    "backupSshKey": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "platformSecrets": "tools/tools-login/token=hush\nmonitoring/alerts-pager/url=hush\n"
    "loki/store/access-key-id=hush\nloki/store/secret-access-key=hush\n"
    "csi-proxmox/token/id=hush\ncsi-proxmox/token/secret=hush\n"
    "argocd/repository/username=hush\nargocd/repository/password=hush\n"
    "velero/store/access-key-id=hush\nvelero/store/secret-access-key=hush",
}


@dataclass(frozen=True)
class Made:
    """One resource object: its token and name, and the component whose constructor made it."""

    resource: pulumi.Resource
    type: str
    name: str
    within: tuple[str, str] | None
    """That component's own token and name; None when no component was being made."""


@dataclass
class Plan:
    """What one run made."""

    registered: Registered
    made: list[Made] = field(default_factory=list)
    sums: list[tuple[str, tuple[Part, ...]]] = field(default_factory=list)
    """The parts that were summed into one push, by the push's layer."""
    parts: list[tuple[str, Part]] = field(default_factory=list)
    """Every part, with the module that made it."""

    def registration(self, type_: str, name: str) -> Registration:
        return self.registered.one(type_, name)


def modules() -> list[ModuleType]:
    """Every module of components, imported; the agent's too, which run on the machines."""
    walked = pkgutil.walk_packages(components.__path__, "components.")
    return [
        importlib.import_module(each.name) for each in walked if not each.name.endswith("__main__")
    ]


@cache
def plan(name: str) -> Plan:
    """A preview of a shipped stack, or of a variant of one."""
    modules()
    found = Plan(registered=Registered())
    stack, changes = VARIANTS.get(name, (name, {}))
    with _recording(found):
        found.registered = registered(config_of(stack, changes))
    return found


def planned(name: str) -> Registered:
    """What a preview of a shipped stack, or of a variant of one, registers; its `value` is the
    stack's outputs."""
    return plan(name).registered


def config_of(stack: str, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A shipped stack's configuration, whole keys, with settings laid over its sections."""
    config = shipped(stack)
    for section, over in changes.items():
        whole = config.get(f"layered-cloud:{section}", {})
        assert isinstance(whole, dict)
        config[f"layered-cloud:{section}"] = merged(whole, over)
    return config


def with_workers(count: int) -> dict[str, Any]:
    """The production stack's configuration with that many workers (at most 1,000), on networks
    that have room for them."""
    networks = {
        "management": {"cidr": "10.30.0.0/20", "bridge": "vmbr0"},
        "lan": {"cidr": "10.30.48.0/20", "bridge": "vmbr1", "vlan": 10},
        "services": "10.30.96.0/20",
        "pods": "10.64.0.0/13",
    }
    text = (ROOT / "Pulumi.prod.yaml").read_text("utf-8").replace("10.30.10.", "10.30.48.")
    config: dict[str, Any] = read_config(text, "prod")
    config["layered-cloud:networks"] |= networks
    config["layered-cloud:cluster"]["workers"] = [
        {
            "name": f"worker-{number}", "host": f"pve{number % 3 + 1}", "vm_id": 4000 + number,
            "cores": 8, "memory": 32768, "disk": 128,
            "management": str(IPv4Address("10.30.4.0") + number),
            "lan": str(IPv4Address("10.30.52.0") + number),
        }
        for number in range(1, count + 1)
    ]  # fmt: skip
    return config


def registered(config: Mapping[str, Any]) -> Registered:
    """What a preview of a configuration registers; its `value` is the stack's outputs."""
    flat = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    hidden = {f"layered-cloud:{key}": value for key, value in SECRETS.items()}

    def program() -> Any:
        engine.set_all_config({**flat, **hidden}, list(hidden))
        # What hands the outputs over asks for a stack's resource, which the recording engine lacks.
        with mock.patch("pulumi.run"):
            return runpy.run_path(str(ROOT / "__main__.py"))["outputs"]

    return run_program(program, preview=True)


@contextlib.contextmanager
def _recording(found: Plan) -> Iterator[None]:
    """Write down resources and parts as they are made."""
    make_resource, make_part, summed = pulumi.Resource.__init__, Part.__init__, part.summed

    def resource(self: pulumi.Resource, t: str, name: str, *args: Any, **kwargs: Any) -> None:
        found.made.append(Made(self, t, name, _within(self, found, sys._getframe(1))))
        make_resource(self, t, name, *args, **kwargs)

    def one(self: Part, *args: Any, **kwargs: Any) -> None:
        make_part(self, *args, **kwargs)
        found.parts.append((sys._getframe(1).f_globals["__name__"], self))

    def sum_(name: str, parts: Iterable[Part]) -> Part:
        whole = tuple(parts)
        found.sums.append((name, whole))
        return summed(name, whole)

    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(pulumi.Resource, "__init__", resource))
        patches.enter_context(mock.patch.object(Part, "__init__", one))
        for module in list(sys.modules.values()):
            if vars(module).get("summed") is summed:
                patches.enter_context(mock.patch.object(module, "summed", sum_))
        yield


def _within(made: pulumi.Resource, found: Plan, frame: FrameType | None) -> tuple[str, str] | None:
    """The nearest component whose constructor is running, as its token and name."""
    while frame is not None:
        self = frame.f_locals.get("self") if frame.f_code.co_name == "__init__" else None
        if isinstance(self, pulumi.ComponentResource) and self is not made:
            return next((one.type, one.name) for one in found.made if one.resource is self)
        frame = frame.f_back
    return None
