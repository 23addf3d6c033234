"""The engine by hand: `python -m lab.engine preview --stack prod --base main`."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lab.engine.cli import ensure_cli
from lab.engine.compare import difference, markdown
from lab.engine.engine import OFFLINE, Engine, workspace
from lab.engine.errors import EngineCancelled, EngineError
from lab.engine.fetch import fetch
from lab.engine.recorded import Recorded
from lab.engine.run import Result
from lab.engine.summary import Plan, summary
from lab.paths import CHECKOUT
from lab.software.plugins import NAMES

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
StackName = Annotated[str, typer.Option("--stack", "-s", help="the stack's name")]
Overlay = Annotated[
    bool,
    typer.Option(
        "--overlay",
        help='read {"config": {KEY: VALUE}, "secrets": {KEY: TEXT}} as JSON on stdin, laid over '
        "the stack file's keys",
    ),
]


@app.command()
def preview(  # noqa: PLR0917 - typer makes options of them
    stack: StackName = "dev",
    base: Annotated[str, typer.Option(help="compare with the plan of this revision")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="the engine's JSON")] = False,
    full: Annotated[bool, typer.Option(help="the whole plan, every property of it")] = False,
    live: Annotated[bool, typer.Option(help="against the running lab's state")] = False,
    plan_to: Annotated[
        Path | None, typer.Option(help="write the plan there too, as the engine's JSON has it")
    ] = None,
    tree: Annotated[Path, typer.Option(hidden=True)] = CHECKOUT,
) -> None:
    """The plan of a stack on one screen, offline, against an empty state; with --base what changes
    to it, with --full every property of it."""
    if live:
        with workspace(stack, tree=tree) as engine:
            _show_plan(engine, as_json, full, plan_to)
        return
    with workspace(stack, tree=tree, throw_away=True, env={OFFLINE: "1"}) as engine:
        if not base:
            _show_plan(engine, as_json, full, plan_to)
            return
        new = engine.preview_steps()
    if plan_to:
        _write(plan_to, new)
    old = _plan_of(tree, base, stack)
    found = difference(old, new)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        print(markdown(found, stack=stack, base=base))


def _show_plan(engine: Engine, as_json: bool, full: bool, plan_to: Path | None) -> None:
    if as_json:
        steps = engine.preview_steps()
        print(json.dumps(steps, indent=2))
        if plan_to:
            _write(plan_to, steps)
        return
    plan, recorded = Plan(), Recorded()

    def see(event: Any) -> None:
        plan.see(event)
        recorded.see(event)

    done = engine.preview(diff=full, on_output=print if full else None, on_event=see)
    if not full:
        for warning in done.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        print(summary(plan, engine.name))
        print(f"\nThe whole plan, every property of it: make preview STACK={engine.name} FULL=1")
    if plan_to:
        _write(plan_to, recorded.plan())


def _write(path: Path, plan: dict[str, Any]) -> None:
    """For nobody else to read: it names every machine and file."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(plan), encoding="utf-8")


def _plan_of(tree: Path, revision: str, stack: str) -> dict[str, Any]:
    """The plan of another revision, made from an export of it by a process of its own."""
    archive = subprocess.run(
        ["git", "-C", str(tree), "archive", "--format=tar", revision],
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        words = archive.stderr.decode(errors="replace").strip()
        raise EngineError(f"{words}\n--base {revision}: not a revision of this checkout")
    with tempfile.TemporaryDirectory(prefix="layered-cloud-base-") as directory:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(directory, filter="data")
        if not (Path(directory) / f"Pulumi.{stack}.yaml").exists():
            return {"steps": []}
        command = ["preview", "--stack", stack, "--json", "--tree", directory]
        answer = subprocess.run(
            [sys.executable, "-m", "lab.engine", *command],
            capture_output=True,
            text=True,
            check=False,
            cwd=CHECKOUT,
        )
    if answer.returncode != 0:
        raise EngineError(f"{answer.stderr.strip()}\n(this is the plan of {revision})")
    plan: dict[str, Any] = json.loads(answer.stdout)
    return plan


@app.command()
def up(stack: StackName = "lab", overlay: Overlay = False, as_json: bool = False) -> None:
    """Make the stack of the lab's own backend what the program says."""
    _act(stack, overlay, as_json, lambda engine, show: engine.up(on_output=show))


@app.command()
def destroy(stack: StackName = "lab", overlay: Overlay = False, as_json: bool = False) -> None:
    """Remove every resource of the stack."""
    _act(stack, overlay, as_json, lambda engine, show: engine.destroy(on_output=show))


@app.command()
def refresh(stack: StackName = "lab", overlay: Overlay = False, as_json: bool = False) -> None:
    """Take the live resources into the state."""
    _act(stack, overlay, as_json, lambda engine, show: engine.refresh(on_output=show))


def _act(
    stack: str,
    overlay: bool,
    as_json: bool,
    action: Callable[[Engine, Callable[[str], None]], Result],
) -> None:
    with workspace(stack, **_overlay(overlay)) as engine:
        done = action(engine, lambda line: print(line, file=sys.stderr if as_json else sys.stdout))
    if as_json:
        answer = {"changes": dict(done.changes), "seconds": round(done.seconds, 1),
                  "steps": done.steps, "warnings": done.warnings, "log": str(done.log)}  # fmt: skip
        print(json.dumps(answer, indent=2))


def _overlay(wanted: bool) -> dict[str, Any]:
    if not wanted:
        return {}
    given = json.load(sys.stdin)
    unknown = set(given) - {"config", "secrets"}
    if unknown:
        raise EngineError(f"--overlay: {', '.join(sorted(unknown))}: only config and secrets")
    return dict(given)


@app.command()
def outputs(
    stack: StackName = "lab",
    name: Annotated[
        str, typer.Argument(help="one output's value; a text is printed as it is")
    ] = "",
    show_secrets: Annotated[bool, typer.Option(help="show secrets in clear")] = False,
) -> None:
    """The stack's outputs; secrets only when asked for."""
    with workspace(stack) as engine:
        values = engine.outputs()
        hidden = set() if show_secrets else engine.secret_outputs()
    values = {key: "[secret]" if key in hidden else value for key, value in values.items()}
    if name and name not in values:
        raise EngineError(f"no output {name}; there are {', '.join(sorted(values)) or 'none'}")
    chosen = values[name] if name else values
    print(chosen if isinstance(chosen, str) else json.dumps(chosen, indent=2))


@app.command()
def cancel(stack: StackName = "lab") -> None:
    """Take away the lock of a run that was killed."""
    with workspace(stack) as engine:
        engine.cancel()


@app.command()
def plugins() -> None:
    """Fetch the providers' real plugins by the engine's own installer; then none is built."""
    missing = 0
    for each in fetch(ensure_cli()):
        print(each, flush=True)
        missing += each.path is None
    if missing:
        raise EngineError(
            f"{missing} of {len(NAMES)} could not be fetched; next: run this where their server "
            "can be reached, or go on without: make up does not need them"
        )


def main() -> None:
    """Runs the command; an error for people is its text and exit status 1."""
    try:
        app(standalone_mode=False)
    except EngineCancelled as error:
        print(error, file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        if not getattr(type(error), "human", False):
            click_error = _usage(error)
            if click_error is None:
                raise
            raise SystemExit(click_error) from None
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _usage(error: Exception) -> int | None:
    """Prints a mistake in the arguments as typer does; None for any other error."""
    show = getattr(error, "show", None)
    if show is None:
        return None
    with contextlib.suppress(BrokenPipeError):
        show()
    return int(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    main()
