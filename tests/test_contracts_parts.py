"""Every part keeps its contract: they are found where the program sums parts into pushes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.host.part import Check, Exporter, OpenPort, Package, Part, Service, Text
from settings.checks import balancers
from settings.models import Balancers
from tests import part_contract, whole
from tests.import_contracts import called, tree
from tests.part_contract import covers, faults

MAKER = "components.host.part.Part"
SUM = "components.host.part"
"""Where the sum of parts is made, itself a part."""


STACKS = (*whole.STACKS, *whole.VARIANTS)


def sums() -> Iterator[tuple[str, tuple[Part, ...]]]:
    for stack in STACKS:
        for layer, parts in whole.plan(stack).sums:
            yield f"{stack}: {layer}", parts


def parts() -> list[Part]:
    return [part for _, each in sums() for part in each]


def test_every_part_keeps_its_contract() -> None:
    assert parts()
    assert {f"{where}: {fault}" for where, each in sums() for fault in faults(each)} == set()


def test_every_module_that_makes_parts_is_seen_here() -> None:
    """A part that no shipped stack makes is judged by nobody: make one that does."""
    making = {
        module.__name__
        for module in whole.modules()
        if MAKER in called(tree(module.__name__)) and module.__name__ != SUM
    }
    seen = {module for stack in STACKS for module, _ in whole.plan(stack).parts}
    assert making - seen == set()


def test_every_part_that_is_made_is_pushed() -> None:
    for stack in STACKS:
        plan = whole.plan(stack)
        pushed = [part for _, each in plan.sums for part in each]
        forgotten = {
            f"{part.name} of {module}"
            for module, part in plan.parts
            if module != SUM and part not in pushed
        }
        assert forgotten == set()


def test_no_reason_is_given_for_what_is_gone() -> None:
    paths = {file.path for part in parts() for file in part.files}
    ports = {(part.name, port.number) for part in parts() for port in part.ports}
    watched = {
        path
        for part in parts()
        for watcher in (*part.checks, *part.steps, *part.services)
        for path in watcher.watches
    }
    named = set(part_contract.UNJUDGED)
    assert {each for each in named if not any(covers(each, path) for path in paths)} == set()
    assert set(part_contract.OTHERS) - watched == set()
    assert set(part_contract.OF_THE_IMAGE) - {part.name for part in parts()} == set()
    assert set(part_contract.BY_DEFAULT) - ports == set()


CONFIG = "/etc/it.conf"
CHECK = Check(name="it", argv=("itd", "-t"), watches=(CONFIG,))
FILE = Text(path=CONFIG, content="listen 9\n")
PORT = OpenPort(protocol="tcp", number=9, network="lan", sources="lan", purpose="serving")
SERVICE = Service(name="itd", watches=(CONFIG,))
SOUND = Part(
    name="it",
    packages=(Package(name="itd"),),
    files=(FILE,),
    checks=(CHECK,),
    services=(SERVICE,),
    ports=(PORT,),
    exporters=(Exporter(name="it", network="lan", port=9),),
)


def test_a_sound_part_has_no_fault() -> None:
    assert faults([SOUND]) == []


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            replace(SOUND, checks=()),
            "it: /etc/it.conf has no check: add the daemon's own, or say in UNJUDGED why none",
        ),
        (
            replace(SOUND, services=(Service(name="itd", watches=(CONFIG, "/etc/other")),)),
            "it: itd watches /etc/other, where the part has no file",
        ),
        (
            replace(SOUND, packages=()),
            "it: nothing brings itd: name the package, or say in OF_THE_IMAGE why none is needed",
        ),
        (
            replace(SOUND, files=(Text(path=CONFIG, content="listen 99\n"),)),
            "it: port tcp 9 stands in no text of it: render it, or say in BY_DEFAULT why not",
        ),
        (
            replace(SOUND, ports=(PORT, replace(PORT, protocol="listen"))),
            "it: port listen 9: tcp and udp have a number, other protocols none",
        ),
        (
            replace(SOUND, ports=(PORT, replace(PORT, network="dmz"))),
            "it: port tcp 9 is on dmz for lan: see OpenPort for the words",
        ),
        (
            replace(SOUND, ports=(replace(PORT, purpose=""),)),
            "it: port tcp 9 is open for no purpose: name it",
        ),
        (
            replace(SOUND, exporters=(Exporter(name="it", network="wan", port=9),)),
            "it: exporter it is read on 9, which is not among ports",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_fault_of_a_part_is_told(part: Part, told: str) -> None:
    assert faults([part]) == [told]


def test_two_of_one_name_are_told() -> None:
    other = Part(name="other", files=(FILE,), checks=(CHECK,))
    assert faults([SOUND, other]) == [
        "file /etc/it.conf is there 2 times: give each a name of its own",
        "check it is there 2 times: give each a name of its own",
    ]


def test_a_unit_of_its_own_needs_no_package() -> None:
    unit = Text(path="/etc/systemd/system/itd", content="[Service]\n")
    own = replace(SOUND, packages=(), files=(FILE, unit), checks=(replace(CHECK, watches=()),))
    assert faults([own]) == []


def test_the_settings_keep_free_what_the_parts_of_a_balancer_listen_on() -> None:
    """A port that a stack chooses is compared with those that every other daemon there has."""
    chosen = {Balancers.model_fields[key].default for key in ("api_port", "stats_port")}
    listened = {
        port.number
        for stack in STACKS
        for layer, parts in whole.plan(stack).sums
        if layer == "baseline" or layer.startswith("loadbalancers.")
        for part in parts
        for port in part.ports
        if port.protocol == "tcp"
    }
    assert listened - chosen == set(balancers.TAKEN)
