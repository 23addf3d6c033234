"""The report: one file that stands alone, says what is wrong, and shows words as words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ops import cli
from ops.checks.model import Check, Seen
from ops.checks.table import CHECKS
from ops.judge import rows
from ops.masking import unspoken, without
from ops.question import Question
from ops.report import figures
from ops.report.page import page
from ops.site import Site
from tests.ops import ops_world as world
from tests.ops.ops_world import answer, seen

VOID = {"meta", "br", "rect", "path", "img", "link"}
VITALS = {
    "/proc/uptime": "200000.12 1.0\n",
    "/proc/loadavg": "0.42 0.1 0.1 1/200 3\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
}
MARKUP = "<script>alert(1)</script>"


class Reader(HTMLParser):
    """Tags in order, their text by the class of what they stand in; fails where tags cross."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"] and data.strip():
            self.words.append(" ".join(data.split()))

    def of(self, name: str) -> list[str]:
        """The classes of every tag that has this one."""
        found = [str(attributes.get("class") or "").split() for _, attributes in self.tags]
        return [" ".join(sorted(set(each) - {name, "narrow"})) for each in found if name in each]


def whole(found: Seen) -> str:
    return page(unspoken(found), without(found.site, rows(found, CHECKS)))


def vitals() -> dict[str, dict[str, world.Answer]]:
    told = {figures.VITALS.name: answer(json.dumps(VITALS))}
    return {machine.name: told for machine in world.lab().machines}


def healthy() -> Seen:
    return seen(further=vitals())


def broken() -> Seen:
    fallen = world.captured("haproxy-stat.csv").replace("UP", "DOWN")
    return seen(
        further=vitals(),
        silent={"router-b": "ssh: connect to host 198.18.0.12 port 22: No route to host"},
        changed={
            "lb-b": {
                "services": world.services("haproxy.service", status=1, said=MARKUP),
                "haproxy statistics": fallen,
                "manifests": world.report(**{"/etc/haproxy/layered/10-base.cfg": "changed"}),
            },
            "worker-1": {"disks": world.DF.replace("36%", "97%")},
        },
    )


def test_a_healthy_stack_is_drawn_from_client_to_pods() -> None:
    read = Reader(whole(healthy()))
    assert read.of("tier") == ["unasked", "unasked", "well", "well", "well", "well"]
    assert read.of("box") == ["well"] * 7
    assert len(read.of("arrow")) == 5
    words = " ".join(read.words)
    assert "all 23 hold" in words
    assert "holds 203.0.113.10, 198.18.10.1" in words
    assert "up 2 d 7 h, load 0.42" in words
    assert "Debian GNU/Linux 12 (bookworm)" in words
    assert "Ready, v1.36.3" in words
    assert "3 of 3" in words
    assert "What is wrong" not in words


def test_a_broken_one_says_where_what_and_what_to_do() -> None:
    read = Reader(whole(broken()))
    assert read.of("tier") == ["unasked", "unasked", "wrong", "wrong", "wrong", "well"]
    assert read.of("box") == ["well", "silent", "well", "wrong", "well", "wrong", "well"]
    words = " ".join(read.words)
    assert "router-b (198.18.0.12): ssh: connect to host" in words
    assert "worker-1: disk / is 97 % full, 85 % are let pass" in words
    assert "/etc/haproxy/layered/10-base.cfg is changed" in words
    assert "docs/host.md#drift" in words
    assert "0 of 3" in words


@pytest.mark.parametrize("found", [healthy(), broken()], ids=["healthy", "broken"])
def test_it_stands_alone(found: Seen) -> None:
    read = Reader(whole(found))
    assert {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe", "object"} == set()
    assert [a for _, each in read.tags for a in each if a in ("src", "href") or a[:2] == "on"] == []
    assert "url(" not in whole(found)
    (policy,) = [
        each["content"]
        for tag, each in read.tags
        if tag == "meta" and each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_what_a_machine_says_is_text_wherever_it_stands() -> None:
    said = f'"><b>{MARKUP}'
    release = {**VITALS, "/etc/os-release": f"PRETTY_NAME={said}\n"}
    further = {"lb-a": {figures.VITALS.name: answer(json.dumps(release))}}
    changed: Mapping[str, Mapping[str, str | world.Answer]] = {
        "lb-a": {
            "services": world.services(said, status=1, said=said),
            "manifests": world.report(**{said: said}).replace("base", MARKUP),
            "disks": world.DF.replace("/boot/efi", MARKUP).replace("9%", "99%"),
            "haproxy statistics": world.captured("haproxy-stat.csv").replace(
                "ingress_http,", f"{MARKUP},"
            ),
            "failed units": f"{said} x\n",
        },
        "cp-1": {"pods": f"a {MARKUP} Pending x\n", "nodes": answer("", 1, said)},
    }
    text = whole(seen(changed=changed, further=further, silent={"router-b": said}))
    read = Reader(text)
    assert "<script" not in text
    assert not {tag for tag, _ in read.tags} & {"script", "b"}
    assert text.count("&lt;script&gt;") > 8


def test_no_secret_is_in_it_though_a_machine_says_one() -> None:
    secret = world.KEY_LINE
    sick = world.services("x.service", status=1, said=f"key {secret}, c2VjcmV0IGtleQ==")
    found = seen(
        further=vitals(),
        changed={"lb-a": {"services": sick, "manifests": world.report(**{secret: "x"})}},
    )
    text = whole(found)
    for each in (secret, "c2VjcmV0IGtleQ==", "PRIVATE KEY", "client-key-data"):
        assert each not in text


def test_the_command_writes_the_file_and_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = broken()

    def look(
        site: Site, checks: tuple[Check, ...], *, further: Mapping[str, tuple[Question, ...]]
    ) -> Seen:
        assert set(further) == {each.name for each in site.machines}
        return found

    monkeypatch.setattr(cli, "look", look)
    monkeypatch.setattr(cli, "given", lambda *_: found.site)
    path = tmp_path / "report.html"
    assert cli.main(["report", "--stack", "lab", "--to", str(path)]) == 1
    assert capsys.readouterr().out == f"{path}\n"
    assert Reader(path.read_text(encoding="utf-8")).tags
