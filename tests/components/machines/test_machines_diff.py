"""What the provider's built plugin makes of a changed machine: an update, or another machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from lab.plugins.wire import decode, encode
from settings.models import Stack
from tests.components import stacks
from tests.components.machines.test_machines_component import run, vm
from tests.components.mocks import Registration
from tests.lab.plugins import real


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with real.served(real.built("proxmoxve"), tmp_path_factory.mktemp("home")) as stub:
        yield stub


def changed(name: str, **values: Any) -> Stack:
    """The lab's stack, with other values of one machine."""
    stack = stacks.lab()

    def lists(section: Any, key: str) -> Any:
        machines = [
            each.model_copy(update=values) if each.name == name else each
            for each in getattr(section, key)
        ]
        return section.model_copy(update={key: machines})

    cluster = lists(lists(stack.cluster, "workers"), "control_planes")
    return stack.model_copy(
        update={
            "routers": lists(stack.routers, "machines"),
            "balancers": lists(stack.balancers, "machines"),
            "cluster": cluster,
        }
    )


def checked(plugin: Any, machine: Registration, **other: Any) -> Any:
    """Its inputs, and `other` ones, as the plugin completes them."""
    answer = plugin.Check(
        provider_pb2.CheckRequest(
            urn=machine.urn,
            name=machine.name,
            type=machine.type,
            news=encode({**machine.inputs, **other}),
        ),
        timeout=120,
    )
    assert not answer.failures
    return answer.inputs


def judged(plugin: Any, before: Registration, after: Registration, **other: Any) -> Any:
    """Of a machine that was made with `before` and `other`, and is asked to become `after`."""
    old, number = checked(plugin, before, **other), str(before.inputs["vmId"])
    return plugin.Diff(
        provider_pb2.DiffRequest(
            id=number,
            urn=after.urn,
            name=after.name,
            type=after.type,
            olds=encode({**decode(old), "id": number}),
            old_inputs=old,
            news=checked(plugin, after),
        ),
        timeout=120,
    )


def kinds(answer: Any) -> dict[str, Any]:
    """What differs, but for what the plugin alone knows and this state has not."""
    told = {path: each.kind for path, each in answer.detailedDiff.items()}
    return {path: kind for path, kind in told.items() if kind != provider_pb2.PropertyDiff.ADD}


@pytest.mark.parametrize(
    ("name", "values", "paths"),
    [
        ("lb-a", {"host": "pve3"}, {"nodeName"}),
        ("cp-1", {"host": "pve3"}, {"nodeName"}),
        ("worker-1", {"cores": 7}, {"cpu.cores"}),
        ("router-a", {"memory": 7168}, {"memory.dedicated"}),
        ("cp-1", {"disk": 99}, {"disks[0].size"}),
    ],
)
def test_a_machine_that_is_changed_so_stays(
    plugin: Any, name: str, values: dict[str, Any], paths: set[str]
) -> None:
    answer = judged(plugin, vm(run(), name), vm(run(changed(name, **values)), name))

    assert kinds(answer) == dict.fromkeys(paths, provider_pb2.PropertyDiff.UPDATE)
    assert list(answer.replaces) == []


def test_of_a_state_from_before_that_alone_is_new(plugin: Any) -> None:
    now = vm(run(), "lb-a")
    answer = judged(plugin, now, now, migrate=False)

    assert kinds(answer) == {"migrate": provider_pb2.PropertyDiff.UPDATE}
    assert list(answer.replaces) == []


def test_without_being_told_to_migrate_it_another_host_would_be_another_machine(
    plugin: Any,
) -> None:
    before, after = vm(run(), "lb-a"), vm(run(changed("lb-a", host="pve3")), "lb-a")
    stays = replace(after, inputs={**after.inputs, "migrate": False})

    assert list(judged(plugin, before, stays).replaces)
