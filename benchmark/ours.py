"""Our side as one command: `python -m benchmark.ours up|check SPEC`, a process from start to end.

`up` is the whole of `pulumi up`: the engine, the provider's plugin, the program. `check` asks
every host what `python -m ops check` asks: whether its manifests are true.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.playbook import Host


class OursError(RuntimeError):
    """A run that did something else than it was to do."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a run is given: where the engine's state lies, the hosts and the key that they let in,
    the seconds in the line that changes, the epoch (another one pushes everything again)."""

    state: str
    key: str
    hosts: tuple[Host, ...]
    seconds: int
    epoch: str = "1"

    def to_json(self) -> str:
        """As `read` takes it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, path: Path) -> Spec:
        data: dict[str, Any] = json.loads(path.read_text())
        return cls(**{**data, "hosts": tuple(Host(**each) for each in data["hosts"])})


def program(spec: Spec) -> Callable[[], None]:
    """The Pulumi program: a configuration a host."""

    def run() -> None:
        # Imported here: the engine loads the program's modules anew for every run.
        from ipaddress import IPv4Interface

        from benchmark.wish import checks, pieces, services
        from components.host import (
            Connection,
            File,
            HostConfiguration,
            HostConfigurationArgs,
            Machine,
        )

        private_key = Path(spec.key).read_text()
        wanted = pieces(spec.seconds)
        for host in spec.hosts:
            machine = Machine(
                name=host.name,
                role="balancer",
                addresses={"management": IPv4Interface(f"{host.address}/16")},
                interfaces={"management": "host0"},
                connection=Connection(
                    host=host.address, private_key=private_key, host_key=host.host_key
                ),
                vm=None,
                host=None,
            )
            HostConfiguration(
                f"{host.name}-wish",
                HostConfigurationArgs(
                    machine=machine,
                    layer="benchmark",
                    files=tuple(File(path=each.path, content=each.text) for each in wanted),
                    checks=checks(wanted),
                    services=services(wanted),
                    epoch=spec.epoch,
                ),
            )

    return run


def up(spec: Spec) -> dict[str, int]:
    """Make the hosts so; returns operations by kind. As many steps at a time as there are hosts."""
    from lab.engine import workspace

    with workspace(
        "benchmark",
        program=program(spec),
        base=Path(spec.state),
        parallel=len(spec.hosts),
        project={"name": "layered-cloud", "runtime": "python"},
        config={},
    ) as engine:
        return dict(engine.up().changes)


def check(spec: Spec) -> dict[str, int]:
    """Ask every host, side by side; returns how many are true to their manifest.

    Raises:
        OursError: one is not, or did not answer.
    """
    from ops.checks.manifests import REPORT
    from ops.question import Machine
    from ops.transport import access, ask_all

    machines = [
        Machine(
            name=each.name, role="balancer", host=None, address=each.address, lan="", user="root",
            port=22, host_key=each.host_key, python=True,
        )
        for each in spec.hosts
    ]  # fmt: skip
    with access(Path(spec.key).read_text(), machines) as way:
        said = ask_all(way, {each.name: (each, [REPORT]) for each in machines}, 600.0)
    for name, answers in said.items():
        answer = answers.answers.get(REPORT.name)
        if answer is None or answer.status:
            raise OursError(f"{name}: {answers.silent or (answer and answer.words)}")
        reports = json.loads(answer.out)
        if [each["drift"] for each in reports] != [[]]:
            raise OursError(f"{name}: {answer.out}")
    return {"same": len(said)}


def main(argv: Sequence[str]) -> None:
    """Runs one of them, and prints what it did as JSON."""
    verb, path = argv
    run = {"up": up, "check": check}[verb]
    print(json.dumps(run(Spec.read(Path(path)))))


if __name__ == "__main__":
    main(sys.argv[1:])
