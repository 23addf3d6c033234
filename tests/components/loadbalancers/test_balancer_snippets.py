"""Lines of a stack's own: where they stand, that they repeat nothing, and who judges the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.host.agent import requests
from components.host.agent.errors import Failure
from components.host.part import Check
from components.loadbalancers import haproxy
from settings.checks import balancers_snippets
from settings.models import Stack
from tests.components import certificates, checked, rendered, stacks
from tests.components.host.fake_system import FakeSystem, Unit, install
from tests.components.host.test_agent_push import World as Pushed
from tests.golden_files import assert_golden

OWN: dict[str, list[str]] = {
    "global": ["tune.ssl.cachesize 30000", "nbthread 2"],
    "api": ["tcp-request connection reject unless { src 198.18.0.0/15 }"],
    "defaults": ["option http-ignore-probes"],
    "service": [
        "acl mine path_beg /mine",
        'http-request return status 200 content-type text/plain string "ours" if mine',
        "http-request set-header X-Region eu # the stack's",
        "use_backend ingress_https if { path_beg /other }",
    ],
    "ingress": ["http-response del-header X-Powered-By"],
}
PLACES = {
    "global": r"^global\n(.*?)\n\n",
    "api": r"^frontend api from api\n(.*?)\n\n",
    "defaults": r"^defaults routes\n(.*?)\n\n",
    "service": r"^frontend service from routes\n(.*?)\n\n",
    "ingress": r"^backend (?:ingress|route)_\S* from routes\n(.*?)\n(?:\n|\Z)",
}
"""The sections in which the lines of a hook stand."""
BESIDE = {
    "api": r"^defaults api\n(.*?)\n\n",
    "service": r"()",
    "ingress": r"^defaults routes\n(.*?)\n\n",
}
"""Sections that hold for those of a hook, too."""
ADDED = ("#", "acl ", "http-request ", "http-after-response ", "tcp-request ", "use_backend ")
"""What stands as often as one likes."""


SCHEMES = ("http", "https")


def with_lines(lines: dict[str, list[str]], **balancers: Any) -> Stack:
    config = stacks.lab_config()
    config["balancers"] |= {"snippets": lines, **balancers}
    return Stack.model_validate(config)


def text_of(stack: Stack) -> str:
    files = rendered.balancer_files(stack, "lb-a")
    return files[haproxy.BASE] + "\n" + files[haproxy.ROUTES]


def sections(text: str, hook: str) -> list[str]:
    return re.findall(PLACES[hook], text, re.DOTALL | re.MULTILINE)


def test_both_files_with_lines_are_what_was_read_and_agreed() -> None:
    files = rendered.balancer_files(with_lines(OWN), "lb-a")
    for path in (haproxy.BASE, haproxy.ROUTES):
        assert_golden(f"loadbalancers/snippets/lb-a{path}", files[path])


@pytest.mark.parametrize("hook", OWN)
def test_lines_stand_whole_and_in_order_between_comments_in_every_section_of_theirs(
    hook: str,
) -> None:
    text = text_of(with_lines(OWN))
    block = "".join(f"    {line}\n" for line in OWN[hook])
    begun = f"    # Lines of the stack's own (balancers.snippets.{hook}), as they stand there:\n"
    whole = f"{begun}{block}    # End of balancers.snippets.{hook}."
    found = sections(text, hook)

    assert len(found) == (2 if hook == "ingress" else 1)
    assert [each.count(whole) for each in found] == [1] * len(found)
    assert text.count(block) == len(found)


def test_no_file_but_those_of_its_hooks_changes() -> None:
    before = rendered.balancer_files(stacks.lab(), "lb-a")
    for hook, lines in OWN.items():
        after = rendered.balancer_files(with_lines({hook: lines}), "lb-a")
        changed = {path for path in before if before[path] != after[path]}
        assert changed == {haproxy.BASE if hook in ("global", "api") else haproxy.ROUTES}
    assert before == rendered.balancer_files(with_lines({"service": []}), "lb-a")


def test_lines_of_the_service_come_after_all_rules_of_the_program_and_before_its_ways() -> None:
    page = {"html": "<p>Back soon", "hosts": ["closed.lab.test"]}
    routes = [{"name": "shop", "prefixes": ["/shop"]}]
    stack = with_lines(OWN, maintenance_page=page, routes=routes)
    (section,) = sections(text_of(stack), "service")
    before, _, behind = section.partition("    # Lines of the stack's own")
    behind = behind.partition("    # End of balancers.snippets.service.\n")[2]

    assert "host_closed" in before
    assert "use_backend" not in before
    assert not re.findall(r"^    (http|tcp)-", behind, re.MULTILINE)
    assert "use_backend route_shop_https" in behind


def test_every_backend_that_leads_to_the_ingress_has_its_lines_and_no_other() -> None:
    routes = [{"name": "all", "prefixes": ["/all"]}, {"name": "own", "node_port": 30300}]
    settings = with_lines(OWN, routes=routes).balancers
    text = text_of(stacks.with_services().model_copy(update={"balancers": settings}))
    backends = dict(
        re.findall(r"^backend (\S+) from routes\n(.*?)(?=\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    )
    (line,) = OWN["ingress"]
    without = {name for name, body in backends.items() if line not in body}

    assert {"route_all_https", "ingress_http", "ingress_https"} < set(backends)
    assert len(backends) > 6
    assert without == {f"route_{name}_{by}" for name in ("own", "figures") for by in SCHEMES}


def everything() -> Iterator[str]:
    """The files of stacks that turn something on."""
    named = ("lab", "guarded", "routes", "logged", "asking", "both-families", "services", "ordered")
    for name in named:
        yield text_of(stacks.NAMED[name]())
    sticky = {"ingress": {"sticky": "source", "balance": "source"}}
    page = {"maintenance_page": {"html": "<p>Back soon", "hosts": ["closed.lab.test"]}}
    yield text_of(with_lines({}, **sticky, **page))
    yield text_of(with_lines({}, ingress={"sticky": "cookie", "http2": True}))


def told(hook: str, line: str) -> list[str]:
    """What the checks say of one line."""
    stack = with_lines({hook: [line]})
    rules = (
        balancers_snippets.own_lines_repeat_nothing_decided,
        balancers_snippets.own_conditions_have_names_of_their_own,
    )
    return [each.wrong for rule in rules for each in rule(stack)]


@pytest.mark.parametrize("hook", OWN)
def test_whatever_the_program_writes_in_a_section_is_refused_there(hook: str) -> None:
    written = {
        line.strip()
        for text in everything()
        for pattern in (PLACES[hook], BESIDE.get(hook, "()"))
        for body in re.findall(pattern, text, re.DOTALL | re.MULTILINE)
        for line in body.splitlines()
    }
    decided = {line for line in written if line and not line.startswith(ADDED)}

    assert len(decided) >= 5
    assert [line for line in decided if len(told(hook, line)) != 1] == []


def test_every_condition_of_the_programs_own_has_a_name_that_lines_may_not_take() -> None:
    named = {
        name
        for text in everything()
        for body in sections(text, "service")
        for name in re.findall(r"^    acl (\S+)", body, re.MULTILINE)
    }

    assert len(named) >= 8
    assert [name for name in named if not told("service", f"acl {name} always_true")] == []
    assert told("service", "acl mine always_true") == []


@pytest.mark.parametrize(
    ("hook", "line"),
    [
        ("service", 'option "httplog"'),
        ("service", "no option httplog"),
        ("defaults", "default option dontlognull"),
        ("global", "stats socket /run/mine.sock"),
        ("api", "timeout client 5s"),
        ("service", "http-error status 503 file /x"),
    ],
)
def test_a_keyword_is_known_however_it_is_written(hook: str, line: str) -> None:
    assert len(told(hook, line)) == 1


@pytest.mark.parametrize(("hook", "lines"), OWN.items())
def test_a_line_that_repeats_nothing_is_taken(hook: str, lines: list[str]) -> None:
    assert [said for line in lines for said in told(hook, line)] == []


@pytest.fixture(scope="module")
def site() -> str:
    return certificates.self_signed("echo.lab.test")


def files_of(stack: Stack, site: str) -> dict[str, str]:
    return rendered.balancer_files(stack, "lb-a") | {haproxy.CERTIFICATE: site}


@checked.real
def test_haproxy_takes_lines_at_every_hook_without_a_warning(site: str) -> None:
    whole = rendered.balancer_whole(stacks.lab(), "lb-a")
    said = checked.judge((*haproxy.CHECK, "-dW"), files_of(with_lines(OWN), site), whole)

    assert (said.returncode, said.stderr) == (0, "")


WRONG = [
    ("global", "tune.frobnicate 1", haproxy.BASE),
    ("api", "tcp-request connection frobnicate", haproxy.BASE),
    ("defaults", "option frobnicate", haproxy.ROUTES),
    ("service", "http-request frobnicate", haproxy.ROUTES),
    ("service", "http-request deny if nobody_knows_it", haproxy.ROUTES),
    ("service", 'http-request set-header X-Mine "never closed', haproxy.ROUTES),
    ("ingress", "http-response frobnicate", haproxy.ROUTES),
]


@checked.real
@pytest.mark.parametrize(("hook", "line", "path"), WRONG)
def test_haproxy_refuses_a_wrong_line_and_names_it(
    hook: str, line: str, path: str, site: str
) -> None:
    files = files_of(with_lines({hook: [line]}), site)
    number = files[path].splitlines().index(f"    {line}") + 1
    said = checked.judge(haproxy.CHECK, files, rendered.balancer_whole(stacks.lab(), "lb-a"))

    assert said.returncode == 1
    assert f"parsing [{path}:{number}]" in said.stderr


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeSystem:
    made = install(monkeypatch, tmp_path)
    made.units["haproxy"] = Unit(active=True, enabled=True)
    (tmp_path / "etc").mkdir()
    return made


@checked.real
def test_a_push_with_a_wrong_line_ends_in_haproxys_words_and_changes_nothing(
    system: FakeSystem, tmp_path: Path, site: str
) -> None:
    pushed, whole = Pushed(system, tmp_path), rendered.balancer_whole(stacks.lab(), "lb-a")
    names = {Path(path).name: path for path in files_of(stacks.lab(), site)}

    def judged(staged: Path) -> str:
        below = staged / str(pushed.etc).lstrip("/")
        given = {
            path: text
            for name, path in names.items()
            for text in [
                (below / name).read_text() if (below / name).exists() else pushed.text(name)
            ]
            if text is not None
        }
        said = checked.judge(haproxy.CHECK, given, whole)
        return said.stderr if said.returncode else ""

    def push(lines: dict[str, list[str]]) -> None:
        files = {Path(path).name: text for path, text in files_of(with_lines(lines), site).items()}
        checks = (Check(name="haproxy", argv=haproxy.CHECK),)
        requests.apply(pushed.store, pushed.wish(files=files, checks=checks))

    system.checker = judged
    push({"service": ["http-request set-header X-Region eu"]})
    before = pushed.text("20-routes.cfg")
    system.calls.clear()
    with pytest.raises(Failure) as refused:
        push({"service": ["http-request set-header X-Region us", "http-request frobnicate"]})

    assert before is not None
    assert "    http-request set-header X-Region eu\n" in before
    assert "but got 'frobnicate'" in refused.value.text()
    assert refused.value.text().endswith("Nothing was changed on the machine.")
    assert pushed.text("20-routes.cfg") == before
    assert not system.did("systemctl reload")
