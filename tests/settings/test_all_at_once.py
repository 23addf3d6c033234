"""Every error of a stack is told at once, whichever layer of reading finds it."""

from __future__ import annotations

import pytest

from settings.checks import check
from settings.checks.registry import RULES
from settings.files import parse_stack
from settings.keys import SECTIONS
from settings.models.stack import Stack
from settings.problems import SettingsError
from tests.settings.fixtures import base_config, patched


def lines(patch: dict[str, object]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_stack(patched(patch))
    return str(caught.value).splitlines()


def test_unknown_keys_wrong_types_and_collisions_are_told_together() -> None:
    told = lines(
        {
            "set": {
                "/layered-cloud:networking": {},
                "/proxmoxApiToken": "root@pam!x=hush",
                "/access/journald_max_mebibytes": "lots",
                "/access/epoch": 0,
                "/balancers/machines/0/lan": "198.18.10.2",
                "/routers/vips/0/lan_vrid": 71,
                "/platform/ingress/load_balancer_ip": "198.18.10.9",
            }
        }
    )
    assert told == [
        "layered-cloud:networking: is not a key here; did you mean networks? valid here: "
        "environment, topology, networks, proxmox, access, software, routers, balancers, cluster, "
        "platform, services, cdn, maintenance, proxmoxApiToken, proxmoxSshKey, deployKey, "
        "deployKeyBefore, cloudflareApiToken, tlsCertificate, tlsKey, bgpPasswords, "
        "platformSecrets, tlsFurther, acmeDnsToken, backupSshKey, backupKey",
        "layered-cloud:proxmoxApiToken: is a secret in clear text; remove it, then: "
        "pulumi config set --secret layered-cloud:proxmoxApiToken",
        'layered-cloud:access.journald_max_mebibytes: "lots" is not a whole number; '
        "write a whole number of MiB",
        "layered-cloud:access.epoch: 0 is too small; write at least 1",
        "layered-cloud:balancers.machines[0].lan: 198.18.10.2 belongs to router router-a already "
        "(routers.machines[0].lan); give balancer lb-a an address of its own",
        "layered-cloud:balancers.vips[0].vrid: 71 is the VRID of the routers' VIP edge on lan "
        "already (routers.vips[0].lan_vrid); give the balancers' VIP front a VRID of its own "
        "(1 to 255)",
        "layered-cloud:platform.ingress.load_balancer_ip: 198.18.10.9 is outside "
        "platform.metallb.pool (198.18.10.200-198.18.10.220); choose an address of the pool, or "
        "null to let MetalLB choose",
    ]


def test_a_broken_section_hides_no_collision_between_two_others() -> None:
    told = lines(
        {
            "set": {"/balancers/machines/1/lan": "198.18.10.31"},
            "remove": ["/routers/vips", "/proxmox/endpoint"],
        }
    )
    assert told == [
        "layered-cloud:proxmox.endpoint: is missing; set it: The API, without a path",
        "layered-cloud:routers.vips: is missing; set it: The failover groups (each with at "
        "least name, owner, wan, wan_vrid, lan, lan_vrid)",
        "layered-cloud:cluster.workers[0].lan: 198.18.10.31 belongs to balancer lb-b already "
        "(balancers.machines[1].lan); give worker worker-1 an address of its own",
    ]


def test_an_empty_configuration_names_every_section() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_stack({})
    assert [found.key for found in caught.value.problems] == [
        f"layered-cloud:{name}"
        for name in SECTIONS
        if name not in ("topology", "access", "software", "maintenance", "services")
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.run.__name__)
def test_a_check_reads_only_the_sections_it_names(rule: object) -> None:
    whole = parse_stack(base_config())
    assert rule in RULES
    kept = {name: getattr(whole, name) for name in rule.sections}  # type: ignore[attr-defined]
    assert list(rule.run(Stack.model_construct(**kept))) == []  # type: ignore[attr-defined]


def test_without_any_section_nothing_is_checked_and_nothing_fails() -> None:
    assert check(Stack.model_construct(), without=set(Stack.model_fields)) == []


def test_no_message_is_told_twice() -> None:
    told = lines({"set": {"/routers/vips/0/lan": ["198.18.10.2", "198.18.10.2"]}})
    assert len(told) == len(set(told)) == 2


def test_a_secret_in_clear_text_is_never_shown() -> None:
    told = lines({"set": {"/tlsKey": "hush-hush", "/access/authorized_keys/0": "PRIVATE KEY hush"}})
    assert len(told) == 2
    assert "hush" not in "\n".join(told)
