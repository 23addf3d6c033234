"""The real engine's plan of an operator's key that is the deploy key: what the rule sees there."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lab.engine.cli import find_cli
from lab.engine.engine import workspace
from lab.paths import CHECKOUT
from policy.table import judged

RULE = "deploy-key-is-the-programs-alone"


def pair() -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), public.decode()


@pytest.mark.timeout(120)
def test_the_engines_own_plan_shows_the_rule_what_it_needs_and_no_private_key() -> None:
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    private, public = pair()
    operators = [f"{pair()[1]} you@desk"]

    def program() -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from components.host import Connection, Machine, baselines
        from components.host.entry import gate
        from components.machines import DeployKey
        from settings.files import load_stack

        key = DeployKey.of(pulumi.Config("layered-cloud").require_secret("deployKey"))
        assert key is not None
        layer = pulumi.ComponentResource("layered-cloud:test:Layer", "layer")
        stack = load_stack(CHECKOUT / "Pulumi.prod.yaml")
        (spec, *_) = stack.balancers.machines
        entry = gate("machines-deploy-key-gate", now=key.public_key, before=None, parent=layer)
        machine = Machine(
            name=spec.name,
            role="balancer",
            addresses={
                "management": IPv4Interface(f"{spec.management}/24"),
                "lan": IPv4Interface(f"{spec.lan}/24"),
            },
            interfaces={"management": "eth0", "lan": "eth1"},
            connection=Connection(
                host=str(spec.management), private_key=key.private_key, host_key="ssh-ed25519 AAAA"
            ),
            vm=None,
            host=spec.host,
            entry=(entry,),
        )
        baselines(
            [machine],
            access=stack.access.model_copy(update={"authorized_keys": list(operators)}),
            networks=stack.networks,
            software=stack.software,
            deploy_key=key.public_key,
        )

    project = {"name": "layered-cloud", "runtime": "python"}
    with workspace(
        "keys", program=program, cli=cli, throw_away=True, project=project, config={},
        secrets={"layered-cloud:deployKey": private},
    ) as engine:  # fmt: skip
        assert [each for each in judged(engine.preview_steps()) if each.rule == RULE] == []
        operators.append(public)
        plan = engine.preview_steps()
    (fault,) = [each for each in judged(plan) if each.rule == RULE]
    assert fault.resource == "machines-deploy-key-gate"
    assert "twice in lb-a-baseline)" in fault.wrong
    assert private.splitlines()[1] not in str(plan)
