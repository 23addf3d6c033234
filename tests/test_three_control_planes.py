"""A stack of three control planes as the real engine plans it, by the whole program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.engine.cli import find_cli
from lab.engine.run import Result
from lab.stack import merged, profile_config
from tests import whole
from tests.offline import engine_of

COMMAND = "command:remote:Command"


def config() -> dict[str, Any]:
    """The lab's, with its profile of three."""
    laid: dict[str, Any] = merged(whole.config_of("lab", {}), profile_config("three"))
    return laid


@pytest.fixture(scope="module")
def plan() -> Iterator[Result]:
    if find_cli() is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    with engine_of("lab", config()) as engine:
        yield engine.preview()


@pytest.mark.timeout(300)
def test_the_engine_plans_two_joins_and_one_beginning(plan: Result) -> None:
    made = {each["urn"].rpartition("::")[2] for each in plan.steps if each["type"] == COMMAND}
    for name in ("cp-1", "cp-2", "cp-3"):
        assert {f"{name}-control-plane", f"{name}-identity", f"{name}-node"} <= made
    handed = {name for name in made if "-certificate-" in name}
    assert handed == {
        *("cp-1-certificate-cp-2", "cp-1-certificate-cp-3"),
        *("cp-2-certificate-cp-1", "cp-3-certificate-cp-1"),
    }
    assert {"cluster-members", "cluster-identity", "cluster-kubeconfig"} <= made
    assert {each["op"] for each in plan.steps} == {"create"}


@pytest.mark.timeout(300)
def test_no_plan_shows_a_key(plan: Result) -> None:
    assert "PRIVATE KEY" not in plan.text
    assert "hush" not in plan.text


def test_every_layer_takes_all_three() -> None:
    seen = whole.registered(config())
    servers = seen.one(COMMAND, "lb-a-base").inputs["stdin"]
    for number in (1, 2, 3):
        assert f"server cp-{number} 198.18.10.2{number}:6443" in servers
    assert seen.value["inventory"]
    members = seen.one(COMMAND, "cluster-members").inputs["stdin"]
    assert "198.18.10.21 198.18.10.22 198.18.10.23" in members


def test_what_runs_in_the_cluster_goes_with_no_machine_of_several() -> None:
    alone = whole.registered(whole.config_of("lab", {}))
    several = whole.registered(config())

    def release(seen: Any) -> Any:
        return seen.one("kubernetes:helm.sh/v3:Release", "cilium")

    assert release(alone).replace_with
    assert release(alone).deleted_with.endswith("::cp-1-incarnation")
    assert release(several).replace_with == ()
    assert release(several).deleted_with.endswith("::cp-1")
