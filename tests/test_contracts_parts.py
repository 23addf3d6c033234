"""Every part keeps its contract: they are found where the program sums parts into pushes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from components.host.part import (
    Check,
    Exporter,
    Health,
    OpenPort,
    Package,
    Part,
    Service,
    Text,
)
from settings.checks import balancers, distributions
from settings.files import examine
from settings.models import DISTRIBUTIONS, Stack
from settings.models.stack import SECTIONS
from tests import part_contract, part_places, whole
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


def test_every_part_stands_wherever_it_must() -> None:
    """One list of what a new daemon lacks, each with the table and its file."""
    found = part_places.absences(each for stack in STACKS for each in whole.plan(stack).sums)
    told = [f"docs/lab-software.md: {name}" for name in sorted(part_places.untold())]
    assert [*sorted(found), *told] == []


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


def test_every_exporter_is_among_the_outputs_of_its_stack() -> None:
    for stack in STACKS:
        plan = whole.plan(stack)
        ports = [each.port for _, parts in plan.sums for part in parts for each in part.exporters]
        told = [url for urls in plan.registered.value["exporters"].values() for url in urls]
        assert sorted(int(url.split(":")[2].split("/")[0]) for url in told) == sorted(ports), stack


def test_a_stack_that_wants_figures_has_them_of_every_machine() -> None:
    told = whole.plan("watched").registered.value["exporters"]
    assert {name: len(urls) for name, urls in told.items()} == {
        **{"router-a": 1, "router-b": 1, "lb-a": 2, "lb-b": 2},
        **{"cp-1": 1, "worker-1": 1, "worker-2": 1},
    }


def test_no_reason_is_given_for_what_is_gone() -> None:
    assert set(part_places.OFF_NODES) <= {part.name for part in parts()}
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
    enabled = {each.name for part in parts() for each in part.services if each.enable}
    assert set(part_contract.UNASKED) - enabled == set()


CONFIG = "/etc/it.conf"
CHECK = Check(name="it", argv=("itd", "-t"), watches=(CONFIG,))
FILE = Text(path=CONFIG, content="listen 9\n")
PORT = OpenPort(protocol="tcp", number=9, network="lan", sources="lan", purpose="serving")
HEALTH = Health(argv=("itd", "ping"))
SERVICE = Service(name="itd", watches=(CONFIG,), health=HEALTH)
AGAIN = Text(
    path="/etc/systemd/system/itd.service.d/again.conf",
    content="[Service]\nRestart=on-failure\n",
)
SOUND = Part(
    name="it",
    packages=(Package(name="itd"),),
    files=(FILE, AGAIN),
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
            "it: /etc/it.conf has no check: add the daemon's own, or say in UNJUDGED "
            "(tests/part_contract.py) why none",
        ),
        (
            replace(SOUND, services=(replace(SERVICE, watches=(CONFIG, "/etc/other")),)),
            "it: itd watches /etc/other, where the part has no file",
        ),
        (
            replace(SOUND, packages=()),
            "it: nothing brings itd: name the package, or say in OF_THE_IMAGE "
            "(tests/part_contract.py) why none is needed",
        ),
        (
            replace(SOUND, services=(replace(SERVICE, health=None),)),
            "it: nobody would notice that itd ends as it starts: give it a Health, or say in "
            "UNASKED (tests/part_contract.py) why none",
        ),
        (
            replace(SOUND, files=(FILE,)),
            "it: it listens on lan, whose address may come up after it: add a drop-in that tries "
            "again, as components/host/baseline/templates/sshd-unit.conf.j2, or FreeBind=yes for "
            "a socket",
        ),
        (
            replace(SOUND, files=(Text(path=CONFIG, content="listen 99\n"), AGAIN)),
            "it: port tcp 9 stands in no text of it: render it, or say in BY_DEFAULT "
            "(tests/part_contract.py) why not",
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
    own = replace(
        SOUND, packages=(), files=(FILE, AGAIN, unit), checks=(replace(CHECK, watches=()),)
    )
    assert faults([own]) == []


def test_the_settings_keep_free_nothing_that_no_part_listens_on() -> None:
    listened = {
        port.number
        for stack in STACKS
        for layer, parts in whole.plan(stack).sums
        if part_places.on_balancers(layer)
        for part in parts
        for port in part.ports
    }
    assert set(balancers.TAKEN) - listened == set(), "TAKEN in settings/checks/balancers.py"


ROLES_OF: Mapping[str, Sequence[str]] = {
    "routers": ["router"],
    "loadbalancers": ["balancer"],
    "cluster": ["control_plane", "worker"],
}
"""Whose machines a push reaches, by the first word of its name; the baseline's reach all."""


def test_the_settings_know_who_installs_what_a_release_has_elsewhere() -> None:
    elsewhere = {what for row in DISTRIBUTIONS.values() for what in row.elsewhere}
    assert set(distributions.BROUGHT) == elsewhere, "BROUGHT in settings/checks/distributions.py"
    for name in STACKS:
        stack = examine(whole.config_of(*whole.VARIANTS.get(name, (name, {})))).stack
        assert isinstance(stack, Stack), name
        brought = set[tuple[str, str]]()
        for layer, made in whole.plan(name).sums:
            roles = ROLES_OF.get(layer.partition(".")[0], list(SECTIONS))
            whats = {each.brings for part in made for each in part.packages} & elsewhere
            brought |= {(what, role) for what in whats if what for role in roles}
        said = {(what, role) for role in SECTIONS for what in distributions.installed(stack, role)}
        assert said == brought, f"{name}: BROUGHT in settings/checks/distributions.py"


NEW = Part(
    name="it",
    packages=(Package(name="itd"),),
    files=(FILE,),
    checks=(CHECK,),
    ports=(replace(PORT, number=49_999, network="management"),),
)


def test_a_new_daemon_is_told_every_place_that_lacks_it() -> None:
    assert part_places.absences([("baseline", (NEW,))]) == {
        "it listens on 49999 of the balancers, which a stack may choose: add it to TAKEN in "
        "settings/checks/balancers.py",
        "it writes /etc/it.conf on nodes, which a stack may name in cluster.node_files: add it to "
        "OWNED in settings/checks/cluster_nodes.py",
        "it installs itd on nodes, which a stack may name in cluster.extra_packages: add it to "
        "INSTALLED in settings/checks/cluster_nodes.py",
        "it is reached at 49999 by whoever runs the machines, and the rules let a stack open it to "
        "the world: add it to MANAGEMENT in policy/closed.py",
        "it listens on 49999, which no probe asks for from outside: add it to SCANNED in "
        "lab/probes/edge.py",
        "it installs itd, which the lab does not serve: add it to DEBIAN_PACKAGES in "
        "lab/software/apt.py",
        "it has a checker, and tests have no itd to run it: add it to PACKAGES in "
        "lab/software/checkers.py",
        "it: /etc/it.conf lies whole nowhere under tests/golden: UPDATE_GOLDEN=1 "
        "$(make -s python) -m pytest tests/components/host/baseline",
    }
