"""The stack as the engine hands it over, and its secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as engine

from settings import loader
from settings.loader import Secrets, load
from settings.models.stack import Stack
from settings.problems import SettingsError
from tests.settings.fixtures import FIXTURES, base_config, patched, read_patch

SECRET = {
    "proxmoxApiToken": "root@pam!builder=0a1b2c3d-aaaa-bbbb-cccc-0123456789ab",
    "proxmoxSshKey": "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----",
    "cloudflareApiToken": "hush-token",
}


class Nothing(pulumi.runtime.Mocks):
    """No resource is made here."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        raise AssertionError(f"{args.name} was made")

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"{args.token} was called")


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """An event loop of each test's own, whatever the tests before it left."""
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    yield
    own.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    told: list[str] = []
    monkeypatch.setattr(loader.pulumi.log, "warn", told.append)
    yield told
    engine.set_all_config({}, [])


def give(
    config: dict[str, Any] | None = None,
    secrets: dict[str, str] | None = None,
    *,
    dry_run: bool = False,
    plain: bool = False,
) -> None:
    """What the language host does before the program starts."""
    pulumi.runtime.set_mocks(Nothing(), project="layered-cloud", stack="mine", preview=dry_run)
    whole = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (config or base_config()).items()
    }
    flat = {f"layered-cloud:{name}": value for name, value in (secrets or {}).items()}
    engine.set_all_config({**whole, **flat}, [] if plain else list(flat))


def loaded(check: Callable[[Stack, Secrets], Any]) -> None:
    """Load inside an event loop of its own and wait for what `check` returns."""

    @pulumi.runtime.test
    def run() -> Any:
        return check(*load())

    run()


def refused() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load()
    # What the language host prints without a traceback.
    assert isinstance(caught.value, pulumi.RunError)
    assert caught.value.human
    return str(caught.value).splitlines()


def test_a_whole_stack_is_read_and_its_secrets_stay_secret(warned: list[str]) -> None:
    give(secrets=SECRET)
    seen: list[str] = []

    def check(stack: Stack, secrets: Secrets) -> Any:
        assert stack.environment == "base"
        assert stack.routers.vrrp.advert_interval == 0.3
        assert (secrets.deploy_key, secrets.tls_certificate, secrets.tls_key) == (None,) * 3
        assert secrets.cloudflare_api_token is not None

        async def secret() -> None:
            for each in (
                secrets.proxmox_api_token,
                secrets.proxmox_ssh_key,
                secrets.cloudflare_api_token,
            ):
                assert each is not None
                assert await each.is_secret()
                assert await each.is_known()
                seen.append(str(await each.future()))

        return pulumi.Output.from_input(secret())

    loaded(check)
    assert seen == list(SECRET.values())
    assert warned == []


