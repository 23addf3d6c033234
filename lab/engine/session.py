"""How a run of a stack is held: one at a time, with a log, over a state that these plugins made."""

from __future__ import annotations

import fcntl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import getpid
from pathlib import Path
from types import TracebackType
from typing import Self

from pulumi.automation import LocalWorkspace
from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from lab.engine import locks, pending, plugins
from lab.engine.cli import Cli
from lab.engine.errors import EngineCancelled, EngineError, failure_text, plain
from lab.engine.process import Line, OwnCommand
from lab.engine.program import for_people, fresh_modules, tree_program
from lab.engine.run import Run, await_programs, bury_coroutines
from lab.engine.stack import OwnStack
from lab.engine.workdir import WorkDir


class Session:
    """A stack of one backend, and what every run of it goes through."""

    def __init__(
        self,
        *,
        stack: str,
        workdir: WorkDir,
        cli: Cli,
        tree: Path,
        program: Callable[[], object] | None,
        environment: Mapping[str, str],
        parallel: int,
        temporary: tempfile.TemporaryDirectory[str] | None,
    ) -> None:
        self.name = stack
        self.workdir = workdir
        self.cli = cli
        self.plugins = plugins.install(workdir.home)
        self._tree = tree
        self._program = for_people(program or tree_program(tree))
        self._parallel = parallel
        self._temporary = temporary
        self._command = OwnCommand(cli.root, cli.version)
        self._environment = {**workdir.environment(), **environment}
        self._stack: OwnStack | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes a throw-away work directory; leaves a lasting one as it is."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def exists(self) -> bool:
        """Whether a run was ever begun here."""
        return any(self.workdir.backend.glob(f".pulumi/stacks/*/{self.name}.json"))

    def _selected(self) -> OwnStack:
        if self._stack is None:
            workspace = LocalWorkspace(
                work_dir=str(self.workdir.path),
                pulumi_home=str(self.workdir.home),
                env_vars=self._environment,
                pulumi_command=self._command,
                secrets_provider="passphrase",
            )
            self._stack = OwnStack(self.name, workspace, exists=self.exists())
        return self._stack

    @contextmanager
    def _run(self, verb: str, on_event: Line | None) -> Iterator[Run]:
        log = self.workdir.logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{verb}-{getpid()}.log"
        run = Run(log, on_event)
        with self._locked(), fresh_modules(self._tree), log.open("w") as file:
            log.chmod(0o600)
            self._command.log = file
            self._command.interrupted = False
            try:
                locks.clear(self.workdir)
                self._same_plugins(verb)
                yield run
            except CommandError as error:
                told = failure_text(run.diagnostics, str(error))
                for each in run.diagnostics:
                    file.write(f"{each.severity}: {plain(each.message)}  [{each.urn}]\n")
                kept = None if self._temporary else log
                if self._command.interrupted:
                    raise EngineCancelled(f"{verb}: cancelled", log=kept) from None
                if isinstance(error, ConcurrentUpdateError):
                    told = f"another run holds the stack {self.name}: {told}"
                raise EngineError(told, log=kept) from None
            finally:
                self._command.log = None
                await_programs()
                bury_coroutines()

    def _forget_cut_creations(self) -> None:
        """Takes out of the state that a run was cut off while it made something: the engine would
        warn of it at every run from then on, and does nothing else about it."""
        if not pending.creations(self.workdir, self.name):
            return
        stack = self._selected()
        state = stack.export_stack()
        state.deployment = pending.without_creations(dict(state.deployment or {}))
        stack.import_stack(state)

    def _same_plugins(self, verb: str) -> None:
        if self._temporary is None:
            if not self.exists():
                plugins.record(self.workdir.made_with, self.plugins)
            elif verb != "destroy":
                plugins.check(self.workdir.made_with, self.plugins)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except CommandError as error:
            raise EngineError(failure_text([], str(error))) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.workdir.lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EngineError(
                    f"another run of the stack {self.name} is under way here; wait for it or end it"
                ) from None
            yield
