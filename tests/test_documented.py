"""What is untrue in a page is told with its place; nothing in the pages is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documented import commands, fragments, judge, marks, pages

LAB = (judge.ROOT / "Pulumi.lab.yaml").read_text(encoding="utf-8")


def told(text: str) -> list[str]:
    page = pages.read("page.md", text)
    return [*judge.of_blocks(page), *judge.of_spans(page)]


def block(mark: str, text: str, language: str = "") -> str:
    return f"words\n\n<!-- {mark} -->\n```{language}\n{text}\n```\n"


def test_nothing_in_the_documentation_is_untrue() -> None:
    assert list(judge.untrue()) == []


def test_a_longer_fence_holds_shorter_ones_and_indentation_goes() -> None:
    text = "`````markdown\n````diff\n+ x\n````\n`````\n\n"
    text += "   <!-- run: own -->\n   ```\n   a\n     b\n   ```\n"
    first, second = pages.read("page.md", text).blocks
    assert (first.line, first.language, first.mark) == (1, "markdown", None)
    assert first.text == "````diff\n+ x\n````\n"
    assert (second.line, second.mark, second.text) == (8, "run: own", "a\n  b\n")


@pytest.mark.parametrize(
    ("mark", "kind", "what", "status"),
    [
        ("run: offline", "offline", "", 0),
        ("run: offline, exit 1", "offline", "", 1),
        ("run: lab", "lab", "", 0),
        ("run: lab, on router", "lab", "router", 0),
        ("run: by tests/x.py", "by", "tests/x.py", 0),
        ("run: own", "own", "", 0),
        ("run: never, it asks", "never", "it asks", 0),
        ("shows: stack", "shows", "stack", 0),
    ],
)
def test_a_mark_is_read(mark: str, kind: str, what: str, status: int) -> None:
    found = marks.parse(mark)
    assert (found.kind, found.what, found.status) == (kind, what, status)


@pytest.mark.parametrize(
    "mark",
    ["run: never", "run: never, ", "run: lab, on depot", "run: offlin", "shows: thing", "run: by"],
)
def test_a_mark_that_says_nothing_is_refused(mark: str) -> None:
    (said,) = told(block(mark, "true"))
    assert said.startswith(f"page.md:4: {mark.strip()}")


def test_a_block_needs_a_mark_on_the_line_before_it() -> None:
    (said,) = told("<!-- run: offline -->\n\n```\ntrue\n```\n")
    assert said.startswith("page.md:3: no mark")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("make upp", "make upp: there is no such target"),
        ("make up PROFIL=single", "make PROFIL=single: the Makefile has no PROFIL"),
        ("make up PROFILE=sinlge", "make PROFILE=sinlge: there are"),
        ("make preview STACK=production", "make STACK=production: there are dev, lab, prod"),
        ("python -m lab.sofware status", "python -m lab.sofware: there is no such module"),
        ("python -m components", "python -m components: a package that does not run"),
        ("python -m lab dril", "python -m lab dril: No such command 'dril'"),
        ("python -m lab drill --run 20", "No such option"),
        ("python -m lab drill --runs many", "Invalid value for '--runs'"),
        ("python -m lab shell", "Missing"),
        ("python -m ops chekc --stack prod", "invalid choice: 'chekc'"),
        ("python -m ops check --stak prod", "unrecognized arguments: --stak prod"),
        ("python -m settings explain", "the following arguments are required: KEY"),
        ("python -m settings init x --wann=1", "unrecognized arguments: --wann=1"),
        ("python -m settings check Pulumi.production.yaml", "there is no Pulumi.production.yaml"),
        ("python -m policy.judge --all plan.json", "takes no options"),
        ("python -m lab.software.depot --listen 192.0.2.4", "give ADDRESS:PORT"),
        ("ssh HOST 'cd x && python -m ops chekc'", "invalid choice: 'chekc'"),
        ("$(make -s python) -m pytest tests/nothing.py", "there is no tests/nothing.py"),
        ("pulumi config set --secret layered-cloud:tlsKeys < FILE", "layered-cloud:tlsKeys is no"),
        ("pulumi config rm --path layered-cloud:cluster.restor", "cluster.restor is no key"),
    ],
)
def test_a_command_that_is_not_so_is_told(command: str, said: str) -> None:
    (found,) = told(block("run: own", f"true && {command}   # words\ntrue"))
    assert found.startswith("page.md:4: ")
    assert said in found


@pytest.mark.parametrize(
    "command",
    [
        "make up PROFILE=NAME",
        "python -m lab shell client -- curl -sk --resolve a:443:192.0.2.1 https://a/",
        "python -m lab.software status [--json]",
        "python -m settings init --help",
        "python -m ops check --stack prod --outputs -",
        "pulumi config set --path layered-cloud:cluster.restore.archive x",
        "python - <<'PY'\nmake nothing\nPY",
    ],
)
def test_a_command_that_is_so_is_not_told(command: str) -> None:
    assert told(block("run: own", command)) == []


def test_within_a_sentence_arguments_may_be_left_out_but_not_invented() -> None:
    assert told("Ask `python -m settings explain`, `python -m lab shell`.") == []
    assert told("Ask\n`python -m settings\nexplian`.")[0].startswith("page.md:2: ")
    assert told("See `lab/probes/catalog.py`.") == ["page.md:1: there is no lab/probes/catalog.py"]


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        ("routers: { vrp: {} }", "routers.vrp is no key of a stack"),
        ("routers: { …, vips: [{ …, wan_id: 1 }] }", "routers.vips[].wan_id is no key of a stack"),
        ("layered-cloud:balancer: {}", "balancer is no key of a stack"),
        ("balancers: { max_connections: many }", "layered-cloud:balancers.max_connections"),
        ("- a", "no piece of a stack file"),
        ("a: [", "no YAML"),
    ],
)
def test_a_piece_of_a_stack_that_is_not_so_is_told(piece: str, said: str) -> None:
    (found,) = fragments.wrong(piece, LAB)
    assert said in found


def test_a_piece_of_a_stack_may_name_what_is_its_own() -> None:
    piece = "platform: { charts: [{ name: a, values: { any: { thing: 1 } }, … : }] }"
    assert list(fragments.wrong(piece, LAB)) == []


def test_a_piece_of_python_imports_what_there_is() -> None:
    (said,) = told(block("shows: code", "from lab.paths import CHEKOUT", "python"))
    assert said == "page.md:4: lab.paths has no CHEKOUT"


def test_a_link_leads_somewhere(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text("")
    head = pages.read("docs/b.md", "# A `thing`: one, two\n\n# Same\n\n# Same\n")
    page = pages.read(
        "a.md",
        "[x](docs/b.md#a-thing-one-two) [x](docs/b.md#same-1) [y](docs/b.md#no)\n"
        "`[z](c.md)` [z](c.md) [u](https://example.org/#a) [own](#none)\n",
    )
    every = {"docs/b.md": head, "a.md": page}
    (tmp_path / "a.md").write_text("")
    assert list(judge.of_links(page, every, tmp_path)) == [
        "a.md:1: docs/b.md has no heading no",
        "a.md:2: there is no c.md",
        "a.md:2: a.md has no heading none",
    ]


def test_a_block_is_command_lines() -> None:
    text = "a \\\n  --b   # c\n# d\npython - <<'PY'\nx\nPY\nb\n"
    assert list(commands.lines(text)) == ["a    --b", "python - <<'PY'", "b"]
