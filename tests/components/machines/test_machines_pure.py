"""Legs, user-data and keys: no engine, no network."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from components.host import Seed, Start
from components.machines.keys import public_key_of
from components.machines.legs import legs, mac_address
from components.machines.physical import physical
from components.machines.render import render_user_data
from settings.models import MachineSpec, Stack
from tests.components import stacks
from tests.golden_files import assert_golden

GATEWAY = IPv4Address("198.18.10.1")


def specs(stack: Stack) -> dict[str, tuple[str, MachineSpec]]:
    return {spec.name: (role, spec) for role, spec in stack.machines()}


def test_a_router_has_four_legs_in_their_order_and_leaves_by_the_wan() -> None:
    stack = stacks.lab()
    role, spec = specs(stack)["router-a"]
    made = legs(spec, role, stack.networks, GATEWAY)
    assert [(leg.interface, leg.network, str(leg.address)) for leg in made] == [
        ("eth0", "management", "198.18.0.11/24"),
        ("eth1", "lan", "198.18.10.2/24"),
        ("eth2", "wan", "203.0.113.2/24"),
        ("eth3", "sync", "198.18.20.2/24"),
    ]
    assert [leg.gateway for leg in made] == [None, None, IPv4Address("203.0.113.1"), None]


def test_a_router_without_a_public_address_leaves_by_nothing_of_its_own() -> None:
    stack = stacks.one_address()
    made = legs(stack.routers.machines[0], "router", stack.networks, GATEWAY)
    assert [leg.gateway for leg in made] == [None] * 4
    assert str(made[2].address) == "100.64.0.2/29"


def test_every_other_machine_leaves_by_the_lan_vip_and_none_by_management() -> None:
    stack = stacks.lab()
    for role, spec in stack.machines():
        made = {leg.network: leg for leg in legs(spec, role, stack.networks, GATEWAY)}
        assert made["management"].gateway is None
        if role != "router":
            assert list(made) == ["management", "lan"]
            assert made["lan"].gateway == GATEWAY


def test_legs_on_a_visitors_way_have_an_ipv6_address_and_leave_by_the_same_leg() -> None:
    stack = stacks.both_families()
    gateway6 = stack.routers.gateway6
    made = {
        spec.name: {
            leg.network: (str(leg.address6), str(leg.gateway6))
            for leg in legs(spec, role, stack.networks, GATEWAY, gateway6)
            if leg.address6 is not None
        }
        for role, spec in stack.machines()
    }
    assert made == {
        "router-a": {
            "lan": ("fd00:10::2/64", "None"),
            "wan": ("2001:db8:0:1::2/64", "2001:db8:0:1::1"),
        },
        "router-b": {
            "lan": ("fd00:10::3/64", "None"),
            "wan": ("2001:db8:0:1::3/64", "2001:db8:0:1::1"),
        },
        "lb-a": {"lan": ("fd00:10::11/64", "fd00:10::1")},
        "lb-b": {"lan": ("fd00:10::12/64", "fd00:10::1")},
        "cp-1": {},
        "worker-1": {},
        "worker-2": {},
    }


def test_a_leg_cannot_be_made_on_a_network_that_is_absent() -> None:
    stack = stacks.single()
    role, spec = specs(stacks.lab())["router-a"]
    with pytest.raises(KeyError, match="sync"):
        legs(spec, role, stack.networks, GATEWAY)


ids = st.integers(min_value=100, max_value=999_999_999)
positions = st.integers(min_value=0, max_value=3)


@settings(deadline=None)
@given(ids, positions, ids, positions)
def test_mac_addresses_of_two_legs_never_meet(a: int, i: int, b: int, j: int) -> None:
    assert (mac_address(a, i) == mac_address(b, j)) == ((a, i) == (b, j))


@settings(deadline=None)
@given(ids, positions)
def test_mac_addresses_are_local_and_unicast(vm_id: int, leg: int) -> None:
    first = int(mac_address(vm_id, leg).split(":")[0], 16)
    assert first & 0b10 and not first & 0b01


def test_a_mac_address_spells_out_the_vm_and_the_leg() -> None:
    assert mac_address(101, 2) == "02:00:00:00:65:02"
    with pytest.raises(ValueError, match="no MAC address for leg 256 of VM 101"):
        mac_address(101, 256)


def user_data() -> str:
    return render_user_data(
        Seed(
            hostname="router-a",
            fqdn="router-a.lab.test",
            host_private_key="-----BEGIN OPENSSH PRIVATE KEY-----\nline\n-----END-----\n",
            host_public_key="ssh-ed25519 AAAAhost \n",
            authorized_key="ssh-ed25519 AAAAdeploy\n",
        )
    )


def test_user_data_is_the_golden_file() -> None:
    assert_golden("machines/user-data.yaml", user_data())


def test_user_data_lets_in_one_key_as_root_and_installs_nothing() -> None:
    data = yaml.safe_load(user_data())
    assert data["users"] == []
    assert data["ssh_authorized_keys"] == ["ssh-ed25519 AAAAdeploy"]
    assert (data["disable_root"], data["ssh_pwauth"]) == (False, False)
    assert (data["package_update"], data["package_upgrade"]) == (False, False)
    assert data["ssh_keys"]["ed25519_private"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert data["ssh_keys"]["ed25519_public"] == "ssh-ed25519 AAAAhost"


def private_key(passphrase: bytes | None = None) -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode()


def test_the_public_half_is_read_from_the_private_key() -> None:
    private, public = private_key()
    assert public_key_of(private) == public


def test_a_key_with_a_passphrase_is_refused() -> None:
    pytest.importorskip("bcrypt")
    private, _ = private_key(b"secret")
    with pytest.raises(ValueError, match="deployKey: the key has a passphrase"):
        public_key_of(private)


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"])
def test_something_else_is_refused_with_the_command_that_makes_a_key(text: str) -> None:
    with pytest.raises(ValueError, match="deployKey: not an OpenSSH private key; make one with"):
        public_key_of(text)


def test_a_physical_machine_is_what_the_stack_says_of_it() -> None:
    stack = stacks.mikrotik_busy()
    (_, spec), _ = stack.physical()
    start = Start(user="me", cloud_init=False, python=False, host_keys=stack.routers.host_keys)
    gate = object()

    made = physical(
        spec,
        role="router",
        networks=stack.networks,
        start=start,
        private_key="private",
        entry=gate,  # type: ignore[arg-type] # no engine here
    )

    assert {network: str(each) for network, each in made.addresses.items()} == {
        **{"management": "198.18.0.11/24", "lan": "198.18.10.2/24"},
        **{"wan": "203.0.113.2/24", "sync": "198.18.20.2/24"},
    }
    assert made.interfaces == {
        **{"management": "ether1", "lan": "bond-lan.10"},
        **{"wan": "sfp-sfpplus1", "sync": "ether4"},
    }
    connection = made.connection
    assert (connection.host, connection.port, connection.user) == ("198.18.0.11", 2200, "me")
    assert connection.host_key == stacks.HOST_KEY
    assert (made.vm, made.host, made.incarnation, made.entry) == (None, None, None, (gate,))
