"""How the models are cut: one place for addresses, values found by walking."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from settings import models
from settings.checks.claims import claims
from settings.files import load_stack, parse_stack
from settings.models import (
    AddressRange,
    AptRepository,
    Chart,
    Interfaces,
    MachineSpec,
    PhysicalSpec,
    Segment,
    Stack,
    Vrrp,
)
from settings.models.addresses import Address, address, edge_of, subnet, within
from settings.models.balancers import Reach
from settings.models.stack import ROLES
from settings.models.walk import walk
from tests.settings.fixtures import base_config, patched, read_patch

SETTINGS = Path(models.__file__).parent.parent

UNCLAIMED = {
    "balancers.logging.servers.address": "somebody else's, whom the access log is sent to",
    "networks.resolvers": "others' servers",
    "routers.neighbours.wan": "asked there, whoever they are",
    "routers.neighbours.lan": "asked there, whoever they are",
    "routers.bgp.upstream.address": "the provider's",
    "routers.forwards.to": "held by whom it is forwarded to",
    "routers.forwards.vip": "the routers' VIP",
    "balancers.neighbours.lan": "asked there, whoever they are",
    "balancers.neighbours.management": "asked there, whoever they are",
    "platform.metallb.pool.first": "a range of its own",
    "platform.metallb.pool.last": "a range of its own",
    "platform.ingress.load_balancer_ip": "of the pool",
    "platform.logging.collector.address": "of the pool",
}
"""Addresses that nobody of the stack holds."""


def fields(model: type[BaseModel], path: str = "") -> dict[str, object]:
    """Every field of the model and of the models inside, by path without indexes."""
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        found[here] = field.annotation
        for inner in models_in(field.annotation):
            found |= fields(inner, here)
    return found


def models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [each for inner in get_args(annotation) for each in models_in(inner)]


def has(annotation: object, kind: object) -> bool:
    return annotation is kind or any(has(inner, kind) for inner in get_args(annotation))


def test_one_module_says_which_family_addresses_are_of() -> None:
    wrong = []
    for path in sorted(SETTINGS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if "ipaddress" in (module, *names):
                wrong.append(str(path.relative_to(SETTINGS)))
    assert wrong == ["models/addresses.py"]


def test_every_address_of_a_stack_has_a_holder_or_a_reason() -> None:
    both = (
        Path(__file__).parents[1] / "fixtures" / "accept" / "visitors-by-ipv6-of-a-listed-cdn.yaml"
    )
    virtual = parse_stack(patched(read_patch(both)))
    first, second = virtual.routers.machines
    legs = {leg: getattr(second, leg) for leg in ("name", "management", "lan", "wan", "sync")}
    ports = Interfaces(management="ether1", lan="ether2", wan="ether3", sync="ether4")
    routers = virtual.routers.model_copy(
        # One of each, which no kind of router has: every list of machines is looked at.
        update={"machines": [first], "physical": [PhysicalSpec(**legs, interfaces=ports)]}
    )
    balancers = virtual.balancers.model_copy(
        # Which no stack has beside visitors by IPv6.
        update={"reach": Reach(kind="bgp", vips=[address("198.18.30.1")])}
    )
    stack = virtual.model_copy(update={"routers": routers, "balancers": balancers})
    # Of either family: an address of another one would pass unlooked at.
    families = (get_args(Address)[0], IPv6Address)
    written = {
        path for path, kind in fields(Stack).items() if any(has(kind, each) for each in families)
    }
    claimed = {"".join(each for each in claim.path) for claim in claims(stack)}
    plain = {".".join(step.partition("[")[0] for step in path.split(".")) for path in claimed}
    ours = (
        written
        - UNCLAIMED.keys()
        - {
            f"{path.partition('[')[0]}.{leg}"
            for path in ROLES
            for leg in MachineSpec.model_fields
            if leg.removesuffix("6") in ("wan", "sync") and not path.startswith("routers")
        }
        - {f"{path}.lan6" for path in ROLES if path.startswith("cluster")}
    )
    assert plain == ours


def test_every_list_of_machines_has_a_role() -> None:
    specs = (MachineSpec, PhysicalSpec)
    lists = {path for path, kind in fields(Stack).items() if any(has(kind, each) for each in specs)}
    assert lists == set(ROLES)


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (Chart, ["platform.cilium", "platform.metallb.chart", "platform.ingress.chart"]),
        (AptRepository, ["software.repositories[0]", "software.kubernetes_repository"]),
        (Vrrp, ["routers.vrrp", "balancers.vrrp"]),
        (Segment, [f"networks.{name}" for name in ("management", "lan", "wan", "sync")]),
    ],
)
def test_values_of_a_kind_are_found_wherever_they_stand(
    kind: type[BaseModel], paths: list[str]
) -> None:
    assert [path for path, _ in walk(parse_stack(base_config()), kind)] == paths


@pytest.mark.parametrize("name", ["dev", "prod", "lab"])
def test_walking_finds_what_looking_into_every_field_finds(name: str) -> None:
    stack = load_stack(SETTINGS.parent / f"Pulumi.{name}.yaml")
    kinds = {each for kind in fields(Stack).values() for each in models_in(kind)}
    for kind in (*kinds, str, bool, IPv4Address, IPv4Network):
        assert list(walk(stack, kind)) == list(anywhere(stack, kind)), kind


def anywhere(value: object, kind: type, path: str = "") -> Iterator[tuple[str, object]]:
    """What `walk` says it returns, with nothing passed over."""
    if isinstance(value, kind):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, each in vars(value).items():
            yield from anywhere(each, kind, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from anywhere(each, kind, f"{path}[{index}]")


def test_walking_passes_over_what_a_stack_under_repair_lacks() -> None:
    platform = parse_stack(base_config()).platform
    broken = Stack.model_construct(platform=platform)
    assert len(list(walk(broken, Chart))) == 3
    assert list(broken.machines()) == []


def test_addresses_of_two_families_are_told_apart_and_never_compared() -> None:
    """What a second family will need: Python refuses to compare an address of each."""
    mine = AddressRange.model_validate({"first": "198.18.10.5", "last": "198.18.10.9"})
    touching = AddressRange.model_validate({"first": "198.18.10.9", "last": "198.18.10.20"})
    apart = AddressRange.model_validate({"first": "198.18.10.10", "last": "198.18.10.20"})
    other: Any = ip_address("2001:db8::1")

    assert mine.holds(address("198.18.10.5"))
    assert mine.holds(address("198.18.10.9"))
    assert not mine.holds(address("198.18.10.10"))
    assert not mine.holds(other)
    assert mine.overlaps(touching)
    assert touching.overlaps(mine)
    assert not mine.overlaps(apart)
    assert within(subnet("198.18.10.0/25"), subnet("198.18.10.0/24"))
    assert not within(subnet("198.18.10.0/24"), subnet("198.18.10.0/25"))
    elsewhere: Any = ip_network("2001:db8::/32")
    assert not within(elsewhere, subnet("198.18.0.0/15"))
    pair: Any = ip_network("2001:db8::/127")
    assert edge_of(other, pair) is None
