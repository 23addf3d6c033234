"""Dashboards: which of them a stack has, what Grafana reads, and that each panel is filled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any, get_args

import pytest

from components.platform import monitoring
from components.platform.addon import Site
from components.platform.ingress import CONTROLLERS
from components.platform.monitoring import budgets, dashboards, rules, scrape
from components.platform.monitoring.dashboards import model
from components.platform.monitoring.dashboards.model import Dashboard, Panel, document
from settings.models import MONITORING_NAMESPACE, Monitoring
from tests.components import rendered, stacks
from tests.components.checked import real
from tests.components.platform import told
from tests.components.platform.platform_args import plain, site
from tests.components.platform.test_platform_monitoring import charts_own
from tests.components.platform.test_platform_rules import AT, FACTS, promtool, yaml_of
from tests.golden_files import assert_golden

KINDS = sorted(CONTROLLERS)


def with_all(kind: str = "traefik", **given: Any) -> Site:
    """A stack that has everything a panel may need."""
    platform = plain()
    ingress = platform.ingress.model_copy(update={"kind": kind})
    services = tuple(stacks.with_services().services)
    chosen = platform.model_copy(update={"ingress": ingress})
    speaking = rendered.sessions(stacks.announced())
    own = {"services": services, "backed_up": True, "peering": speaking}
    return site(chosen, **{**own, **given})


def with_little() -> Site:
    """Without lines, services and backups; an ingress that tells nothing; routers that do not."""
    whole = with_all("cilium", services=(), backed_up=False)
    return replace(
        whole,
        settings=whole.settings.model_copy(update={"logging": None}),
        peering=None,
        targets=[each for each in whole.targets if each.role != "router"],
    )


SITES = {**{kind: with_all(kind) for kind in KINDS}, "little": with_little()}


def panels(page: Dashboard) -> list[Panel]:
    return [panel for section in page.sections for panel in section.panels]


def every_page() -> Iterator[Dashboard]:
    for where in SITES.values():
        yield from dashboards.pages(where)


def config_maps(**given: Any) -> dict[str, dict[str, Any]]:
    chosen = {"values": given.pop("values", {})}
    platform = plain()
    assert platform.monitoring is not None
    chart = platform.monitoring.chart.model_copy(update=chosen)
    told_of = platform.monitoring.model_copy(update={"chart": chart, **given})
    made = monitoring.addon(site(platform.model_copy(update={"monitoring": told_of})))
    assert made is not None
    return dict(made.objects)


GRAFANA = {"grafana": {"enabled": True}}


def test_a_stack_with_the_charts_grafana_has_them_and_one_without_has_none() -> None:
    names = [f"layered-cloud-{name}" for name in ("glance", "routers", "balancers")]
    names += ["layered-cloud-cluster", "layered-cloud-machines"]
    assert [each["metadata"]["name"] for each in config_maps(values=GRAFANA).values()] == names
    assert config_maps() == {}
    assert config_maps(values={"grafana": {"enabled": False}}) == {}


def test_the_key_of_the_stack_decides_where_it_is_written() -> None:
    assert len(config_maps(dashboards=True)) == 5
    assert config_maps(dashboards=False, values=GRAFANA) == {}


def test_the_sidecar_finds_them_by_its_label_and_where_it_looks() -> None:
    for each in config_maps(values=GRAFANA).values():
        assert each["metadata"]["namespace"] == MONITORING_NAMESPACE
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
    sidecar = {"dashboards": {"label": "shown", "labelValue": "yes"}}
    values = {"grafana": {"enabled": True, "sidecar": sidecar}}
    for each in config_maps(values=values).values():
        assert each["metadata"]["labels"]["shown"] == "yes"
        assert "grafana_dashboard" not in each["metadata"]["labels"]


def test_the_charts_own_values_are_what_the_label_is_taken_from() -> None:

    own = charts_own()["grafana"]["sidecar"]["dashboards"]
    chart = plain().monitoring
    assert chart is not None
    assert (own["label"], own["labelValue"]) == chart.dashboard_label
    assert (own["enabled"], own["searchNamespace"]) == (True, "ALL")


def test_a_config_map_has_one_dashboard_and_room_to_grow() -> None:
    """A ConfigMap has 1 MiB at most (Kubernetes' concept of ConfigMaps), and the annotation of a
    client-side apply 256 KiB."""
    for name, each in config_maps(values=GRAFANA).items():
        ((file, text),) = each["data"].items()
        assert file == f"{each['metadata']['name']}.json"
        assert name == f"{each['metadata']['name']}-dashboard"
        assert json.loads(text)["uid"] == each["metadata"]["name"]
        assert len(json.dumps(each).encode()) < 96 * 1024, f"{name}: split the page"


def test_every_panel_has_a_title_a_unit_and_a_question() -> None:
    for page in every_page():
        for panel in panels(page):
            where = f"{page.name}: {panel.title}"
            assert panel.title.strip(), where
            assert panel.unit in get_args(model.Unit), where
            assert 1 <= len(panel.queries) <= 8, where
            assert all(legend.strip() for legend in panel.queries), where
            assert panel.hint == "" or panel.hint.endswith("."), where
            assert list(panel.steps) == sorted(panel.steps), where


def test_no_page_has_two_panels_of_one_title() -> None:
    for page in every_page():
        titles = [panel.title for panel in panels(page)]
        assert sorted(set(titles)) == sorted(titles), page.name


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    columns = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}


def test_panels_have_numbers_of_their_own_and_places_that_nobody_else_has() -> None:
    for page in every_page():
        shown = document(page)["panels"]
        assert len({each["id"] for each in shown}) == len(shown)
        taken: set[tuple[int, int]] = set()
        for each in shown:
            own = cells(each)
            assert own.isdisjoint(taken), f"{page.name}: {each['title']}"
            assert max(x for x, _ in own) < model.COLUMNS, f"{page.name}: {each['title']}"
            taken |= own


def test_a_wide_panel_begins_a_line_and_a_section_without_panels_no_heading() -> None:
    narrow = Panel(title="a", unit="none", queries={"a": "up"}, shape="figure", width=10)
    wide = replace(narrow, title="b", width=20)
    tall = replace(narrow, title="c", shape="lines", width=4)
    page = Dashboard(
        name="tried",
        title="Tried",
        about="Of the grid.",
        sections=(
            model.Section(title="Empty", panels=()),
            model.Section(title="First", panels=(narrow, tall, wide)),
            model.Section(title="Second", panels=(narrow,)),
        ),
    )
    placed = [(each["title"], *each["gridPos"].values()) for each in document(page)["panels"]]
    assert placed == [
        ("First", 0, 0, 24, 1),
        *(("a", 0, 1, 10, 4), ("c", 10, 1, 4, 8), ("b", 0, 9, 20, 4)),
        *(("Second", 0, 13, 24, 1), ("a", 0, 14, 10, 4)),
    ]


def test_uids_are_short_enough_for_grafana_and_nobody_elses() -> None:
    uids = [page.uid for page in dashboards.pages(SITES["traefik"])]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{8,40}", each) for each in uids)


def test_a_variable_that_is_asked_for_is_one_of_the_page() -> None:
    for page in every_page():
        made = document(page)
        own = {each["name"] for each in made["templating"]["list"]} | {"__rate_interval"}
        asked = set(re.findall(r"\$\{?(\w+)", json.dumps(made)))
        assert asked - {"__all"} <= own, page.name


def test_what_a_stack_cannot_fill_is_not_there() -> None:
    little = dashboards.pages(SITES["little"])
    assert [page.name for page in little] == ["glance", "balancers", "cluster", "machines"]
    headings = {section.title for page in little for section in page.sections if section.panels}
    whole = {
        section.title
        for page in dashboards.pages(SITES["traefik"])
        for section in page.sections
        if section.panels
    }
    assert whole - headings == {
        *("Routers", "Connections", "Work", "Ingress", "Services", "Lines", "Backups"),
        "Sessions (BGP)",
    }
    text = json.dumps([document(page) for page in little])
    for absent in (
        'role=\\"router',
        "route_",
        "loki_",
        "machine_lines",
        "_backup_",
        "_bgp_",
        'b=\\"ingress',
    ):
        assert absent not in text
    without = dashboards.pages(replace(SITES["traefik"], vips={}))
    assert "layered_cloud:vip" not in json.dumps([document(page) for page in without])


def test_sessions_are_shown_of_those_who_speak_and_tell() -> None:
    whole = with_all()
    nodes = rendered.sessions(stacks.bgp())
    appliances = [each for each in whole.targets if each.role != "router"]
    for where, wanted in (
        (whole, ["routers", "balancers"]),
        (replace(whole, peering=nodes), ["routers"]),
        (replace(whole, targets=appliances), ["balancers"]),
        (replace(whole, targets=[each for each in whole.targets if each.name != "node"]), []),
        (replace(whole, peering=None), []),
    ):
        found = [
            page.name
            for page in dashboards.pages(where)
            if any(each.title == "Sessions (BGP)" for each in page.sections)
        ]
        assert found == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_ingress_is_asked_is_read_of_its_pods(kind: str) -> None:
    controller = CONTROLLERS[kind]
    jobs = {each["job_name"]: each for each in scrape.read_of(SITES[kind])}
    if controller.figures is None:
        assert "ingress" not in jobs
        return
    job = jobs["ingress"]
    (found,) = job["kubernetes_sd_configs"]
    assert found["namespaces"]["names"] == [controller.namespace]
    assert job.get("metrics_path", "/metrics") == controller.figures.path
    kept = {each["regex"] for each in job["relabel_configs"] if each.get("action") == "keep"}
    assert kept == {controller.figures.container, controller.figures.port}
    if controller.access_log is not None:
        assert controller.figures.container == controller.access_log.container


def table(page: Dashboard) -> str:
    """A page as a reader goes through it."""
    found = [f"{page.title} ({page.uid})", page.about]
    for section in page.sections:
        found += ["", f"== {section.title}"] if section.panels else []
        for each in section.panels:
            found.append(f"{each.title} [{each.unit}, {each.shape}, {each.width}]")
            found += [f"    {legend}: {expr}" for legend, expr in each.queries.items()]
    return "\n".join(found) + "\n"


def test_the_pages_are_the_golden_files() -> None:
    for page in dashboards.pages(SITES["traefik"]):
        assert_golden(f"platform/dashboards/{page.name}.txt", table(page))
    (routers,) = (page for page in dashboards.pages(SITES["traefik"]) if page.name == "routers")
    assert_golden(
        "platform/dashboards/routers.json", json.dumps(document(routers), indent=1) + "\n"
    )


def asked(expression: str) -> str:
    """As Grafana asks it, of everybody."""
    return re.sub(
        r"\$\w+", lambda word: "1m" if word[0] == "$__rate_interval" else ".*", expression
    )


def expressions(sites: Iterable[Site]) -> list[str]:
    pages = (page for where in sites for page in dashboards.pages(where))
    every = (expr for page in pages for each in panels(page) for expr in each.queries.values())
    return [asked(each) for each in dict.fromkeys(every)]


BUDGETS = "/etc/prometheus/budgets.yaml"
WHERE = {
    "node": {"job": "node-exporter", "instance": "router-a", "role": "router"},
    "haproxy": {"job": "haproxy", "instance": "lb-a", "role": "balancer"},
}
NOBODYS = {"router": IPv4Address("203.0.113.99"), "balancer": IPv4Address("198.18.10.99")}
"""VIPs that no machine has."""
UP = "".join(
    f'up{{job="{job}", instance="{instance}", role="{role}"}} 1\n'
    for job, instance, role in (
        ("node-exporter", "router-a", "router"),
        ("node-exporter", "lb-a", "balancer"),
        ("haproxy", "lb-a", "balancer"),
    )
)


def chain(chosen: set[str]) -> list[dict[str, Any]]:
    """Series of a chain that has everything, and some troubles."""
    told_by = told.daemons()
    node = "\n".join(each for each in told_by.splitlines() if each.startswith("node_"))
    haproxy = "\n".join(each for each in told_by.splitlines() if each.startswith("haproxy_"))
    files = ["cluster", "chain", "troubles"]
    files += [f"ingress-{kind}" for kind in KINDS if CONTROLLERS[kind].figures is not None]
    return [
        *told.series(node, WHERE["node"], chosen),
        *told.series(node, {**WHERE["haproxy"], "job": "node-exporter"}, chosen),
        *told.series(haproxy, WHERE["haproxy"], chosen),
        *told.series(told.written(*files) + UP, {}, chosen),
    ]


def unfilled(wanted: list[str]) -> str:
    """What promtool says of expressions that are no question, or have no number for an answer."""
    words = set(told.NAME.findall(" ".join(wanted) + rules.FILE.read_text("utf-8")))
    case = {
        "rule_files": [AT, FACTS, BUDGETS],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "15s",
                "input_series": chain(words | {"haproxy_backend_http_responses_total"}),
                "promql_expr_test": [
                    {
                        "expr": f"count(({each}) > -Inf) > bool 0",
                        "eval_time": "20m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                    for each in wanted
                ],
            }
        ],
    }
    where = SITES["traefik"]
    nobodys = {role: [*own, NOBODYS[role]] for role, own in where.vips.items()}
    facts = rules.facts(replace(where, vips=nobodys))
    done = promtool(
        *("test", "rules", "/etc/prometheus/case.yaml"),
        case=yaml_of(case),
        facts=yaml_of({"groups": [facts]}),
        budgets=yaml_of({"groups": budgets.groups(where.services)}),
    )
    return done.stdout + done.stderr if done.returncode != 0 else ""


@real
def test_each_panel_is_filled_by_what_the_exporters_tell() -> None:
    """Of HAProxy and node_exporter as they are, of others as their lines in `figures` are."""
    wanted = expressions(SITES.values())
    assert len(wanted) > 100
    assert unfilled(wanted) == ""


@real
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("haproxy_frontend_http_responses_total", "haproxy_frontend_http_response_total"),
        ('proxy="service"', 'proxy="services"'),
        ("node_nf_conntrack_entries_limit", "node_nf_conntrack_limit"),
        ("sum by (instance)", "sum by instance"),
    ],
)
def test_a_misspelt_figure_or_label_is_found(right: str, wrong: str) -> None:
    (first, *_) = (each for each in expressions([SITES["traefik"]]) if right in each)
    assert json.dumps(wrong)[1:-1] in unfilled([first.replace(right, wrong)])


@real
def test_what_is_written_down_of_daemons_is_what_they_tell() -> None:
    """The lines in `figures` vouch for nothing that can be asked here."""
    here = told.names(told.daemons())
    written = {
        name
        for path in told.FIGURES.glob("*.txt")
        for name in told.names(path.read_text("utf-8"))
        if name.startswith(("haproxy_", "node_"))
    }
    assert written - here == set()
    assert len(written) >= 5


def test_a_monitoring_without_a_word_about_it_follows_grafana() -> None:
    given = {
        "chart": "kube-prometheus-stack",
        "repository": "https://c.example",
        "version": "88.5.3",
    }
    for enabled, shown in ((True, True), ("true", True), (False, False), (None, False)):
        values = {"grafana": {"enabled": enabled}}
        made = Monitoring.model_validate({"chart": {**given, "values": values}})
        assert made.shows_dashboards is shown
