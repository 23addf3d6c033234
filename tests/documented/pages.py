"""Pages of the documentation as they are written: fenced blocks with their marks, code within
lines, links, headings. Pure: texts go in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[^`]*)$")
_COMMENT = re.compile(r"^ *<!-- (?P<mark>(?:run|shows):.*) -->$")
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)|<code[^>]*>([^<]+)</code>")
_LINK = re.compile(r"\]\(([^()\s]+)\)|<a href=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$")
_NAMED = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: the page, the line of its opening fence (from 1), the word behind the
    fence, its text without indentation, and the mark on the line before it, if there is one."""

    page: str
    line: int
    language: str
    text: str
    mark: str | None

    @property
    def place(self) -> str:
        """`PAGE:LINE`."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: its name from the checkout's root, its blocks, and its other lines by number."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    prose: dict[int, str] = field(default_factory=dict)

    def _paragraphs(self) -> Iterator[tuple[int, str]]:
        """Lines that follow each other, which a span of code may cross, with the first's number."""
        first, lines = 0, list[str]()
        for number, line in self.prose.items():
            if lines and line.strip() and number == first + len(lines):
                lines.append(line)
                continue
            if lines:
                yield first, "\n".join(lines)
            first, lines = number, [line]
        if lines:
            yield first, "\n".join(lines)

    def spans(self) -> Iterator[tuple[str, str]]:
        """Everything that is set as code within a line, each with its `PAGE:LINE`."""
        for first, text in self._paragraphs():
            for found in _SPAN.finditer(text):
                line = first + text.count("\n", 0, found.start())
                yield f"{self.name}:{line}", " ".join((found[1] or found[2]).split())

    def links(self) -> Iterator[tuple[str, str]]:
        """The targets of all links and pictures, each with its `PAGE:LINE`."""
        for first, text in self._paragraphs():
            for found in _LINK.finditer(_SPAN.sub("``", text)):
                yield (
                    f"{self.name}:{first + text.count(chr(10), 0, found.start())}",
                    (found[1] or found[2]),
                )

    def anchors(self) -> set[str]:
        """What a link to the page may have behind `#`, as GitHub makes it of the headings."""
        found, seen = set[str](), dict[str, int]()
        for line in self.prose.values():
            found.update(_NAMED.findall(line))
            if (heading := _HEADING.match(line)) is None:
                continue
            slug = slug_of(heading[1])
            times = seen.get(slug, 0)
            seen[slug] = times + 1
            found.add(f"{slug}-{times}" if times else slug)
        return found


def slug_of(heading: str) -> str:
    """A heading's anchor: lower case, of punctuation only - and _, blanks as -."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def read(name: str, text: str) -> Page:
    """A page out of its text. A fence is closed by one that is at least as long (CommonMark)."""
    page = Page(name=name)
    opening: re.Match[str] | None = None
    start, mark, inside = 0, None, list[str]()
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if opening is None and fence:
            comment = _COMMENT.match(before)
            opening, start, inside = fence, number, []
            mark = comment["mark"] if comment else None
        elif opening is None:
            page.prose[number] = line
        elif (
            fence and not fence["language"].strip() and len(fence["ticks"]) >= len(opening["ticks"])
        ):
            page.blocks.append(
                Block(
                    page=name,
                    line=start,
                    language=opening["language"].strip(),
                    text="".join(f"{each}\n" for each in inside),
                    mark=mark,
                )
            )
            opening = None
        else:
            inside.append(line.removeprefix(opening["indent"]))
        before = line
    return page