def test_what_is_odd_is_a_warning_of_the_engines(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:software"]["repositories"][0]["suites"] = ["trixie"]
    give(config, SECRET)
    loaded(lambda stack, secrets: None)
    assert warned == [
        "layered-cloud:software.repositories[0].suites[0]: trixie is another release than the "
        "image's (debian-12.qcow2: bookworm); write bookworm"
    ]


def test_missing_secrets_fail_up_all_together_with_the_commands(warned: list[str]) -> None:
    give()
    assert refused() == [
        "layered-cloud:proxmoxApiToken: is not set (the Proxmox API token, USER@REALM!NAME=UUID); "
        "run: pulumi config set --secret layered-cloud:proxmoxApiToken -s mine",
        "layered-cloud:proxmoxSshKey: is not set (the private SSH key that uploads snippets to the "
        "Proxmox hosts); run: pulumi config set --secret layered-cloud:proxmoxSshKey -s mine "
        "< FILE",
        "layered-cloud:cloudflareApiToken: is not set (the Cloudflare API token for the zone); "
        "run: pulumi config set --secret layered-cloud:cloudflareApiToken -s mine",
    ]


def test_missing_secrets_are_unknown_in_a_preview_and_each_is_a_warning(warned: list[str]) -> None:
    give(dry_run=True)
    states: list[tuple[bool, bool]] = []

    def check(stack: Stack, secrets: Secrets) -> Any:
        async def state() -> None:
            for each in (secrets.proxmox_api_token, secrets.cloudflare_api_token):
                assert each is not None
                states.append((await each.is_known(), await each.is_secret()))

        return pulumi.Output.from_input(state())

    loaded(check)
    assert states == [(False, True), (False, True)]
    assert [line.split(": ")[0] for line in warned] == [
        "layered-cloud:proxmoxApiToken",
        "layered-cloud:proxmoxSshKey",
        "layered-cloud:cloudflareApiToken",
    ]
    assert all(line.endswith("(needed before `pulumi up`)") for line in warned)


def test_an_unknown_secret_runs_no_apply(warned: list[str]) -> None:
    give(dry_run=True)
    ran: list[str] = []

    def check(stack: Stack, secrets: Secrets) -> Any:
        return secrets.proxmox_api_token.apply(ran.append)

    loaded(check)
    assert ran == []


def test_a_given_certificate_needs_its_two_secrets(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:balancers"]["certificate"]["source"] = "given"
    give(config, SECRET)
    assert [line.split(":")[1] for line in refused()] == ["tlsCertificate", "tlsKey"]


def test_a_physical_router_lets_in_no_key_that_the_stack_makes_itself(warned: list[str]) -> None:
    give(patched(read_patch(FIXTURES / "accept" / "routers-mikrotik-alone.yaml")), SECRET)
    assert refused() == [
        "layered-cloud:deployKey: is not set (the private SSH key that reaches the machines; "
        "absent, the stack makes one, which physical routers do not know); run: pulumi config set "
        "--secret layered-cloud:deployKey -s mine < FILE"
    ]


def test_a_list_of_ranges_without_a_zone_needs_no_token(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:cdn"] = {"kind": "cloudflare"}
    config["layered-cloud:balancers"]["certificate"]["source"] = "self-signed"
    give(config, {name: SECRET[name] for name in ("proxmoxApiToken", "proxmoxSshKey")})
    tokens: list[object] = []
    loaded(lambda stack, secrets: tokens.append(secrets.cloudflare_api_token))
    assert tokens == [None]
    assert warned == []


def test_blanks_fail_up_and_are_warnings_in_a_preview(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:proxmox"]["image"]["sha256"] = "0" * 64
    config["layered-cloud:proxmox"]["endpoint"] = "https://pve.example.org:8006/"
    del config["layered-cloud:software"]["kubernetes_repository"]["signed_by"]
    give(config, SECRET)
    told = refused()
    assert told == [
        "layered-cloud:proxmox.image.sha256: is all zeros, a blank to fill in; write the image's "
        "checksum: download https://images.lab.test/debian-12.qcow2, compare it with the "
        "publisher's own sums beside it, then: sha256sum debian-12.qcow2",
        "layered-cloud:software.kubernetes_repository.signed_by: is missing: the image does not "
        "know the key of http://192.0.2.4/core:/stable:/v1.36/deb/; write the armored public key, "
        "as the repository publishes it",
        "layered-cloud:proxmox.endpoint: https://pve.example.org:8006/ is an example (RFC 2606), "
        "a blank to fill in; write your own",
    ]
    give(config, SECRET, dry_run=True)
    loaded(lambda stack, secrets: pulumi.Output.from_input(None))
    assert warned == [f"{line} (needed before `pulumi up`)" for line in told]


def test_settings_and_secrets_are_told_together(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:balancers"]["vips"][0]["vrid"] = 62
    give(config, {"proxmoxApiToken": SECRET["proxmoxApiToken"]})
    assert [line.split(": ")[0] for line in refused()] == [
        "layered-cloud:balancers.vips[0].vrid",
        "layered-cloud:proxmoxSshKey",
        "layered-cloud:cloudflareApiToken",
    ]


def test_a_secret_that_is_not_encrypted_is_refused_without_showing_it(warned: list[str]) -> None:
    give(secrets=SECRET, plain=True)
    told = refused()
    assert told[0] == (
        "layered-cloud:proxmoxApiToken: is a secret in clear text; remove it, then: "
        "pulumi config set --secret layered-cloud:proxmoxApiToken"
    )
    assert len(told) == 3
    assert "hush" not in "\n".join(told)


def test_a_malformed_secret_is_refused_without_showing_it(warned: list[str]) -> None:
    give(secrets={**SECRET, "proxmoxApiToken": "hush", "proxmoxSshKey": "ssh-ed25519 hush"})
    assert refused() == [
        "layered-cloud:proxmoxApiToken: has the wrong form (its value is not shown); it is "
        "USER@REALM!NAME=UUID; run: pulumi config set --secret layered-cloud:proxmoxApiToken "
        "-s mine",
        "layered-cloud:proxmoxSshKey: has the wrong form (its value is not shown); it is an "
        "OpenSSH private key; run: pulumi config set --secret layered-cloud:proxmoxSshKey -s mine "
        "< FILE",
    ]


KEY = SECRET["proxmoxSshKey"]


def test_the_key_before_is_warned_of_and_is_another_one(warned: list[str]) -> None:
    give(secrets={**SECRET, "deployKey": KEY, "deployKeyBefore": KEY.replace("hush", "old")})
    loaded(lambda stack, secrets: secrets.deploy_key_before)
    assert warned == [
        "layered-cloud:deployKeyBefore: lets the new deploy key in, and is good for nothing after "
        "that; when an update has gone through, run: pulumi config rm "
        "layered-cloud:deployKeyBefore -s mine"
    ]
    give(secrets={**SECRET, "deployKey": KEY, "deployKeyBefore": f"{KEY}\n"})
    (line,) = refused()
    assert line.startswith("layered-cloud:deployKeyBefore: is the same key as deployKey; set it to")


def test_an_unknown_key_and_text_in_place_of_a_section_are_refused(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:routes"] = {}
    config["layered-cloud:cdn"] = "cloudflare"
    give(config, SECRET)
    told = refused()
    assert told[0].startswith("layered-cloud:routes: is not a key here; did you mean routers? ")
    assert told[1:] == [
        "layered-cloud:cdn: cloudflare is not a section; write keys and values: { kind: ... }"
    ]


def test_configuration_in_the_environment_is_read_too(
    warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give()
    flat = {f"layered-cloud:{name}": value for name, value in SECRET.items()}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(flat))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(list(flat)))
    loaded(lambda stack, secrets: secrets.proxmox_api_token)
    assert warned == []


PEERS = {
    "asn": 64512,
    "upstream": [{"name": "isp", "address": "203.0.113.1", "asn": 64500, "password": True}],
    "inside": {"asn": 64513, "password": True},
}


def speaking_bgp() -> dict[str, Any]:
    config = base_config()
    config["layered-cloud:routers"]["bgp"] = PEERS
    platform = config["layered-cloud:platform"]
    platform["metallb"] |= {
        "mode": "bgp",
        "pool": [{"first": "198.18.60.0", "last": "198.18.60.127"}],
    }
    platform["ingress"]["load_balancer_ip"] = "198.18.60.1"
    return config


@pytest.mark.parametrize(
    ("passwords", "right"),
    [
        (
            "isp=hush\nother=hush",
            "has no line for inside, whose sessions have a password; add a line inside=PASSWORD "
            "and run: pulumi config set --secret layered-cloud:bgpPasswords -s mine < FILE",
        ),
        (
            "isp=hush\ninside=hush\nisp=husher",
            "has more than one line for isp; leave one, and run: pulumi config set --secret "
            "layered-cloud:bgpPasswords -s mine < FILE",
        ),
        (
            'isp=hu"sh\ninside=hush',
            "has the wrong form (its value is not shown); it is NAME=PASSWORD, one a line, of "
            "letters, digits and . _ ~ + = @ % : , / -, at most 80; run: pulumi config set "
            "--secret layered-cloud:bgpPasswords -s mine < FILE",
        ),
        (
            None,
            "is not set (a line NAME=PASSWORD for each provider with one, for `inside` and "
            "`balancers`: here isp=, inside=); run: pulumi config set --secret "
            "layered-cloud:bgpPasswords -s mine < FILE",
        ),
    ],
)
def test_every_session_with_a_password_has_its_line(
    warned: list[str], passwords: str | None, right: str
) -> None:
    config = speaking_bgp()
    give(config, {**SECRET, **({} if passwords is None else {"bgpPasswords": passwords})})
    assert refused() == [f"layered-cloud:bgpPasswords: {right}"]


FURTHER = {
    **{"name": "tools", "namespace": "tools", "chart": "tools", "version": "1.2.3"},
    "repository": "https://charts.lab.test",
    "secrets": [{"name": "login", "keys": ["token", "user"]}],
}


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (
            "tools/login/token=hush\ntools/other/user=hush",
            "has no line for tools/login/user; add a line tools/login/user=VALUE and run: pulumi "
            "config set --secret layered-cloud:platformSecrets -s mine < FILE",
        ),
        (
            "tools/login=hush",
            "has the wrong form (its value is not shown); it is NAMESPACE/NAME/KEY=VALUE, one a "
            "line, without control characters; run: pulumi config set --secret "
            "layered-cloud:platformSecrets -s mine < FILE",
        ),
        (
            "tools/login/token=hush\r\ntools/login/user=hush\r\n",
            "has the wrong form (its value is not shown); it is NAMESPACE/NAME/KEY=VALUE, one a "
            "line, without control characters; run: pulumi config set --secret "
            "layered-cloud:platformSecrets -s mine < FILE",
        ),
        (
            "tools/login/token=hush\ntools/login/user=hush\ntools/login/token=husher",
            "has more than one line for tools/login/token; leave one, and run: pulumi config set "
            "--secret layered-cloud:platformSecrets -s mine < FILE",
        ),
        (
            None,
            "is not set (a line NAMESPACE/NAME/KEY=VALUE for each key of the platform's Secrets: "
            "here tools/login/token=, tools/login/user=); run: pulumi config set --secret "
            "layered-cloud:platformSecrets -s mine < FILE",
        ),
    ],
)
def test_every_key_of_the_platforms_secrets_has_its_line(
    warned: list[str], given: str | None, right: str
) -> None:
    config = base_config()
    config["layered-cloud:platform"]["charts"] = [FURTHER]
    give(config, {**SECRET, **({} if given is None else {"platformSecrets": given})})
    assert refused() == [f"layered-cloud:platformSecrets: {right}"]


def test_the_values_of_the_platforms_secrets_are_a_secret(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:platform"]["charts"] = [FURTHER]
    give(config, {**SECRET, "platformSecrets": "tools/login/token=a b\ntools/login/user=c=d\n"})

    def check(_: Stack, secrets: Secrets) -> Any:
        assert secrets.platform_secrets is not None
        return secrets.platform_secrets.is_secret()

    loaded(check)
    assert warned == []


def test_the_passwords_of_sessions_are_a_secret(warned: list[str]) -> None:
    config = speaking_bgp()
    give(config, {**SECRET, "bgpPasswords": "isp=hush\ninside=hush\n"})
    seen: list[str] = []

    def check(stack: Stack, secrets: Secrets) -> Any:
        given = secrets.bgp_passwords
        assert given is not None

        async def secret() -> None:
            assert await given.is_secret()
            seen.append(str(await given.future()))

        return pulumi.Output.from_input(secret())

    loaded(check)
    assert seen == ["isp=hush\ninside=hush\n"]
    assert warned == []
