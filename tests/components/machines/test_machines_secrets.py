"""Another token or SSH key of Proxmox, judged by the provider's built plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from lab.plugins.server import Secret
from lab.plugins.wire import encode
from tests.components import stacks
from tests.components.machines.test_machines_component import PROVIDER, make_provider
from tests.components.mocks import Registration, run_program
from tests.lab.plugins import real


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with real.served(real.built("proxmoxve"), tmp_path_factory.mktemp("home")) as stub:
        yield stub


def registered(**secrets: str) -> Registration:
    """The provider as the program asks for it. A preview does not ask whether a token is taken."""
    seen = run_program(lambda: make_provider(stacks.lab(), **secrets), preview=True)
    return seen.one(PROVIDER, "proxmox")


def handed_over(provider: Registration) -> Any:
    """Its inputs as the engine hands them to the plugin."""
    return encode(
        {
            name: Secret(value) if name in provider.secret_inputs else value
            for name, value in provider.inputs.items()
        }
    )


@pytest.mark.parametrize(
    ("changed", "told"), [("api", {"apiToken"}), ("ssh", {"ssh", "ssh.privateKey"})]
)
def test_another_token_or_key_replaces_nothing(plugin: Any, changed: str, told: set[str]) -> None:
    """With a provider that is replaced the engine replaces all that it made: every machine."""
    before, after = registered(), registered(**{changed: "another"})
    assert (after.urn, after.replace_on_changes) == (before.urn, ())

    answer = plugin.DiffConfig(
        provider_pb2.DiffRequest(
            urn=after.urn,
            name=after.name,
            type=after.type,
            olds=handed_over(before),
            old_inputs=handed_over(before),
            news=handed_over(after),
        ),
        timeout=120,
    )

    kinds = {path: each.kind for path, each in answer.detailedDiff.items()}
    assert kinds == dict.fromkeys(told, provider_pb2.PropertyDiff.UPDATE)
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == []
