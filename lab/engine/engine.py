"""One stack of one backend, and what can be done with it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.engine import checkpoint, locks
from lab.engine.cli import Cli, ensure_cli
from lab.engine.process import Line
from lab.engine.run import Result
from lab.engine.session import Session
from lab.engine.workdir import WorkDir
from lab.paths import CHECKOUT, state_dir

PARALLEL = 8
"""Steps at a time: enough to keep two cores busy while machines boot, not to drown them."""
OFFLINE = "LAYERED_CLOUD_OFFLINE"
"""Set to 1 for a preview that reaches nothing: a stand-in then answers look-ups by itself."""


class Engine(Session):
    """A stack. Made by `workspace`; a context manager when it is a throw-away one."""

    # -- runs

    def up(
        self,
        *,
        on_output: Line | None = None,
        on_event: Line | None = None,
        target: list[str] | None = None,
        replace: list[str] | None = None,
        refresh: bool = False,
    ) -> Result:
        """Makes the stack what the program says. `replace` names URNs to replace on purpose.

        Raises `EngineError`, `EngineCancelled` after Ctrl-C.
        """
        with self._run("up", on_event) as run:
            self._forget_cut_creations()
            done = self._selected().up(
                parallel=self._parallel,
                target=target,
                replace=replace,
                refresh=refresh or None,
                color="never",
                suppress_progress=True,
                on_output=on_output,
                on_event=run.see,
                program=self._program,
            )
            run.finish(done.stdout)
        return run.result

    def preview(
        self,
        *,
        diff: bool = True,
        target: list[str] | None = None,
        on_output: Line | None = None,
        on_event: Line | None = None,
    ) -> Result:
        """What `up` would do, as the command line shows it (`diff`: every property)."""
        with self._run("preview", on_event) as run:
            done = self._selected().preview(
                parallel=self._parallel,
                target=target,
                diff=diff,
                color="never",
                suppress_progress=True,
                on_output=on_output,
                on_event=run.see,
                program=self._program,
            )
            run.finish(done.stdout)
        return run.result

    def preview_steps(self) -> dict[str, Any]:
        """What `pulumi preview --json` gives: `steps`, `changeSummary`, `diagnostics`."""
        with self._run("preview", None) as run:
            done = self._selected().preview(
                parallel=self._parallel, json=True, on_event=run.see, program=self._program
            )
            run.finish("")
        start = done.stdout.find("{")
        steps: dict[str, Any] = json.loads(done.stdout[start:])
        return steps

    def refresh(self, *, on_output: Line | None = None, on_event: Line | None = None) -> Result:
        """Takes the live resources into the state."""
        with self._run("refresh", on_event) as run:
            done = self._selected().refresh(
                parallel=self._parallel,
                color="never",
                suppress_progress=True,
                on_output=on_output,
                on_event=run.see,
            )
            run.finish(done.stdout)
        return run.result

    def destroy(
        self,
        *,
        on_output: Line | None = None,
        on_event: Line | None = None,
        continue_on_error: bool = False,
    ) -> Result:
        """Removes every resource; the stack itself stays, empty. Protected resources are refused
        by the engine."""
        with self._run("destroy", on_event) as run:
            done = self._selected().destroy(
                parallel=self._parallel,
                color="never",
                suppress_progress=True,
                continue_on_error=continue_on_error or None,
                on_output=on_output,
                on_event=run.see,
            )
            run.finish(done.stdout)
        return run.result

    # -- questions

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs in clear, secrets too: never print the whole of it."""
        return checkpoint.opened(self.workdir, checkpoint.outputs(self.workdir))

    def secret_outputs(self) -> set[str]:
        """The names of the outputs that are secret, as a whole or within."""
        sealed = checkpoint.outputs(self.workdir)
        return {name for name, each in sealed.items() if checkpoint.holds_secret(each)}

    def cancel(self) -> None:
        """Takes away the lock that a killed run left behind (every run does so too)."""
        with self._locked():
            locks.clear(self.workdir)

    def export_plain_state(self) -> str:
        """The state as it lies on the disk, where a secret must not be readable."""
        files = sorted(self.workdir.backend.rglob("*"))
        return "\n".join(each.read_text() for each in files if each.is_file())

    def state(self) -> dict[str, Any]:
        """The state as `pulumi stack export` gives it (secrets encrypted): `resources`,
        `pending_operations`, ..."""
        with self._told():
            return dict(self._selected().export_stack().deployment or {})

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state (secrets encrypted), in their order of creation."""
        return list(self.state().get("resources") or [])


def workspace(
    stack: str,
    *,
    tree: Path = CHECKOUT,
    program: Callable[[], object] | None = None,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    parallel: int = PARALLEL,
    cli: Cli | None = None,
    base: Path | None = None,
    throw_away: bool = False,
    project: Mapping[str, Any] | None = None,
) -> Engine:
    """The engine for a stack of a checkout.

    `config` (whole keys such as `layered-cloud:networks`, any YAML value) and `secrets` (texts)
    are laid over the stack file's; `program` takes the place of the tree's `__main__.py`;
    `project` of its Pulumi.yaml. The state is kept under `base` (`state_dir()/engine`), or in a
    temporary directory when `throw_away`. Raises `EngineError` for an unknown stack, and
    `BuildError` when there is no command line and none can be built.
    """
    cli = cli or ensure_cli()
    temporary = tempfile.TemporaryDirectory(prefix="layered-cloud-") if throw_away else None
    where = Path(temporary.name) if temporary else base or state_dir() / "engine"
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    workdir = WorkDir(base=where, stack=stack, throw_away=throw_away)
    try:
        workdir.prepare(
            tree, config=config, secrets=secrets, project=project, keep_ciphertext=not throw_away
        )
        return Engine(
            stack=stack,
            workdir=workdir,
            cli=cli,
            tree=tree,
            program=program,
            environment=env or {},
            parallel=parallel,
            temporary=temporary,
        )
    except BaseException:
        if temporary:
            temporary.cleanup()
        raise
