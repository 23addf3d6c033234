"""Every check: nothing is told while all is well, and what is told when something is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.checks import bgp, certificates, fill, haproxy, kubernetes, reboots, units, vips
from ops.checks.table import CHECKS
from ops.judge import rows
from ops.question import Answer
from settings.models import NO_CERTIFICATE
from settings.models.maintenance import Maintenance
from tests.components import stacks
from tests.issued import NOW, made
from tests.ops import ops_world as world
from tests.ops.ops_world import answer, captured, held, judged, node, nodes, report, seen, services

ROOT = Path(__file__).parents[2]
DAEMONS, PAIRS = "daemons run and answer their probes", "each of a pair could take over"
PUSHED, CERTIFICATES = "what was pushed stands there", "no certificate ends soon"
REBOOTS, CLOCKS = "no reboot is pending", "clocks are right"
ROOM = "disks, memory and connection tables have room"
ROUTERS, BALANCERS = (
    "each VIP of the routers has one owner",
    "each VIP of the balancers has one owner",
)
FIREWALL, BGP = "the firewall is in force", "BGP sessions are established"
SERVERS, READY = "HAProxy's servers are up", "every node is Ready"
VERSIONS, PODS = "the cluster's versions are the stack's", "every pod runs"
ETCD, API = "every member of etcd answers", "the API answers on the management VIP"


@pytest.mark.parametrize("stack", [stacks.lab(), stacks.single(), stacks.bgp(), stacks.three()])
def test_nothing_is_told_while_all_is_well(stack: Any) -> None:
    changed = {}
    if stack.environment == "dev":
        changed = {"router-a": {}, "lb-a": {}}
    extra = {f"cp-{n}": node(f"cp-{n}") for n in range(1, len(stack.cluster.control_planes) + 1)}
    changed |= {name: {"nodes": nodes(*extra.values())} for name in extra}
    found = judged(seen(stack, changed=changed))
    assert {name: row.wrong for name, row in found.items() if row.wrong} == {}
    assert all(row.result.ok for row in found.values())
    assert (BGP in found) == (stack.routers.bgp is not None)
    assert (PAIRS in found) == (stack.environment != "dev")


def broken(name: str, **changed: Mapping[str, str | Answer]) -> tuple[str, ...]:
    """What one check tells when these answers are others, all other checks being content."""
    machines = {key.replace("_", "-"): each for key, each in changed.items()}
    found = judged(seen(changed=machines))
    assert [each for each, row in found.items() if not row.result.ok] == [name]
    assert found[name].remedy
    assert found[name].result.detail == "; ".join(found[name].wrong)
    return found[name].wrong


def test_owners() -> None:
    both = held("198.18.10.10", "198.18.0.10")
    assert broken(BALANCERS, lb_b={"addresses": both}) == (
        "198.18.10.10 on lb-a, lb-b, not on lb-a",
        "198.18.0.10 on lb-a, lb-b, not on lb-a",
    )
    assert broken(BALANCERS, lb_a={"addresses": held()}, lb_b={"addresses": both}) == (
        "198.18.10.10 on lb-b, not on lb-a",
        "198.18.0.10 on lb-b, not on lb-a",
    )
    assert broken(ROUTERS, router_a={"addresses": held("203.0.113.10")}) == (
        "198.18.10.1 on no machine, not on router-a",
    )


def test_a_vip_stays_with_the_other_one_where_the_owner_does_not_take_it_back() -> None:
    stack = stacks.lab()
    vrrp = stack.balancers.vrrp.model_copy(update={"preempt": False})
    kept = stack.model_copy(update={"balancers": stack.balancers.model_copy(update={"vrrp": vrrp})})
    moved = {
        "lb-a": {"addresses": held()},
        "lb-b": {"addresses": held("198.18.10.10", "198.18.0.10")},
    }
    assert judged(seen(kept, changed=moved))[BALANCERS].result.ok
    assert not judged(seen(stack, changed=moved))[BALANCERS].result.ok


def test_while_the_owner_is_silent_its_peer_may_hold_all() -> None:
    silent = {"lb-a": "no route to host"}
    moved = {"lb-b": {"addresses": held("198.18.10.10", "198.18.0.10")}}
    assert judged(seen(changed=moved, silent=silent))[BALANCERS].result.ok
    found = judged(seen(silent=silent))
    assert found[BALANCERS].wrong[0] == (
        "198.18.10.10 on no machine that answers (lb-a does not), not on lb-a"
    )
    assert found["lb-a answers"].wrong == ("lb-a (198.18.0.21): no route to host",)


def test_a_stack_that_nobody_answers_for_is_told_row_by_row() -> None:
    here = world.lab()
    found = judged(seen(silent={each.name: "timed out" for each in here.machines}))
    lacking = [name for name, row in found.items() if row.result.ok]
    assert lacking == [API]
    assert found[FIREWALL].wrong == ("nobody answers that could tell: router-a, router-b",)


def test_an_appliance_is_no_failure_and_its_checks_are_left_out() -> None:
    given = world.outputs(stacks.lab())
    for name in ("router-a", "router-b"):
        given["inventory"]["machines"][name] |= {"python": False, "user": "layered"}
    site = world.site("lab", stacks.lab(), given)
    quiet = dict.fromkeys(("router-a", "router-b"), "an appliance without Python")
    found = {
        row.result.name: row for row in rows(world.later(seen(silent=quiet), site=site), CHECKS)
    }
    assert found["router-a answers"].result.ok
    assert "appliance" in found["router-a answers"].result.detail
    assert {ROUTERS, FIREWALL}.isdisjoint(found)
    assert all(row.result.ok for row in found.values())


def test_units() -> None:
    assert broken(DAEMONS, lb_b={"services": services("haproxy.service", active="failed")}) == (
        "lb-b: haproxy.service is failed",
    )
    sick = services("haproxy.service", status=1, said="no answer")
    assert broken(DAEMONS, lb_a={"services": sick}) == (
        "lb-a: haproxy.service fails its probe: no answer",
    )
    listed = "layered-cloud-recover.service loaded failed failed Puts back\n"
    assert broken(DAEMONS, cp_1={"failed units": listed}) == (
        "cp-1: layered-cloud-recover.service has failed",
    )
    assert (
        units.stopped("m", json.loads(services("x.service", wanted=False, active="inactive"))) == []
    )


def test_who_could_not_take_over_says_why() -> None:
    assert broken(PAIRS, router_b={"takeover": "conntrackd.service is inactive\n"}) == (
        "router-b: conntrackd.service is inactive",
    )


def test_drift() -> None:
    drift = {"/etc/haproxy/layered/10-base.cfg": "changed", "package haproxy": "2.8, not 2.6"}
    assert broken(PUSHED, lb_a={"manifests": report(**drift)}) == (
        "lb-a: base: /etc/haproxy/layered/10-base.cfg is changed",
        "lb-a: base: package haproxy is 2.8, not 2.6",
    )
    assert broken(PUSHED, lb_b={"manifests": "[]"}) == ("lb-b has no manifest",)
    assert broken(PUSHED, lb_b={"manifests": answer("", 124, "sh: no answer within 45 s")}) == (
        "lb-b: sh: no answer within 45 s",
    )


def test_certificates() -> None:
    late = world.later(seen(), now=NOW + timedelta(days=240))
    found = judged(late)[CERTIFICATES].wrong
    assert any(
        each.startswith("cp-1 /etc/kubernetes/pki/ca.crt (CN=kubernetes) ends on 2027-03-07, in 25")
        and "kubeadm certs renew" in each
        for each in found
    )
    assert any(each.startswith("the kubeconfig ") for each in found)
    assert any(each.startswith("the stack's authority ") for each in found)
    assert any(each.startswith("echo.lab.test at 198.18.10.10:443, as lb-a is") for each in found)
    refused = answer("", 1, "ConnectionRefusedError: refused")
    assert broken(CERTIFICATES, lb_a={"shown certificate": refused}) == (
        "lb-a: HTTPS shows no certificate: ConnectionRefusedError: refused",
    )


def test_a_placeholder_is_no_certificate() -> None:
    where = "echo.lab.test at 198.18.10.10:443"
    shown = json.dumps([{"where": where, "pem": made(NO_CERTIFICATE).pem}])
    assert broken(CERTIFICATES, lb_b={"shown certificate": shown}) == (
        f"{where}, as lb-b is shown it, is a placeholder: the balancer orders it by itself: read "
        "`journalctl -u layered-certbot` there",
    )
    by = certificates.renewal
    assert by("/etc/haproxy/tls/acme/certbot.pem") == certificates.BY_BALANCER
    assert by("/etc/haproxy/tls/site.pem") == certificates.BY_HAND


def test_reboots() -> None:
    files = {
        reboots.FLAG: "*** System restart required ***\n",
        f"{reboots.FLAG}.pkgs": "libc6\ndbus\n",
    }
    assert broken(REBOOTS, worker_1={"reboot required": json.dumps(files)}) == (
        "worker-1: a reboot is required (dbus, libc6)",
    )
    kernels = {f"/boot/vmlinuz-6.1.0-{n}-cloud-amd64": None for n in (9, 18, 21)}
    assert broken(REBOOTS, lb_a={"kernels": json.dumps(kernels)}) == (
        "lb-a: kernel 6.1.0-18-cloud-amd64 runs, 6.1.0-21-cloud-amd64 is installed",
    )


@pytest.mark.parametrize(
    ("running", "installed", "told"),
    [
        ("6.1.0-9-amd64", ["6.1.0-9-amd64", "6.1.0-10-amd64"], "6.1.0-10-amd64"),
        ("6.1.0-10-amd64", ["6.1.0-9-amd64", "6.1.0-10-amd64"], None),
        ("6.8.0-31-generic", ["6.8.0-40-lowlatency", "6.8.0-31-generic"], None),
        ("6.12.9+bpo-cloud-amd64", ["6.1.0-30-cloud-amd64", "6.12.9+bpo-cloud-amd64"], None),
        ("6.18.44-fc-v769", [], None),
    ],
)
def test_a_newer_kernel_is_one_of_the_same_flavour(
    running: str, installed: list[str], told: str | None
) -> None:
    assert reboots.newer(running, installed) == told


def test_clocks() -> None:
    assert broken(CLOCKS, cp_1={"processes": "systemd\nchronyd\n"}) == (
        "cp-1: chronyd sets the clock, which the stack leaves to the hypervisor (networks.ntp is "
        "empty)",
    )
    stack = stacks.lab()
    networks = stack.networks.model_copy(update={"ntp": ["192.0.2.4"]})
    following = stack.model_copy(update={"networks": networks})
    unsynchronised = captured("chrony.csv").replace("Normal", "Not synchronised")
    found = judged(
        seen(
            following,
            changed={
                "lb-a": {"chrony": unsynchronised},
                "lb-b": {"chrony": answer("", 1, "506 Cannot talk to daemon")},
                "cp-1": {"chrony": "Reference ID"},
            },
        )
    )[CLOCKS].wrong
    assert found == (
        "lb-b: chrony does not answer: 506 Cannot talk to daemon",
        "lb-a: chrony is not synchronised: see 'chronyc sources' there",
        "cp-1: chronyc tracking says 'Reference ID'",
    )


def test_a_clock_that_is_certainly_off_is_told_by_its_side() -> None:
    found = seen()
    machines = dict(found.machines)
    machines["lb-a"] = world.later(machines["lb-a"], least=-90.0, most=-89.5)
    assert judged(world.later(found, machines=machines))[CLOCKS].wrong == (
        "lb-a: its clock is 89.5 s or more behind this machine's",
    )


def test_fill() -> None:
    full = world.DF.replace("36%    6%", "91%   88%")
    assert broken(ROOM, worker_1={"disks": full}) == (
        "worker-1: disk / is 91 % full, 85 % are let pass",
        "worker-1: inodes of / is 88 % full, 85 % are let pass",
    )
    little = {"/proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 30 kB\n"}
    assert broken(ROOM, lb_a={"memory": json.dumps(little)}) == (
        "lb-a: memory is 97 % full, 95 % are let pass",
    )
    table = json.loads(world.WELL["conntrack"]) | {
        "/proc/sys/net/netfilter/nf_conntrack_count": "250000\n"
    }
    assert broken(ROOM, router_a={"conntrack": json.dumps(table)}) == (
        "router-a: tracked connections is 95 % full, 80 % are let pass",
    )
    assert [each.what for each in fill.disks(world.DF)] == [
        "disk /",
        "inodes of /",
        "disk /boot/efi",
    ]


def test_haproxy() -> None:
    text = captured("haproxy-stat.csv")
    table = haproxy.rows(text)
    assert {row["svname"] for row in haproxy.servers(table)} >= {"cp-1", "worker-1", "worker-2"}
    fallen = [{**row, "status": "DOWN"} if row["svname"] == "worker-2" else row for row in table]
    told = ["ingress_http/worker-2 DOWN", "ingress_https/worker-2 DOWN"]
    assert haproxy.complaints(fallen, None) == told
    # Two replicas on three nodes: a node without one is down on purpose.
    assert haproxy.complaints(fallen, 2) == []
    assert haproxy.complaints(fallen, 3) == told
    apiless = [{**row, "status": "DOWN"} if row["pxname"] == "api" else row for row in table]
    assert haproxy.complaints(apiless, 1)[0] == "api/cp-1 DOWN"


def test_firewall() -> None:
    text = captured("nft-table.txt")
    assert broken(FIREWALL, router_b={"firewall": text.split("chain input")[0]}) == (
        "router-b: the firewall's table is empty or cut",
    )


def test_bgp_of_both_daemons() -> None:
    both = [bgp.of_frr(captured("frr-summary.json")), bgp.of_bird(captured("bird-protocols.txt"))]
    wanted = dict.fromkeys(
        ("203.0.113.1", "198.18.10.21", "198.18.10.31", "198.18.10.32"), "Established"
    )
    assert both == [wanted, wanted]
    gone = captured("frr-summary.json").replace("198.18.10.32", "198.18.10.99")
    found = judged(seen(stacks.bgp(), changed={"router-a": {"bgp": gone}}))[BGP]
    assert found.wrong == ("router-a: the session with worker-2 (198.18.10.32) is not configured",)


def test_nodes() -> None:
    assert broken(READY, cp_1={"nodes": nodes(node("worker-1", ready="Unknown"))}) == (
        "node worker-1 is not Ready: kubelet stopped posting",
    )
    cordoned = node("worker-1") | {"spec": {"unschedulable": True}}
    assert broken(READY, cp_1={"nodes": nodes(cordoned)}) == (
        "node worker-1 is cordoned: it takes no new pod",
    )
    named = Maintenance(machines=["router-a", "worker-1", "worker-2"])
    found = judged(
        seen(
            stacks.lab().model_copy(update={"maintenance": named}),
            changed={"cp-1": {"nodes": nodes(cordoned)}},
        )
    )[READY]
    assert found.wrong == ("node worker-2 takes new pods, and maintenance.machines names it",)
    assert found.result.detail == found.wrong[0]
    assert broken(READY, cp_1={"nodes": nodes(node("stranger"))}) == (
        "nodes are ['cp-1', 'stranger', 'worker-1', 'worker-2'], not ['cp-1', 'worker-1', "
        "'worker-2']",
    )


def test_versions() -> None:
    assert broken(VERSIONS, cp_1={"nodes": nodes(node("worker-1", version="v1.36.1"))}) == (
        "worker-1's kubelet is v1.36.1, cluster.kubernetes_version says 1.36.3",
    )
    assert kubernetes.skewed({"a": "v1.37.0", "b": "v1.32.9"}, "v1.36.3", "1.36.3")[2:] == [
        "a's kubelet v1.37.0 is newer than the API server v1.36.3",
        "b's kubelet v1.32.9 is 4 minor versions behind v1.36.3",
    ]


def test_pods_and_etcd() -> None:
    text = f"{world.PODS}echo echo-2 Pending <none>\n"
    assert broken(PODS, cp_1={"pods": text}) == ("echo/echo-2 Pending",)
    assert broken(ETCD, cp_1={"etcd": answer("", 1, "etcd failed: reason withheld")}) == (
        "cp-1: etcd failed: reason withheld",
    )
    away = {kubernetes.HERE: answer("", 1, "https://198.18.0.10:6443/readyz: timed out")}
    assert judged(world.later(seen(), here=away))[API].wrong == (
        "from here: https://198.18.0.10:6443/readyz: timed out",
    )


def test_of_several_control_planes_one_that_answers_is_enough() -> None:
    stack = stacks.three()
    names = [each.name for each in stack.cluster.control_planes]
    text = nodes(*(node(name) for name in names))
    changed: dict[str, dict[str, str | Answer]] = {name: {"nodes": text} for name in names[1:]}
    changed[names[0]] = dict.fromkeys(
        ("nodes", "pods", "api version"), answer("", 1, "connection refused")
    )
    found = judged(seen(stack, changed=changed))
    assert [found[name].result.ok for name in (READY, VERSIONS, PODS)] == [True] * 3


def test_an_answer_of_another_form_is_a_finding_and_no_traceback() -> None:
    for question in world.WELL:
        for nonsense in ("{}", "nonsense", "[1]", '{"items": 3}'):
            changed = {name.name: {question: nonsense} for name in world.lab().machines}
            judged(seen(changed=changed))
    told = judged(seen(changed={"cp-1": {"nodes": "nonsense"}}))[READY].wrong
    assert told[0].startswith("an answer cannot be read: JSONDecodeError")


def test_each_check_has_a_page_that_is_there() -> None:
    for check in CHECKS:
        path, _, anchor = check.page.partition("#")
        text = (ROOT / path).read_text(encoding="utf-8")
        anchors = {
            line.lstrip("# ").lower().replace(" ", "-").replace(",", "").replace("'", "")
            for line in text.splitlines()
            if line.startswith("#")
        }
        assert not anchor or anchor in anchors, check.page
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_vips_of_every_family_are_looked_for() -> None:
    named = {vip for group in vips.router_groups(stacks.lab()) for vip in group.vips}
    assert named == {str(each) for each in stacks.lab().routers.every_vip}
    named = {vip for group in vips.balancer_groups(stacks.lab()) for vip in group.vips}
    assert named == {str(each) for each in stacks.lab().balancers.every_vip}
