"""A plan on one screen: what a person looks at first. The whole of it is the engine's own text.

Machines come from the program's output `inventory` and the virtual machines planned for them, DNS
records from their resources, all else from the outputs that a stack always has (README).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.plugins.wire import UNKNOWN_TEXTS

MOST = 4
"""Machines of one role that are listed one by one; of more, the first ones and the last."""
MOST_CHANGES = 20
_VM = "proxmoxve:index/vmLegacy:VmLegacy"
_RECORD = "cloudflare:index/dnsRecord:DnsRecord"
_STACK = "pulumi:pulumi:Stack"
_ROLES = ("router", "balancer", "control_plane", "worker")
"""In the order of the chain; any other comes after."""
_QUIET = frozenset({"same", "read"})
_LATER = "(known after the update)"


@dataclass(frozen=True)
class Planned:
    """What a plan does to one resource: the engine's word for it, and the inputs it then has."""

    op: str
    type: str
    name: str
    inputs: Mapping[str, Any]


@dataclass
class Plan:
    """The events of a preview, gathered: resources by URN, and the stack's outputs."""

    resources: dict[str, Planned] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)

    def see(self, event: Any) -> None:
        """Take one engine event (called from another thread)."""
        before = event.resource_pre_event and event.resource_pre_event.metadata
        if before:
            state = before.new or before.old
            inputs = (state and state.inputs) or {}
            name = before.urn.rsplit("::", 1)[-1]
            op = str(getattr(before.op, "value", before.op))
            # Pushes hold whole files, and nobody asks for them here.
            kept = dict(inputs) if before.type in {_VM, _RECORD} else {}
            self.resources[before.urn] = Planned(op, before.type, name, kept)
        after = event.res_outputs_event and event.res_outputs_event.metadata
        if after and after.type == _STACK and after.new:
            self.outputs = dict(after.new.outputs or {})

    def of(self, type_: str) -> list[Planned]:
        """The resources of one type, in their order of declaration."""
        return [each for each in self.resources.values() if each.type == type_]


def summary(plan: Plan, stack: str) -> str:
    """The plan as text of some forty lines, whatever the number of machines."""
    operations = Counter(
        each.op for each in plan.resources.values() if each.type != _STACK or each.op != "same"
    )
    counted = ", ".join(f"{count} {op}" for op, count in sorted(operations.items()))
    sections = [
        ("machines", _machines(plan)),
        ("addresses", _addresses(plan.outputs)),
        ("ports", _ports(plan.outputs)),
        ("routes", _routes(plan.outputs)),
        ("records", _records(plan)),
        ("resources", _resources(plan)),
        ("changes", _changes(plan)),
    ]
    lines = [f"Plan of {stack}: {counted or 'nothing there'}"]
    for title, body in sections:
        if body:
            lines += ["", title, *(f"  {line}" for line in body)]
    return "\n".join(lines)


def _machines(plan: Plan) -> list[str]:
    rows = (plan.outputs.get("inventory") or {}).get("machines") or {}
    vms = {each.name: each for each in plan.of(_VM)}
    roles: dict[str, list[str]] = {}
    for name in sorted(rows, key=_counted):
        roles.setdefault(rows[name]["role"], []).append(name)
    lines = []
    for role in sorted(roles, key=_order):
        names = roles[role]
        shown = names if len(names) <= MOST else [*names[: MOST - 2], "", names[-1]]
        left = len(names) - len(shown) + 1
        for name in shown:
            if name:
                vm = vms.get(name)
                lines.append(_machine(name, role, rows[name], vm.inputs if vm else {}))
            else:
                lines.append([f"… {left} more"])
    return _columns(lines)


def _order(role: str) -> tuple[int, str]:
    return (_ROLES.index(role) if role in _ROLES else len(_ROLES), role)


