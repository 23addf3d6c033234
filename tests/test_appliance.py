"""The whole program with routers that are appliances: a kind made here, without Python on it."""

from __future__ import annotations

from typing import get_args

import pulumi
import pytest

from components.host import HostScriptArgs, LayerError, Machine, Start
from components.host.pairs import in_turn
from components.routers import kinds
from components.routers.args import RoutersArgs, model
from components.routers.contract import Contract, Kind, contract
from components.routers.verify import verify
from lab.engine.cli import find_cli
from settings.checks import routers_kind
from settings.checks.routers_kind import Asks
from settings.models import Routers
from tests import whole
from tests.components.mocks import Registered
from tests.offline import engine_of


def test_the_whole_program_is_tried_with_every_kind() -> None:
    words = set(get_args(Routers.model_fields["kind"].annotation))
    tried = {over.get("routers", {}).get("kind", "linux") for _, over in whole.VARIANTS.values()}
    assert tried == words, "add a variant of a shipped stack to VARIANTS in tests/whole.py"


SCRIPT = "/system identity set name={name}\n"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
IMAGE = {
    "url": "https://images.lab.test/box-7.qcow2",
    "file_name": "box-7.qcow2",
    "sha256": "ab" * 32,
}


def _boxes(args: RoutersArgs, opts: pulumi.ResourceOptions) -> Contract:
    """Appliances whose shell takes a script."""
    if problems := verify(args.machines):
        raise LayerError("routers", problems)
    machines: dict[str, Machine] = {each.name: each for each in args.machines}
    routers = model(args)

    def pushed(name: str) -> HostScriptArgs:
        return HostScriptArgs(
            machine=machines[name], reader="console", text=SCRIPT.format(name=name)
        )

    names = [router.name for router in routers.rollout()]
    return contract(routers, in_turn(names, "routers", pushed, opts))


BOX = Kind(make=_boxes, start=Start(user="admin", cloud_init=False, python=False), baseline=False)


def with_boxes(monkeypatch: pytest.MonkeyPatch) -> Registered:
    """The whole program with appliances for routers, in place of the word `linux`."""
    monkeypatch.setattr(kinds, "KINDS", {"linux": BOX})
    monkeypatch.setattr("components.routers.component.KINDS", {"linux": BOX})
    monkeypatch.setattr(routers_kind, "KINDS", {"linux": Asks(image=True, host_keys=True)})
    keys = dict.fromkeys(("router-a", "router-b"), HOST_KEY)
    return whole.registered(
        whole.config_of("lab", {"routers": {"image": IMAGE, "host_keys": keys}})
    )


def test_an_appliance_is_a_row_its_image_way_in_and_scripts_included(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = with_boxes(monkeypatch)
    commands = seen.names("command:remote:Command")

    assert [name for name in commands if name.startswith("router-")] == [
        "router-b-routers",
        "router-a-routers",
    ]
    script = seen.one("command:remote:Command", "router-a-routers")
    assert (script.inputs["create"], script.inputs["update"]) == ("console", "console")
    assert script.inputs["stdin"] == "/system identity set name=router-a\n"
    router = seen.value["inventory"]["machines"]["router-a"]
    assert (router["user"], router["host_key"]) == ("admin", HOST_KEY)
    assert seen.one("command:remote:Command", "router-b-routers").urn in script.dependencies
    assert script.urn in seen.one("command:remote:Command", "lb-a-baseline").dependencies


def test_an_appliances_machine_starts_from_its_own_image_without_user_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = with_boxes(monkeypatch)
    vm = seen.one("proxmoxve:index/vmLegacy:VmLegacy", "router-a")
    images = seen.names("proxmoxve:download/file:File")

    assert "box-7.qcow2" in str(vm.inputs["disks"][0])
    assert "userDataFileId" not in vm.inputs["initialization"]
    assert sorted(images) == ["pve1-image", "pve1-router-image", "pve2-image", "pve2-router-image"]
    assert "router-a-user-data" not in seen.names("proxmoxve:index/fileLegacy:FileLegacy")
    assert "router-a-host-key" not in seen.names("tls:index/privateKey:PrivateKey")
    others = seen.one("proxmoxve:index/vmLegacy:VmLegacy", "lb-a")
    assert "userDataFileId" in others.inputs["initialization"]
    assert "box-7" not in str(others.inputs["disks"][0])


def test_physical_routers_are_nobodys_virtual_machines() -> None:
    seen = whole.planned("mikrotik")

    machines = {each.inputs["name"] for each in seen.of_type("proxmoxve:index/vmLegacy:VmLegacy")}
    assert "lb-a" in machines
    assert not {"router-a", "router-b"} & machines
    names = {each.name for each in seen.resources}
    assert not {"router-a-baseline", "router-a-host-key", "router-a-user-data"} & names
    owner, other = (
        seen.one("command:local:Command", f"{name}-routers") for name in ("router-a", "router-b")
    )
    gate = seen.one("command:local:Command", "machines-deploy-key-gate")
    assert {other.urn, gate.urn} <= owner.dependencies
    assert owner.urn not in other.dependencies
    assert owner.urn in seen.one("command:remote:Command", "lb-a-baseline").dependencies
    assert owner.secret_inputs == {"stdin"}
    router = seen.value["inventory"]["machines"]["router-a"]
    assert (router["user"], router["host"], router["interfaces"]["wan"]) == (
        *("layered", None, "ether3"),
    )


def test_vyos_routers_are_virtual_machines_that_are_pushed_a_text() -> None:
    seen = whole.planned("vyos")

    vm = seen.one("proxmoxve:index/vmLegacy:VmLegacy", "router-a")
    assert "vyos-1.4.0.qcow2" in str(vm.inputs["disks"][0])
    assert "userDataFileId" in vm.inputs["initialization"]
    assert "router-a-baseline" not in {each.name for each in seen.resources}
    owner, peer = (
        seen.one("command:local:Command", f"{name}-routers") for name in ("router-a", "router-b")
    )
    assert peer.urn in owner.dependencies
    assert owner.deleted_with == vm.urn
    assert owner.secret_inputs == {"stdin"}
    assert owner.inputs["environment"]["READER"] == "sg vyattacfg -c 'vbash -s'"
    assert seen.value["inventory"]["machines"]["router-a"]["user"] == "layered"


def test_the_real_engine_previews_the_whole_program_with_physical_routers() -> None:
    if find_cli() is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    stack, changes = whole.VARIANTS["mikrotik"]
    with engine_of(stack, whole.config_of(stack, changes)) as engine:
        steps = {each["urn"].split("::")[-1]: each for each in engine.preview_steps()["steps"]}
    assert {"router-a-routers", "router-b-routers", "lb-a"} <= set(steps)
    assert not {"router-a", "router-b", "router-a-baseline"} & set(steps), "nobody makes them"
    text = steps["router-a-routers"]["newState"]["inputs"]["environment"]["TEXT"]
    assert 'group-authority="layered-edge-lan"' in text, "a preview shows the script"
    stdin = steps["router-a-routers"]["newState"]["inputs"]["stdin"]
    assert whole.SECRETS["proxmoxSshKey"] not in str(stdin)
    assert "PRIVATE KEY" not in str(stdin), "and not the key"
