"""A plan on one screen: the shipped stacks' own plans, as the recording engine has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lab.engine.summary import MOST, Plan, summary
from tests import whole

SCREEN = 50
"""Lines of a terminal that nobody has to scroll."""
WIDTH = 160


def event(op: str, urn: str, type_: str, inputs: dict[str, Any]) -> Any:
    """An engine event, as far as the summary looks at one."""
    state = SimpleNamespace(inputs=inputs, outputs={})
    step = SimpleNamespace(op=SimpleNamespace(value=op), urn=urn, type=type_, new=state, old=None)
    return SimpleNamespace(
        resource_pre_event=SimpleNamespace(metadata=step), res_outputs_event=None
    )


def outputs_event(outputs: dict[str, Any]) -> Any:
    step = SimpleNamespace(type="pulumi:pulumi:Stack", new=SimpleNamespace(outputs=outputs))
    return SimpleNamespace(
        resource_pre_event=None, res_outputs_event=SimpleNamespace(metadata=step)
    )


def plan_of(stack: str) -> Plan:
    registered = whole.plan(stack).registered
    found = Plan()
    for each in registered.resources:
        found.see(event("create", each.urn, each.type, dict(each.inputs)))
    found.see(outputs_event(registered.value))
    return found


def test_a_plan_shows_both_families():
    text = summary(plan_of("both families"), "lab")
    assert max(map(len, text.splitlines())) <= WIDTH, text
    assert (
        "203.0.113.10, 2001:db8:0:1::10 port 80, 443 -> 198.18.10.10, fd00:10::10 (balancers) -> "
    ) in text
    assert "echo.lab.test  AAAA  2001:db8:0:1::10  through the CDN" in text


def test_a_new_stacks_plan_fits_on_a_screen_and_says_what_is_asked_first():
    text = summary(plan_of("prod"), "prod")
    lines = text.splitlines()
    assert len(lines) <= SCREEN, text
    assert max(map(len, lines)) <= WIDTH, text
    total = len(whole.plan("prod").registered.resources)
    assert lines[0] == f"Plan of prod: {total} create"
    for name in ("router-a", "router-b", "lb-a", "lb-b", "cp-1", "worker-1", "worker-3"):
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1, text
    router = next(line for line in lines if line.startswith("  router-a "))
    for word in ("pve1:3001", "2 cores, 2048 MiB, 16 GB", "wan 203.0.113.2", "lan 10.30.10.2"):
        assert word in router
    for part in (
        "VIPs, public            203.0.113.10",
        "API server, lan         10.30.10.10:6443",
        "load balancer           10.30.10.200",
        "from outside  80, 443",
        "on the nodes  http 30080, https 30443, health 30081",
        "203.0.113.10 port 80, 443 -> 10.30.10.10 (balancers) -> "
        "port 30080 or 30443 (nodes) -> ingress",
        "www.example.org  A  203.0.113.10  through the CDN",
        " proxmoxve, ",
    ):
        assert part in text, text
    assert "changes" not in lines


def test_a_thousand_workers_still_fit_on_a_screen_the_last_one_named():
    plan = plan_of("prod")
    machines = plan.outputs["inventory"]["machines"]
    machines |= {
        f"worker-{number}": {**machines["worker-1"], "addresses": {"lan": "10.30.12.1"}}
        for number in range(4, 1001)
    }
    text = summary(plan, "prod")
    lines = text.splitlines()
    assert len(lines) <= SCREEN
    listed = [line.split()[0] for line in lines if line.startswith("  worker-")]
    assert listed == ["worker-1", "worker-2", "worker-1000"]
    assert len(listed) < MOST
    assert f"  … {1000 - len(listed)} more" in lines


def test_a_plan_over_a_state_names_what_changes_and_no_file():
    urn = "urn:pulumi:lab::p::command:remote:Command::{}"
    plan = Plan()
    plan.see(event("same", urn.format("still"), "command:remote:Command", {}))
    for number in range(25):
        name = f"push-{number}"
        inputs = {"stdin": "a whole file"}
        plan.see(event("update", urn.format(name), "command:remote:Command", inputs))
    lines = summary(plan, "lab").splitlines()
    assert lines[0] == "Plan of lab: 1 same, 25 update"
    assert "  update  push-0   command:remote:Command" in lines
    assert lines[-1] == "  … 5 more"
    assert "a whole file" not in "\n".join(lines)


def test_what_is_known_only_after_the_update_is_said_so_and_a_bare_program_is_counted():
    plan = Plan()
    plan.see(event("create", "u::a", "command:local:Command", {}))
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    plan.see(outputs_event({"node_ports": unknown, "load_balancer_ip": unknown}))
    assert summary(plan, "dev").splitlines() == [
        "Plan of dev: 1 create",
        "",
        "addresses",
        "  load balancer  (known after the update)",
        "",
        "resources",
        "  1 command",
    ]


def test_a_physical_router_stands_on_no_host():
    lines = summary(plan_of("mikrotik"), "mikrotik").splitlines()
    (router,) = [line for line in lines if line.startswith("  router-a ")]
    assert router.split()[:5] == ["router-a", "router", "physical", "lan", "198.18.10.2,"]
