"""What is untrue in a page: blocks without a mark, commands, keys, files and links that there are
not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from tests.documented import commands, fragments, marks, pages

ROOT: Final = Path(__file__).parents[2]


def names(root: Path = ROOT) -> list[str]:
    """The pages whose blocks and commands are judged."""
    docs = sorted(path.relative_to(root).as_posix() for path in (root / "docs").glob("*.md"))
    return ["README.md", "README.fa.md", *docs]


def everything(root: Path = ROOT) -> dict[str, pages.Page]:
    """All pages, with those of decisions, of which only links are judged."""
    further = sorted((root / "docs" / "adr").glob("*.md"))
    every = [*names(root), *(path.relative_to(root).as_posix() for path in further)]
    return {name: pages.read(name, (root / name).read_text(encoding="utf-8")) for name in every}


def untrue(root: Path = ROOT) -> Iterator[str]:
    """Everything that is wrong in any page, as `PAGE:LINE: WHAT`."""
    every = everything(root)
    for name in names(root):
        yield from of_blocks(every[name])
        yield from of_spans(every[name])
    for page in every.values():
        yield from of_links(page, every, root)


def of_blocks(page: pages.Page) -> Iterator[str]:
    """Wrong marks, and what is wrong in the blocks by what their marks say that they are."""
    for block in page.blocks:
        if block.mark is None:
            yield f"{block.place}: no mark on the line before the block (tests/documented/marks.py)"
            continue
        try:
            mark = marks.parse(block.mark)
        except marks.Unknown as unknown:
            yield f"{block.place}: {unknown}"
            continue
        for said in of_block(block, mark):
            yield f"{block.place}: {said}"


def of_block(block: pages.Block, mark: marks.Mark) -> Iterator[str]:
    """What is wrong in a block."""
    if mark.kind == "by":
        for path in mark.what.split(", "):
            if not (ROOT / path).is_file():
                yield f"there is no {path}"
    if mark.runs:
        for line in commands.lines(block.text):
            yield from commands.wrong(line)
    elif mark.what == "stack":
        yield from fragments.wrong(block.text, _lab())
    elif mark.what == "code" and block.language == "python":
        yield from commands.not_there(block.text)


def of_spans(page: pages.Page) -> Iterator[str]:
    """What is wrong with commands, keys and paths within sentences."""
    for place, span in page.spans():
        for said in commands.wrong(span, mention=True):
            yield f"{place}: {said}"
        if said := commands.no_file(span):
            yield f"{place}: {said}"


def of_links(page: pages.Page, every: Mapping[str, pages.Page], root: Path = ROOT) -> Iterator[str]:
    """Links to files and headings that there are not."""
    for place, link in page.links():
        target, _, anchor = link.partition("#")
        if ":" in target:
            continue
        path = (root / page.name).parent.joinpath(target) if target else root / page.name
        if not path.exists():
            yield f"{place}: there is no {link}"
            continue
        name = path.resolve().relative_to(root.resolve()).as_posix()
        if anchor and name in every and anchor not in every[name].anchors():
            yield f"{place}: {name} has no heading {anchor}"


@cache
def _lab() -> str:
    return (ROOT / "Pulumi.lab.yaml").read_text(encoding="utf-8")
