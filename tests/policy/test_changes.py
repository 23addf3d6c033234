"""Rules over what a plan does, and over the stacks that let it: one that breaks each is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.plugins.wire import UNKNOWN_TEXTS
from policy import judge, plan, rules, table
from policy.closed import GATE
from policy.keeping import MACHINES, STATEFUL, lost_at_most
from policy.rules import COMMAND, SERVICE, VM

ROOT = Path(__file__).parents[2]
ROUTERS = "layered-cloud:routers:Routers"
WORKLOAD = "kubernetes:apps/v1:Deployment"


def state(type_: str, *, protect: bool = False, **inputs: Any) -> dict[str, Any]:
    return {"type": type_, "inputs": inputs, "protect": protect}


def step(op: str, name: str, what: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A step of the engine's JSON: before and after are alike as far as a rule looks at them."""
    found: dict[str, Any] = {"op": op, "urn": f"urn:pulumi:prod::layered-cloud::x::{name}", **more}
    if op not in ("create", "create-replacement"):
        found["oldState"] = what
    if op not in ("delete", "delete-replaced"):
        found["newState"] = what
    return found


def machine(name: str, op: str, role: str = "router", *, protect: bool = True) -> dict[str, Any]:
    number = sum(name.encode())
    sound = {"rebootAfterUpdate": False, "agent": {"enabled": False}}
    what = state(VM, protect=protect, tags=["prod", role], vmId=number, **sound)
    return step(op, name, what)


def lets_go(*names: str) -> dict[str, Any]:
    return step("same", "machines", state(MACHINES, replaceable=list(names)))


def stateful(type_: str) -> dict[str, Any]:
    return step("create", "data", state(type_))


KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42
OTHER = KEY[:-1] + "B"


def gate(key: str = f"ssh-ed25519 {KEY}", before: str = "") -> dict[str, Any]:
    """What remembers the key with which the program logs in."""
    environment = {"NOW": key, "BEFORE": before}
    return step("same", "machines-deploy-key-gate", state(GATE, environment=environment))


def lets_in(machine: str, *lines: str) -> dict[str, Any]:
    """The push that says whom a machine lets in."""
    text = "".join(f"{line}\n" for line in ("# Written by layered-cloud", *lines))
    files = {"/etc/hosts": {"content": "x"}, "/root/.ssh/authorized_keys": {"content": text}}
    document = json.dumps({"boot": "x", "request": {"layer": "baseline", "files": files}})
    sound = {"logging": "none", "addPreviousOutputInEnv": False}
    return step("update", f"{machine}-baseline", state(COMMAND, stdin=document, **sound))


PROGRAMS = f"ssh-ed25519 {KEY}"
SERVICE_OF_SSH = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 22}]}
PODS = {"template": {"spec": {"containers": [{"image": "registry.example/echo:latest"}]}}}

