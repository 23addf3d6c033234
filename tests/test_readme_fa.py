"""README.fa.md says in Persian what README.md and docs/proxmox.md say, and does not fall behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PERSIAN = "README.fa.md"
SOURCES = ("README.md", "docs/proxmox.md")
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`|<code[^>]*>([^<]+)</code>")
COMMAND = re.compile(r"(?:\$\()?(?:make|pip|pulumi|pveum|python) ")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(document: str) -> set[str]:
    """Every command of its fenced blocks, without comments."""
    lines = "".join(FENCED.findall(document)).splitlines()
    return {command for line in lines if (command := re.sub(r"\s+#.*", "", line).strip())}


def spans(document: str) -> set[str]:
    """Everything that is set as code within a line."""
    return {marked or tagged for marked, tagged in INLINE.findall(FENCED.sub("", document))}


def test_every_command_stands_in_the_english_documents_too() -> None:
    known = {each for name in SOURCES for each in blocks(text(name)) | spans(text(name))}
    named = blocks(text(PERSIAN))
    assert {"make up", "make test", "pulumi up -s dev"} <= named
    named |= {each for each in spans(text(PERSIAN)) if COMMAND.match(each)}
    assert sorted(named - known) == []


def test_the_way_to_ones_own_hosts_leaves_out_no_command() -> None:
    assert sorted(blocks(text("docs/proxmox.md")) - blocks(text(PERSIAN))) == []


def test_the_figures_are_those_of_the_english_readme() -> None:
    english = text("README.md").split("\n## Figures\n")[1].split("\n## ")[0]
    persian = text(PERSIAN).split("\n## چقدر طول می‌کشد\n")[1].split("\n## ")[0]
    # \d is a digit of any script, and int() reads them all.
    figures = [int(each) for each in re.findall(r"\d+", english)]
    assert len(figures) > 10
    assert [int(each) for each in re.findall(r"\d+", persian)] == figures


@pytest.mark.parametrize("name", ["README.md", PERSIAN])
def test_what_a_readme_links_to_exists(name: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(name))
    assert {"README.md", PERSIAN} - {name} <= set(targets)
    assert [each for each in targets if "://" not in each and not (ROOT / each).exists()] == []
