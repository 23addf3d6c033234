"""What the machines' layer registers with the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pulumi
import pytest

from components.host import HostAction, HostActionArgs, LayerError, Start, ordinary
from components.machines import DeployKey, Machines, MachinesArgs, provider
from settings.models import DistributionName, Image, Stack
from tests.components import stacks
from tests.components.mocks import Registered, Registration, run_program

VM = "proxmoxve:index/vmLegacy:VmLegacy"
FILE = "proxmoxve:index/fileLegacy:FileLegacy"
IMAGE = "proxmoxve:download/file:File"
KEY = "tls:index/privateKey:PrivateKey"
PROVIDER = "pulumi:providers:proxmoxve"


def answer(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if type_ == KEY:
        return {
            "privateKeyOpenssh": f"private of {name}\n",
            "publicKeyOpenssh": f"ssh-ed25519 {name}\n",
            "publicKeyFingerprintSha256": f"SHA256:{name}",
        }
    return {}


def args(stack: Stack, **values: Any) -> MachinesArgs:
    return MachinesArgs(
        **{
            "environment": stack.environment,
            "networks": stack.networks,
            "proxmox": stack.proxmox,
            "machines": list(stack.machines()),
            "lan_gateway": IPv4Address("198.18.10.1"),
            **values,
        }
    )


def run(stack: Stack | None = None, push: bool = False, **values: Any) -> Registered:
    """Register the layer; with `push`, an action on the first balancer too."""
    chosen = stack or stacks.lab()

    def program() -> Any:
        layer = Machines("machines", args(chosen, **values))
        if push:
            machine = layer.machines["lb-a"]
            HostAction("lb-a-push", HostActionArgs(machine=machine, name="push", do="true"))
        return {name: each.connection.host_key for name, each in layer.machines.items()}

    return run_program(program, answer=answer)


def protected(stack: Stack) -> Stack:
    proxmox = stack.proxmox.model_copy(update={"protect": True, "replaceable": []})
    return stack.model_copy(update={"proxmox": proxmox})


def vm(seen: Registered, name: str) -> Registration:
    return seen.one(VM, name)


def test_every_machine_is_made_under_its_own_name_below_the_layer() -> None:
    seen = run()
    names = ["router-a", "router-b", "lb-a", "lb-b", "cp-1", "worker-1", "worker-2"]
    assert sorted(seen.names(VM)) == sorted(names)
    for name in names:
        assert vm(seen, name).parent.endswith("layered-cloud:machines:Machines::machines")


def test_one_pinned_image_a_host_is_downloaded_and_replaced_in_place() -> None:
    seen = run()
    assert sorted(seen.names(IMAGE)) == ["pve1-image", "pve2-image"]
    image = seen.one(IMAGE, "pve1-image")
    assert image.inputs["checksum"] == stacks.lab().proxmox.image.sha256
    assert image.inputs["checksumAlgorithm"] == "sha256"
    assert image.inputs["overwrite"] is False
    assert image.delete_before_replace


def test_each_role_starts_from_its_own_image_and_its_machines_are_what_is_on_it() -> None:
    trixie = other("trixie")
    noble = other("noble")
    starts = {
        "router": ordinary(trixie),
        "balancer": ordinary(noble),
        "control_plane": ordinary(noble),
        "worker": ordinary(None),
    }
    made: dict[str, str] = {}

    def program() -> None:
        layer = Machines("machines", args(stacks.lab(), starts=starts))
        made.update({name: each.distribution.name for name, each in layer.machines.items()})

    seen = run_program(program, answer=answer)
    assert made == {
        **dict.fromkeys(("router-a", "router-b"), "trixie"),
        **dict.fromkeys(("lb-a", "lb-b", "cp-1"), "noble"),
        **dict.fromkeys(("worker-1", "worker-2"), "bookworm"),
    }
    # By whose it is first, whatever stands on the host: a machine more renames no download.
    assert sorted(seen.names(IMAGE)) == [
        "pve1-balancer-image",
        "pve1-image",
        "pve1-router-image",
        "pve2-balancer-image",
        "pve2-image",
        "pve2-router-image",
    ]
    assert vm(seen, "cp-1").inputs["disks"][0]["importFrom"].endswith("import/noble.qcow2")
    assert seen.one(IMAGE, "pve2-router-image").inputs["fileName"] == "trixie.qcow2"


def other(distribution: DistributionName) -> Image:
    return stacks.lab().proxmox.image.model_copy(
        update={
            **{"distribution": distribution, "file_name": f"{distribution}.qcow2"},
            "sha256": distribution[0].encode().hex() * 32,
        }
    )


def test_a_machine_waits_for_its_image_and_its_user_data() -> None:
    seen = run()
    needed = {seen.one(IMAGE, "pve2-image").urn, seen.one(FILE, "router-b-user-data").urn}
    assert needed <= vm(seen, "router-b").dependencies


def test_neither_new_user_data_nor_a_new_image_can_replace_a_machine() -> None:
    seen = run()
    made = vm(seen, "router-a")
    initialization = made.inputs["initialization"]
    assert initialization["userDataFileId"] == "local:snippets/lab-router-a-user-data.yaml"
    assert seen.one(FILE, "router-a-user-data").inputs["sourceRaw"]["fileName"] == (
        "lab-router-a-user-data.yaml"
    )
    assert seen.one(FILE, "router-a-user-data").delete_before_replace
    disk = made.inputs["disks"][0]
    assert "debian-12-bare" in str(disk.get("importFrom") or disk.get("fileId"))
    assert "initialization.dns" in made.ignore_changes


def test_a_machine_is_placed_numbered_and_wired_as_settings_say() -> None:
    made = vm(run(), "router-b").inputs
    assert (made["nodeName"], made["vmId"], made["name"]) == ("pve2", 102, "router-b")
    assert [each["bridge"] for each in made["networkDevices"]] == ["mgmt", "lan", "wan", "sync"]
    assert [each["macAddress"] for each in made["networkDevices"]] == [
        f"02:00:00:00:66:0{leg}" for leg in range(4)
    ]
    assert all(each["firewall"] is False for each in made["networkDevices"])
    assert [each["ipv4"] for each in made["initialization"]["ipConfigs"]] == [
        {"address": "198.18.0.12/24"},
        {"address": "198.18.10.3/24"},
        {"address": "203.0.113.3/24", "gateway": "203.0.113.1"},
        {"address": "198.18.20.3/24"},
    ]
    assert made["tags"] == ["lab", "router"]


def test_a_machine_on_a_visitors_way_is_given_its_addresses_of_both_families() -> None:
    seen = run(stacks.both_families(), lan_gateway6=IPv6Address("fd00:10::1"))

    def configured(name: str) -> list[Any]:
        return [each.get("ipv6") for each in vm(seen, name).inputs["initialization"]["ipConfigs"]]

    assert configured("router-b") == [
        None,
        {"address": "fd00:10::3/64"},
        {"address": "2001:db8:0:1::3/64", "gateway": "2001:db8:0:1::1"},
        None,
    ]
    assert configured("lb-a") == [None, {"address": "fd00:10::11/64", "gateway": "fd00:10::1"}]
    assert configured("worker-1") == [None, None]


def test_a_machine_is_never_rebooted_by_an_update_nor_asked_to_shut_down_by_a_destroy() -> None:
    made = vm(run(), "lb-a").inputs
    assert made["rebootAfterUpdate"] is False
    assert made["stopOnDestroy"] is True
    assert made["agent"] == {"enabled": False}
    assert made["onBoot"] is True


def test_a_new_address_replaces_only_machines_that_the_stack_lets_go() -> None:
    lab = stacks.lab()
    some = lab.proxmox.model_copy(update={"replaceable": ["router-a"]})
    seen = run(lab.model_copy(update={"proxmox": some}))
    assert vm(seen, "router-a").replace_on_changes == (
        "initialization.ipConfigs",
        "networkDevices[*].macAddress",
    )
    assert vm(seen, "router-b").replace_on_changes == ()


def test_a_disk_s_speed_is_neither_written_nor_looked_at() -> None:
    made = vm(run(), "router-a")
    assert [sorted(disk) for disk in made.inputs["disks"]] == [
        ["datastoreId", "discard", "importFrom", "interface", "iothread", "size"]
    ]
    assert "disks[0].speed" in made.ignore_changes


def test_time_limits_are_the_provider_s_own_inputs() -> None:
    made = vm(run(), "router-a")
    assert made.custom_timeouts == {}
    limits = {key: value for key, value in made.inputs.items() if key.startswith("timeout")}
    assert limits == {"timeoutCreate": 900, "timeoutStopVm": 300, "timeoutShutdownVm": 600}


def test_the_mtu_is_told_only_where_it_is_not_the_usual_one() -> None:
    stack = stacks.lab()
    lan = stack.networks.lan.model_copy(update={"mtu": 9000})
    stack = stack.model_copy(update={"networks": stack.networks.model_copy(update={"lan": lan})})
    devices = vm(run(stack), "lb-a").inputs["networkDevices"]
    assert [each.get("mtu") for each in devices] == [None, 9000]


def test_a_qcow2_is_imported_by_the_api_and_an_img_as_an_iso() -> None:
    stack = stacks.lab()
    for file_name, key, content in (
        ("debian.qcow2", "importFrom", "import"),
        ("debian.img", "fileId", "iso"),
    ):
        image = stack.proxmox.image.model_copy(update={"file_name": file_name})
        proxmox = stack.proxmox.model_copy(update={"image": image})
        seen = run(stack.model_copy(update={"proxmox": proxmox}))
        assert vm(seen, "lb-a").inputs["disks"][0][key] == f"local:{content}/{file_name}"
        assert seen.one(IMAGE, "pve1-image").inputs["contentType"] == content


def test_protection_is_a_setting() -> None:
    assert not vm(run(), "cp-1").protect
    assert vm(run(protected(stacks.lab())), "cp-1").protect


def test_a_machine_that_may_go_is_not_protected_and_its_peer_is() -> None:
    stack = protected(stacks.lab())
    for named, kept in (("lb-a", True), ("*", False)):
        proxmox = stack.proxmox.model_copy(update={"replaceable": [named]})
        seen = run(stack.model_copy(update={"proxmox": proxmox}))
        assert not vm(seen, "lb-a").protect
        assert vm(seen, "lb-b").protect is kept
        machines = seen.one("layered-cloud:machines:Machines", "machines")
        assert machines.inputs == {"replaceable": [named]}


def test_host_keys_are_secret_and_each_machine_has_its_own() -> None:
    seen = run()
    snippet = seen.one(FILE, "cp-1-user-data")
    assert "sourceRaw" in snippet.secret_inputs
    assert "private of cp-1-host-key" in snippet.inputs["sourceRaw"]["data"]
    assert "ssh-ed25519 machines-deploy-key" in snippet.inputs["sourceRaw"]["data"]
    assert seen.value["cp-1"] == "ssh-ed25519 cp-1-host-key"
    assert seen.value["lb-a"] == "ssh-ed25519 lb-a-host-key"


def test_a_given_deploy_key_is_used_and_none_is_made() -> None:
    key = DeployKey(private_key="given", public_key="ssh-ed25519 given")
    seen = run(deploy_key=key)
    assert "machines-deploy-key" not in seen.names(KEY)
    data = seen.one(FILE, "lb-a-user-data").inputs["sourceRaw"]["data"]
    assert '- "ssh-ed25519 given"' in data


def test_another_deploy_key_is_let_in_with_the_one_before_and_used_by_everything_else() -> None:
    new = DeployKey(private_key="new", public_key="ssh-ed25519 NEW")
    old = DeployKey(private_key="old", public_key="ssh-ed25519 OLD")
    seen = run(push=True, deploy_key=new, deploy_key_before=old)
    gate = seen.one("command:local:Command", "machines-deploy-key-gate")
    assert gate.inputs["environment"] == {
        "NOW": "ssh-ed25519 NEW",
        "BEFORE": "ssh-ed25519 OLD",
        "STACK": "lab",
    }
    way_in = seen.one("command:remote:Command", "lb-a-way-in")
    assert way_in.inputs["connection"]["privateKey"] == "old"
    assert "delete" not in way_in.inputs
    assert gate.urn in way_in.dependencies
    pushed = seen.one("command:remote:Command", "lb-a-push")
    assert pushed.inputs["connection"]["privateKey"] == "new"
    assert {gate.urn, way_in.urn} <= pushed.dependencies
    assert gate.urn in seen.one(FILE, "lb-a-user-data").dependencies


def test_without_another_key_nothing_is_let_in() -> None:
    seen = run(push=True)
    assert not [each for each in seen.names("command:remote:Command") if "way-in" in each]
    pushed = seen.one("command:remote:Command", "lb-a-push")
    assert seen.one("command:local:Command", "machines-deploy-key-gate").urn in pushed.dependencies


def test_another_host_key_is_another_machine() -> None:
    seen = run()
    assert vm(seen, "lb-a").replace_with == (seen.one(KEY, "lb-a-host-key").urn,)


def test_a_machine_is_four_resources_and_asks_nothing_of_the_machine_itself() -> None:
    seen = run()
    its = [each for each in seen.resources if each.name.startswith("lb-a")]
    assert sorted(each.name for each in its) == [
        "lb-a",
        "lb-a-host-key",
        "lb-a-incarnation",
        "lb-a-user-data",
    ]
    assert seen.of_type("command:remote:Command") == []


def test_a_machine_is_known_by_where_it_stood_in_older_states() -> None:
    """Taken for another one, it would be made anew."""
    seen = run()
    for each in seen.resources:
        if each.name.startswith("lb-a"):
            (before,) = each.aliases
            assert "Machines$layered-cloud:machines:VirtualMachine::lb-a" in before


def test_whatever_is_pushed_waits_for_the_machine_and_knows_it_by_its_key_and_incarnation() -> None:
    seen = run(push=True)
    command = seen.one("command:remote:Command", "lb-a-push")
    assert command.deleted_with == vm(seen, "lb-a").urn
    assert seen.one(KEY, "lb-a-incarnation").urn in command.dependencies
    assert vm(seen, "lb-a").urn in seen.one(KEY, "lb-a-incarnation").dependencies
    kind, key, _ = command.inputs["connection"]["hostKey"].split()
    assert (kind, key) == ("ssh-ed25519", "lb-a-host-key")


def test_a_new_machine_has_another_incarnation() -> None:
    seen = run()
    life = seen.one(KEY, "lb-a-incarnation")
    assert life.replace_with == (vm(seen, "lb-a").urn,)


def test_outputs_are_registered() -> None:
    seen = run()
    (layer,) = seen.of_type("layered-cloud:machines:Machines")
    assert seen.outputs[layer.urn]["machines"]["lb-a"] == {
        "management": "198.18.0.21/24",
        "lan": "198.18.10.11/24",
    }


def make_provider(stack: Stack, *, api: str = "token-value", ssh: str = "ssh-key") -> Any:
    return provider.proxmox_provider(
        "proxmox",
        proxmox=stack.proxmox,
        networks=stack.networks,
        machines=list(stack.machines()),
        api_token=pulumi.Output.secret(api),
        ssh_private_key=pulumi.Output.secret(ssh),
    ).urn


def test_the_provider_gets_its_token_only_when_the_preflight_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def passes(proxmox: Any, networks: Any, machines: Any, token: str) -> list[str]:
        asked.append(token)
        return []

    monkeypatch.setattr(provider, "check", passes)
    stack = stacks.lab()
    seen = run_program(lambda: make_provider(stack))
    (made,) = seen.of_type(PROVIDER)
    assert asked == ["token-value"]
    assert made.inputs["apiToken"] == "token-value"
    assert {"apiToken", "ssh"} <= made.secret_inputs


def test_a_failed_preflight_makes_nothing_and_names_every_lack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider, "check", lambda *_: ["no bridge wan", "no storage local"])
    stack = stacks.lab()
    with pytest.raises(
        LayerError, match=r"nothing was made:\n  - no bridge wan\n  - no storage local"
    ):
        run_program(lambda: make_provider(stack))


def test_a_preview_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[str]:
        raise AssertionError("a preview asked the API")

    monkeypatch.setattr(provider, "check", fails)
    stack = stacks.lab()
    seen = run_program(lambda: make_provider(stack), preview=True)
    assert seen.of_type(PROVIDER)[0].inputs["apiToken"] == "token-value"


def test_another_deploy_key_is_let_in_where_pushes_run() -> None:
    new, old = (
        DeployKey(private_key=which, public_key=f"ssh-ed25519 {which}") for which in ("new", "old")
    )
    keys = {name: f"ssh-ed25519 {name}" for name in ("router-a", "router-b")}
    box = Start(user="admin", cloud_init=True, python=False)
    without = run(deploy_key=new, deploy_key_before=old, starts={"router": box})
    assert "lb-a-way-in" in without.names("command:remote:Command")
    assert "router-a-way-in" not in without.names("command:remote:Command")
    unseeded = replace(box, cloud_init=False, host_keys=keys)
    assert run(starts={"router": unseeded}).value["router-a"] == "ssh-ed25519 router-a"


def test_a_role_with_a_cloud_init_of_its_own_is_told_in_its_words() -> None:
    box = Start(
        user="admin", cloud_init=True, python=False, user_data=lambda seed: f"it is {seed.fqdn}"
    )
    seen = run(starts={"router": box})
    told = {
        name: seen.one("proxmoxve:index/fileLegacy:FileLegacy", f"{name}-user-data").inputs[
            "sourceRaw"
        ]["data"]
        for name in ("router-a", "lb-a")
    }
    assert told["router-a"] == "it is router-a.lab.test"
    assert told["lb-a"].startswith("#cloud-config\n")