BROKEN: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "machine-is-kept": (
        [
            machine("router-a", "same"),
            {**machine("router-b", "replace"), "replaceReasons": ["initialization.ipConfigs"]},
        ],
        [
            "machine-is-kept: router-b would be replaced (initialization.ipConfigs): take that "
            "change back, or name the machine in proxmox.replaceable for this update"
        ],
    ),
    "pair-is-kept": (
        [
            lets_go("*"),
            machine("lb-a", "replace", "balancer"),
            machine("lb-b", "delete", "balancer"),
        ],
        [
            "pair-is-kept: lb-b would be deleted together with lb-a: of 2 balancers 1 may go in "
            "one update; do the others in the next"
        ],
    ),
    "stateful-is-protected": (
        [machine("cp-1", "create", "control-plane", protect=False)],
        [
            "stateful-is-protected: cp-1 may be replaced or deleted by any update: set "
            "proxmox.protect, or name it in proxmox.replaceable"
        ],
    ),
    "allow-list-leaves-enough": (
        [lets_go("router-a", "router-b"), machine("router-a", "same"), machine("router-b", "same")],
        [
            "allow-list-leaves-enough: router-b stands in proxmox.replaceable beside router-a: of "
            "2 routers 1 may go in one update; name the others in the next"
        ],
    ),
    "secret-is-not-plain": (
        [step("create", "cdn", state("pulumi:providers:cloudflare", apiToken="hunter2"))],
        [
            "secret-is-not-plain: cdn shows a secret by its name in apiToken, and so does its "
            "state: make it a secret (`pulumi config set --secret`, or Output.secret)"
        ],
    ),
    "deploy-key-is-the-programs-alone": (
        [
            gate(),
            lets_in("router-a", PROGRAMS, f"{PROGRAMS} me@desk"),
            lets_in("lb-a", PROGRAMS, f"{PROGRAMS} me@desk"),
        ],
        [
            "deploy-key-is-the-programs-alone: machines-deploy-key-gate lets the program in by an "
            "operator's key (SHA256:kmYcvdi2GkPeWxB6XLjrZB8JHsy2Hm8luHMFp9GMvqk, me@desk; twice in "
            "lb-a-baseline and 1 more): give it one of its own as deployKey, and this one as "
            "deployKeyBefore for one update"
        ],
    ),
    "management-is-not-public": (
        [step("update", "routers", state(ROUTERS, publicPorts=[443, 6443]))],
        [
            "management-is-not-public: routers opens port 6443 (the Kubernetes API) to the world: "
            "take it out of routers.public_ports; whoever runs the machines comes by the "
            "management network"
        ],
    ),
    "container-image-is-pinned": (
        [step("create", "echo", state(WORKLOAD, spec=PODS))],
        [
            "container-image-is-pinned: echo runs whatever registry.example/echo:latest is "
            "tomorrow: write a version's tag, or a digest"
        ],
    ),
}


def told(*steps: dict[str, Any]) -> list[str]:
    return [str(each) for each in table.judged({"steps": list(steps)})]


@pytest.mark.parametrize("rule", BROKEN)
def test_a_stack_that_breaks_a_rule_is_stopped_with_what_to_do(
    rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, expected = BROKEN[rule]
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"steps": steps}))
    assert judge.main([str(file)]) == 1
    count = len(table.RULES) + len(table.STACK_RULES) + len(table.CHANGE_RULES)
    assert capsys.readouterr().out.splitlines() == [
        f"policy: 1 of {count} rules broken, which stops the update",
        *(f"  {each}" for each in expected),
    ]


def test_each_of_these_messages_stands_in_the_documents() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    assert [line for _, lines in BROKEN.values() for line in lines if line not in page] == []


def test_every_rule_of_these_modules_is_broken_by_one() -> None:
    names = {
        rule.name
        for rule in (*table.STACK_RULES, *table.CHANGE_RULES)
        if rule not in rules.STACK_RULES  # those are in TOGETHER of test_rules.py
    }
    assert names == set(BROKEN)


AS_TWO_USERS = {
    "request": {
        "files": {
            f"{home}/.ssh/authorized_keys": {"content": PROGRAMS} for home in ("/root", "/home/ops")
        }
    }
}


def of_the_keys(*steps: dict[str, Any]) -> list[str]:
    return [line for line in told(*steps) if line.startswith("deploy-key-is-the-programs-alone: ")]


@pytest.mark.parametrize(
    "line",
    [
        PROGRAMS,
        f"{PROGRAMS} ",
        f'from="198.18.0.0/24",restrict {PROGRAMS} me@desk',
        f'command="echo \\"ssh-ed25519 {OTHER}\\"" {PROGRAMS}',
    ],
)
def test_an_operators_key_is_the_programs_whatever_stands_around_it(line: str) -> None:
    assert len(of_the_keys(gate(), lets_in("router-a", PROGRAMS, line))) == 1


def test_a_key_without_a_fingerprint_is_told_as_it_stands() -> None:
    (line,) = of_the_keys(gate("ssh-rsa AAAAB"), lets_in("lb-a", *["ssh-rsa AAAAB"] * 2))
    assert "by an operator's key (AAAAB; twice in lb-a-baseline): give it" in line


@pytest.mark.parametrize(
    "steps",
    [
        [gate(), lets_in("router-a", PROGRAMS, f"ssh-ed25519 {OTHER} me@desk")],
        [gate(), lets_in("router-a", PROGRAMS, f'command="echo {PROGRAMS}" ssh-ed25519 {OTHER}')],
        [gate(), lets_in("router-a", PROGRAMS, f"# {PROGRAMS}")],
        # The way out: another key, let in by the operator's, whose line stays.
        [
            gate(f"ssh-ed25519 {OTHER}", before=PROGRAMS),
            lets_in("router-a", f"ssh-ed25519 {OTHER}", f"{PROGRAMS} me@desk"),
        ],
        # A key that the stack is yet to make, and pushes that wait for it.
        [
            gate(next(iter(UNKNOWN_TEXTS))),
            step("create", "router-a-baseline", state(COMMAND, stdin=next(iter(UNKNOWN_TEXTS)))),
        ],
        [step("same", "wait", state(GATE)), step("same", "it", state(GATE, environment=None))],
        [gate(), step("create", "it", state(COMMAND, stdin=json.dumps(AS_TWO_USERS)))],
    ],
    ids=["two", "quoted", "a note", "the way out", "unknown", "other commands", "two users"],
)
def test_keys_that_are_not_one_or_not_known_are_no_fault(steps: list[dict[str, Any]]) -> None:
    assert of_the_keys(*steps) == []


@pytest.mark.parametrize(
    "stdin",
    [
        "cat >>/root/.ssh/authorized_keys",
        '["/.ssh/authorized_keys"]',
        json.dumps({"request": {"files": {"/root/.ssh/authorized_keys": {}}}}),
        json.dumps({"request": {"files": {"/root/.ssh/authorized_keys": {"content": None}}}}),
    ],
)
def test_a_command_that_is_no_push_of_keys_says_nothing(stdin: str) -> None:
    assert of_the_keys(gate(), step("create", "it", state(COMMAND, stdin=stdin))) == []


def test_a_machine_that_is_named_may_go_and_one_of_a_pair_with_it() -> None:
    peers = [machine("router-a", "same"), machine("lb-a", "same", "balancer")]
    gone = [
        machine("router-b", "delete-replaced", protect=False),
        machine("router-b", "replace", protect=False),
        machine("router-b", "create-replacement", protect=False),
        machine("lb-b", "delete", "balancer", protect=False),
    ]
    assert told(*peers, *gone, lets_go("router-b", "lb-b")) == []
    assert {line.partition(":")[0] for line in told(*peers, *gone)} == {
        "machine-is-kept", "stateful-is-protected",
    }  # fmt: skip


def test_a_machine_that_moves_to_another_component_and_is_made_anew_is_replaced() -> None:
    steps = [machine("router-a", "delete"), machine("router-a", "create")]
    assert [each.did for each in plan.changes({"steps": steps})] == ["replaced"]


@pytest.mark.parametrize(
    ("role", "machines", "most"),
    [
        ("router", 1, 1),
        ("router", 2, 1),
        ("balancer", 3, 2),
        ("control-plane", 1, 1),
        ("control-plane", 2, 0),
        ("control-plane", 3, 1),
        ("control-plane", 4, 1),
        ("control-plane", 5, 2),
        ("worker", 3, 3),
    ],
)
def test_what_is_left_is_one_of_a_pair_and_a_majority_of_a_quorum(
    role: str, machines: int, most: int
) -> None:
    assert lost_at_most(role, machines) == most


@pytest.mark.parametrize("going", [1, 2])
def test_a_quorum_loses_no_majority(going: int) -> None:
    ops = ["replace"] * going + ["same"] * (3 - going)
    steps = [machine(f"cp-{at}", op, "control-plane") for at, op in enumerate(ops)]
    lines = told(lets_go("*"), *steps)
    assert [line.partition(":")[0] for line in lines] == ["pair-is-kept"] * (going - 1)


def test_a_machine_that_comes_is_none_that_serves_already() -> None:
    steps = [machine("router-a", "replace"), machine("router-b", "create")]
    assert told(lets_go("*"), *steps) == []


@pytest.mark.parametrize("type_", [each for each in STATEFUL if each != VM])
def test_whatever_holds_state_is_protected(type_: str) -> None:
    assert told(stateful(type_)) == [
        "stateful-is-protected: data is deleted by whoever takes it out: set protect"
    ]


@pytest.mark.parametrize(
    ("forward", "opened"),
    [
        ({"first": 22, "last": 22}, ["22 (SSH)"]),
        ({"first": 2379, "last": 2380}, ["2379 (etcd)", "2380 (etcd)"]),
        ({"first": 2222, "last": 2222}, []),
        ({"first": 22, "last": 22, "anybody": False}, []),
        ({"first": 22, "last": 22, "protocol": "udp"}, []),
    ],
)
def test_a_forward_leads_to_no_management_port_unless_its_sources_are_named(
    forward: dict[str, Any], opened: list[str]
) -> None:
    asked = {"name": "desk", "protocol": "tcp", "anybody": True, **forward}
    assert told(step("update", "routers", state(ROUTERS, forwards=[asked]))) == [
        f"management-is-not-public: routers opens port {each} to the world: take it out of "
        "routers.forwards (desk), or name its sources; whoever runs the machines comes by the "
        "management network"
        for each in opened
    ]


def test_a_service_opens_no_management_port_unless_it_stays_inside() -> None:
    assert told(step("create", "ssh", state(SERVICE, spec=SERVICE_OF_SSH))) == [
        "management-is-not-public: ssh opens port 22 (SSH) to the world: take it out of the "
        "Service, or make it a ClusterIP; whoever runs the machines comes by the management network"
    ]
    inside = {**SERVICE_OF_SSH, "type": "ClusterIP"}
    assert told(step("create", "ssh", state(SERVICE, spec=inside))) == []
    assert told(step("create", "ssh", state(SERVICE, spec={"ports": [{"port": 22}]}))) == []


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("echo", False),
        ("registry.example:5000/echo", False),
        ("echo:1.2", True),
        ("registry.example:5000/echo:1.2", True),
        (f"echo@sha256:{'0' * 64}", True),
    ],
)
def test_an_image_is_pinned_by_a_tag_or_a_digest(image: str, pinned: bool) -> None:
    spec = {"initContainers": [{"image": image}]}
    assert (
        told(step("create", "echo", state("kubernetes:core/v1:Pod", spec=spec))) == []
    ) == pinned


@pytest.mark.parametrize(
    ("inputs", "where"),
    [
        ({"values": {"auth": [{"adminPassword": "x"}]}}, "values.auth[0].adminPassword"),
        ({"create": "echo '-----BEGIN PRIVATE KEY-----'"}, "create"),
        ({"repo": "https://me:hush@charts.example.org"}, "repo"),
    ],
)
def test_a_secret_is_told_by_its_place_and_never_quoted(inputs: dict[str, Any], where: str) -> None:
    (line,) = told(step("create", "it", state("any:index:Thing", **inputs)))
    assert f" in {where}, " in line
    assert "hush" not in line


@pytest.mark.parametrize(
    "inputs",
    [
        {"password": "[secret]"},
        {"password": next(iter(UNKNOWN_TEXTS))},
        {"password": ""},
        {"secretName": "tls", "tokenTtl": "5m", "passwordFile": "/etc/x"},
        {"url": "https://charts.example.org:8443/x@1"},
    ],
)
def test_what_is_marked_unknown_or_only_named_like_a_secret_is_none(inputs: dict[str, Any]) -> None:
    assert told(step("create", "it", state("any:index:Thing", **inputs))) == []


def test_an_unknown_value_is_absent_and_the_engines_texts_are_all_known() -> None:
    assert plan.UNKNOWN == UNKNOWN_TEXTS
    unknown = next(iter(UNKNOWN_TEXTS))
    (found,) = plan.resources(
        {"steps": [step("create", "it", state(VM, vmId=unknown, tags=[unknown, "a"]))]}
    )
    assert found.properties == {"tags": [None, "a"]}


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"steps": 3}'])
def test_what_is_no_plan_passes_no_judge(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    assert judge.main([str(file)]) == 2
    assert "no plan" in capsys.readouterr().err
    assert judge.main([str(tmp_path / "absent")]) == 2
    assert judge.main([]) == 2


def test_a_plan_that_keeps_every_rule_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.json"
    file.write_text("Previewing\n" + json.dumps({"steps": [machine("router-a", "same")]}))
    assert judge.main([str(file)]) == 0
    assert capsys.readouterr().out.endswith(" rules hold\n")
