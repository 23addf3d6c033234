"""docs/settings.md says what the models say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from settings.document import BEGIN, END, tables
from settings.keys import SECRETS
from settings.models.stack import Stack

PAGE = Path(__file__).parent.parent.parent / "docs" / "settings.md"


def every_key(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in models_in(field.annotation):
            yield from every_key(inner)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def test_the_page_carries_the_tables_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    assert page[begin:end].strip() == tables().strip(), (
        "write the output of `python -m settings tables` between the marks of docs/settings.md"
    )


def test_every_key_and_every_secret_is_named_in_a_table() -> None:
    named = set(re.findall(r"^\| `([^`]+)` \|", tables(), flags=re.MULTILINE))
    last = {key.rpartition(".")[2].removesuffix("[]") for key in named}
    sections = set(Stack.model_fields)
    assert set(every_key(Stack)) - sections <= last
    assert {f"layered-cloud:{name}" for name in SECRETS} <= named


def test_every_key_has_a_meaning_and_every_link_a_heading() -> None:
    rows = [line.split(" | ") for line in tables().splitlines() if line.startswith("| `")]
    assert [row for row in rows if not row[-1].strip(" |")] == []
    headings = {
        line.removeprefix("## ").replace(" ", "-")
        for line in tables().splitlines()
        if line.startswith("## ")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", tables())) <= headings


def test_every_model_says_what_it_is() -> None:
    def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
        yield model
        for field in model.model_fields.values():
            for inner in models_in(field.annotation):
                yield from models(inner)

    assert [each.__name__ for each in set(models(Stack)) if "__doc__" not in vars(each)] == []
