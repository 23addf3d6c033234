"""The checkout's program, run inline and fresh each time."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pulumi

_OURS = {"lab", "tests"}


def tree_program(tree: Path) -> Callable[[], None]:
    """The program of a checkout: its `__main__.py`, as the language host runs it."""

    def run() -> None:
        runpy.run_path(str(tree / "__main__.py"), run_name="__main__")

    return run


def for_people(program: Callable[[], object]) -> Callable[[], None]:
    """The program with errors that are meant for people (a class with `human = True`) shown as
    their text alone; any other error is a defect and is followed by the frames of its own code."""

    def run() -> None:
        try:
            program()
        except pulumi.RunError:
            raise
        except Exception as error:
            if getattr(type(error), "human", False):
                raise pulumi.RunError(str(error)) from error
            raise pulumi.RunError(f"{type(error).__name__}: {error}\n{_frames(error)}") from error

    return run


def _frames(error: Exception) -> str:
    """The traceback from where the program's own code begins."""
    frames = traceback.extract_tb(error.__traceback__)
    outside = {__file__, runpy.__file__, "<frozen runpy>"}
    own = [each for each in frames if each.filename not in outside]
    return "".join(traceback.format_list(own)).rstrip()


@contextmanager
def fresh_modules(tree: Path) -> Iterator[None]:
    """Inside, the modules of the program (settings, components, ...) are imported anew, from this
    tree; afterwards those that were loaded before are back."""
    names = {path.stem for path in tree.glob("*.py")} | {
        path.parent.name for path in tree.glob("*/__init__.py")
    }
    names -= {*_OURS, "__main__", "conftest"}
    before = _take(names)
    sys.path.insert(0, str(tree))
    try:
        yield
    finally:
        sys.path.remove(str(tree))
        _take(names)
        sys.modules.update(before)


def _take(names: set[str]) -> dict[str, ModuleType]:
    """Removes the loaded modules under these names, and returns them."""
    return {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in names
    }