def _counted(name: str) -> list[tuple[str, int]]:
    """A key that puts worker-2 before worker-10; the engine sorts names as text."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]


def _machine(name: str, role: str, row: Mapping[str, Any], vm: Mapping[str, Any]) -> list[str]:
    size = ""
    if vm:
        cores = _at(vm, "cpu", "cores")
        memory, disk = _at(vm, "memory", "dedicated"), _at(vm, "disks", 0, "size")
        size = f"{_plain(cores)} cores, {_plain(memory)} MiB, {_plain(disk)} GB"
    where = f"{row['host']}:{_plain(vm['vmId'])}" if "vmId" in vm else row["host"] or "physical"
    legs = [f"{network} {address}" for network, address in sorted(row["addresses"].items())]
    return [name, role.replace("_", " "), where, size, ", ".join(legs)]


def _addresses(outputs: Mapping[str, Any]) -> list[str]:
    rows = [
        [f"VIPs, {name.replace('_', ' ')}", _plain(each)]
        for name, each in _items(outputs.get("vips"))
        if each
    ]
    if outputs.get("load_balancer_ip"):
        rows.append(["load balancer", _plain(outputs["load_balancer_ip"])])
    rows += [
        [f"API server, {name}", _plain(each)] for name, each in _items(outputs.get("api_endpoints"))
    ]
    for layer, groups in _items(outputs.get("owners")):
        owned = ", ".join(f"{group} by {_plain(owner)}" for group, owner in _items(groups))
        if owned:
            rows.append([f"held first, {layer}", owned])
    return _columns(rows)


def _ports(outputs: Mapping[str, Any]) -> list[str]:
    rows = []
    if outputs.get("forwarded_ports"):
        rows.append(["from outside", _plain(outputs["forwarded_ports"])])
    nodes = [f"{name} {_plain(each)}" for name, each in _items(outputs.get("node_ports"))]
    if nodes:
        rows.append(["on the nodes", ", ".join(nodes)])
    return _columns(rows)


def _routes(outputs: Mapping[str, Any]) -> list[str]:
    """The way of a request, hop by hop."""
    vips, nodes = outputs.get("vips"), outputs.get("node_ports")
    if not isinstance(vips, Mapping) or not isinstance(nodes, Mapping):
        return []
    ports = outputs.get("forwarded_ports") or []
    hops = [
        f"{_plain(vips.get('public') or [])} port {_plain(ports)}",
        f"{_plain(vips.get('lan') or [])} (balancers)",
        f"port {_plain(nodes.get('http'))} or {_plain(nodes.get('https'))} (nodes)",
        "ingress",
    ]
    lines = [" -> ".join(hops)]
    if outputs.get("urls"):
        lines.append(f"answers at {_plain(outputs['urls'])}")
    return lines


def _records(plan: Plan) -> list[str]:
    return _columns(
        [
            [
                _plain(each.inputs.get("name")),
                _plain(each.inputs.get("type")),
                _plain(each.inputs.get("content")),
                "through the CDN" if each.inputs.get("proxied") else "",
            ]
            for each in plan.of(_RECORD)
        ]
    )


def _resources(plan: Plan) -> list[str]:
    """How many each provider has, and the components beside them."""
    counted = Counter(each.type.split(":")[0] for each in plan.resources.values())
    ours = counted.pop("layered-cloud", 0)
    named = [f"{count} {package}" for package, count in counted.most_common()]
    return _wrapped([*named, *([f"{ours} components"] if ours else [])])


def _changes(plan: Plan) -> list[str]:
    """What a plan over a state that is not empty does, resource by resource."""
    ops = {each.op for each in plan.resources.values()}
    if not ops - {"create", *_QUIET} and "same" not in ops:
        return []
    found = [each for each in plan.resources.values() if each.op not in _QUIET]
    lines = _columns([[each.op, each.name, each.type] for each in found[:MOST_CHANGES]])
    left = len(found) - MOST_CHANGES
    return [*lines, f"… {left} more"] if left > 0 else lines


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, Mapping) else ()


def _at(value: Any, *path: str | int) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is None:
        return "-"
    return _LATER if value in UNKNOWN_TEXTS else str(value)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns stand under one another; a row of one word has none."""
    widths: list[int] = []
    for row in rows:
        for at, word in enumerate(row[:-1]):
            widths[at:] = [max([len(word), *widths[at : at + 1]]), *widths[at + 1 :]]
    return [
        "  ".join([*(word.ljust(widths[at]) for at, word in enumerate(row[:-1])), row[-1]]).rstrip()
        for row in rows
    ]


def _wrapped(words: Sequence[str], width: int = 96) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 2 <= width:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines
