"""Runs the Pulumi command line as a child that is cancelled in good order."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

Line = Callable[[str], Any]
_KEPT = frozenset({"PULUMI_DEBUG_COMMANDS", "PULUMI_DEBUG_GRPC"})


class OwnCommand(PulumiCommand):
    """The command line in a session of its own: Ctrl-C reaches it once, from us, and it ends the
    steps under way (the second time at once); when this process dies, it is told to end too.

    Of the environment, PULUMI_* does not pass: the user's own backend is none of ours.
    """

    def __init__(self, root: Path, version: str) -> None:
        # Not the SDK's own constructor, which runs the command to ask for the version.
        self.command = str(root / "bin" / "pulumi")
        self.version = VersionInfo.parse(version)
        self.interrupted = False
        self.log: IO[str] | None = None
        """Takes a copy of everything the command line says."""
        self.notify: Line = lambda line: print(line, file=sys.stderr)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Line | None = None,
        on_error: Line | None = None,
    ) -> CommandResult:
        """As `PulumiCommand.run`. Raises its `CommandError`."""
        flags = args[: args.index("--")] if "--" in args else args
        argv = [
            self.command,
            *([] if "--non-interactive" in flags else ["--non-interactive"]),
            *args,
        ]
        with subprocess.Popen(
            [*_dies_with_us(), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=self._environment(additional_env),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said: list[str] = []
            complained: list[str] = []
            # What a query prints in clear is for its caller alone.
            log = None if "--show-secrets" in flags else self.log
            readers = [
                threading.Thread(target=self._read, args=(process.stdout, on_output, said, log)),
                threading.Thread(
                    target=self._read, args=(process.stderr, on_error, complained, log)
                ),
            ]
            with self._forwarding(process):
                for each in readers:
                    each.start()
                for each in readers:
                    each.join()
                code = process.wait()
        result = CommandResult(stdout="\n".join(said), stderr="\n".join(complained), code=code)
        if code != 0:
            raise create_command_error(result)
        return result

    def _environment(self, additional: Mapping[str, str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PULUMI_") or name in _KEPT
        }
        path = os.pathsep.join([str(Path(self.command).parent), inherited.get("PATH", os.defpath)])
        return {**inherited, **additional, "PULUMI_AUTOMATION_API": "true", "PATH": path}

    def _read(
        self, stream: IO[str], show: Line | None, lines: list[str], log: IO[str] | None
    ) -> None:
        for line in stream:
            text = line.rstrip()
            lines.append(text)
            if log is not None:
                log.write(f"{text}\n")
            if show:
                show(text)

    @contextlib.contextmanager
    def _forwarding(self, process: subprocess.Popen[str]) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def forward(number: int, _frame: object) -> None:
            first, self.interrupted = not self.interrupted, True
            self.notify(
                "cancelling: the steps under way are ended; once more ends at once"
                if first
                else "ending at once"
            )
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)

        before = {each: signal.signal(each, forward) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _dies_with_us() -> list[str]:
    # setpriv(1) sets PR_SET_PDEATHSIG between fork and exec, which Python cannot do safely here.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []
