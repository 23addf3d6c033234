"""How a machine of the lab is reached."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.network.topology import Topology
from lab.probes.world import World


@pytest.mark.parametrize("person", [False, True])
def test_ssh_understands_its_own_options(person: bool) -> None:
    """Else a shell on a machine ends before it begins: options of ssh behind its own name, and
    each `-o` with its value."""
    it: Any = SimpleNamespace(
        topology=Topology.default(),
        access=Path("/access"),
        machines={"lb-a": SimpleNamespace(management="198.18.0.21")},
    )
    argv = World.ssh(cast(World, it), "lb-a", person=person)
    words = argv[argv.index("ssh") + 1 :]
    assert "-t" not in argv[: argv.index("ssh")]
    options = []
    while words[0].startswith("-"):
        option = words.pop(0)
        options.append(option if option == "-t" else f"{option} {words.pop(0)}")
    assert words == ["root@198.18.0.21"]
    assert ("-t" in options) is person
    assert f"-o BatchMode={'no' if person else 'yes'}" in options
