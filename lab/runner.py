"""Pulumi as it runs in the lab: in the runner's namespace, on the management network only.

`engine()` gives the lab stack's engine to whoever is already there; `python -m lab.runner VERB`,
started by `inside()`, is the way in from outside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab.network.ip import argv_in
from lab.network.topology import Topology
from lab.paths import CHECKOUT, state_dir
from lab.stack import NAME
from lab.steps import Steps

if TYPE_CHECKING:
    from lab.engine import Engine, Result

HELM = "LAYERED_CLOUD_HELM"


def folder() -> Path:
    """What the runner is given: the lab stack's configuration and its secrets."""
    return state_dir() / "runner"


def give(config: Mapping[str, Any], secrets: Mapping[str, str], helm: Path) -> None:
    """Leave the configuration and the secrets (mode 0600) for the runner."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    given = {"config": dict(config), "secrets": dict(secrets), "helm": str(helm)}
    path = folder() / "given.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(given, sort_keys=False))


def given() -> dict[str, Any]:
    """What `give` left.

    Raises:
        EngineError: no lab was ever begun here.
    """
    try:
        data: dict[str, Any] = yaml.safe_load((folder() / "given.yaml").read_text())
    except FileNotFoundError:
        from lab.engine import EngineError

        raise EngineError("there is no lab here; next: make up") from None
    return data


def engine(
    program: Callable[[], object] | None = None, changes: Mapping[str, Any] | None = None
) -> Engine:
    """The lab stack's engine. `program` takes the place of `__main__.py`, `changes` (whole keys)
    are laid over the configuration for this run."""
    # Pulumi's SDK is for the process that runs it: whoever starts that one does without.
    from lab.engine import workspace

    data = given()
    return workspace(
        NAME,
        program=program,
        config={**data["config"], **(changes or {})},
        secrets=data["secrets"],
        env={HELM: data["helm"]},
    )


def inside(argv: Sequence[str], topology: Topology | None = None) -> list[str]:
    """The command line that runs `argv` in the runner's namespace; it ends with its caller, so
    that a killed command leaves no run behind."""
    namespace = (topology or Topology.default()).namespace("runner")
    return ["setpriv", "--pdeathsig", "TERM", *argv_in(namespace, argv)]


def run(*words: str, topology: Topology | None = None) -> int:
    """Run one of this module's verbs in the runner's namespace, its output shown; exit status."""
    argv = inside([sys.executable, "-m", "lab.runner", *words], topology)
    with subprocess.Popen(argv, cwd=CHECKOUT) as child:
        # Ctrl-C reaches both: the one that runs there cancels in good order, this one waits.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def leave_access(outputs: Mapping[str, Any], secret: set[str]) -> None:
    """Write what people and probes log in with; whatever is secret gets mode 0600."""
    access = state_dir() / "access"
    access.mkdir(parents=True, exist_ok=True, mode=0o700)
    inventory = outputs.get("inventory") or {}
    known = [
        f"{row['addresses']['management']} {row['host_key'].strip()}"
        for row in inventory.get("machines", {}).values()
    ]
    texts = {
        "known_hosts": "\n".join(known) + "\n",
        "deploy_key": outputs.get("deploy_key") or "",
        "kubeconfig": outputs.get("kubeconfig") or "",
        "outputs.json": json.dumps({k: v for k, v in outputs.items() if k not in secret}, indent=1),
    }
    for name, text in texts.items():
        path = access / name
        path.touch(mode=0o600)
        path.write_text(text)


def _say(line: str) -> None:
    print(line, flush=True)


def _told(steps: Steps, result: Result) -> None:
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(result.changes.items()))
    changed = f"{result.changed} changes" if result.changed else "no changes"
    steps.console.print(f"[bold]{changed}[/bold] ({counted or 'nothing there'})")
    (folder() / "last.json").write_text(
        json.dumps({"changes": dict(result.changes), "changed": result.changed,
                    "seconds": result.seconds, "log": str(result.log)})
    )  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """`up`, `destroy` or `preview` of the lab stack, from inside the runner's namespace."""
    from lab.engine import EngineCancelled, EngineError

    steps = Steps()
    verb = argv[0]
    try:
        with engine() as stack:
            if verb == "up":
                _told(steps, stack.up(on_output=_say))
                leave_access(stack.outputs(), stack.secret_outputs())
            elif verb == "destroy":
                if stack.exists():
                    _told(steps, stack.destroy(on_output=_say))
            elif verb == "preview":
                _say(stack.preview().text)
            else:
                raise EngineError(f"no such verb: {verb}; up, destroy or preview")
    except (EngineError, EngineCancelled) as problem:
        steps.console.print(str(problem), style="red", markup=False)
        return 130 if isinstance(problem, EngineCancelled) else 1
    return 0


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    sys.exit(main(sys.argv[1:]))
