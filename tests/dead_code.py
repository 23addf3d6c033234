"""Code that nothing reads: `python -m tests.dead_code`, part of `make lint`.

vulture over the program, with pyproject.toml's `[tool.vulture]`; what a template reads counts as
read. Tests do not count: what only they read is dead, unless it is there for them and so listed.
"""

from __future__ import annotations

import fnmatch
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, nodes
from vulture import Vulture

ROOT = Path(__file__).parent.parent


def read_by_templates(templates: Iterable[str]) -> Iterator[str]:
    """The attributes and variables that template texts read."""
    parser = Environment(extensions=["jinja2.ext.do"])  # noqa: S701 - nothing is rendered
    for text in templates:
        for node in parser.parse(text).find_all((nodes.Getattr, nodes.Name)):
            yield node.attr if isinstance(node, nodes.Getattr) else node.name


def unread(top: Path) -> list[str]:
    """What nothing reads in the tree at `top`, as `FILE:LINE: unused KIND 'NAME'`."""
    config = _config(top)
    return [
        f"{item.filename.relative_to(top)}:{item.first_lineno}: {item.message}"
        for item in _judge(top, config["ignore_names"]).get_unused_code()
    ]


def excused(top: Path) -> dict[str, list[str]]:
    """Each name or pattern of `ignore_names`, and the unread names that it lets pass."""
    found = {item.name for item in _judge(top, []).get_unused_code()}
    return {each: fnmatch.filter(found, each) for each in _config(top)["ignore_names"]}


def _config(top: Path) -> dict[str, Any]:
    text = (top / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["tool"]["vulture"]


def _judge(top: Path, ignore_names: Sequence[str]) -> Vulture:
    config = _config(top)
    judge = Vulture(ignore_names=ignore_names, ignore_decorators=config["ignore_decorators"])
    paths = [top / path for path in config["paths"] if (top / path).exists()]
    judge.scavenge(paths, exclude=[str(top / path) for path in config.get("exclude", [])])
    texts = (each.read_text("utf-8") for path in paths for each in path.rglob("*.j2"))
    judge.scan("\n".join(f"_.{name}" for name in sorted(set(read_by_templates(texts)))))
    return judge


if __name__ == "__main__":
    found = unread(ROOT)
    print("\n".join(found))
    if found:
        print("Take it away; if something reads it that cannot be seen: [tool.vulture] says how.")
    sys.exit(bool(found))
