"""The preflight against a Proxmox API: every lack at once, each with what would put it right."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from components.machines import preflight
from components.machines.api import ApiTrouble
from components.machines.preflight import DISK_PRIVILEGES, FILE_PRIVILEGES, VM_PRIVILEGES
from settings.models import Proxmox, Stack
from tests.components import stacks

TOKEN = "root@pam!test=11111111-2222-3333-4444-555555555555"
ALL = dict.fromkeys((*VM_PRIVILEGES, *DISK_PRIVILEGES, *FILE_PRIVILEGES), 1)

HOSTS = ("pve1", "pve2")


def ready() -> dict[str, Any]:
    """The answers of a cluster that has everything; permissions are looked up by path."""
    bridges = [{"iface": name} for name in ("mgmt", "lan", "wan", "sync")]
    storage = [
        {
            "storage": "local",
            "content": "iso,import,snippets,images",
            "enabled": 1,
            "active": 1,
        }
    ]
    return {
        "/version": {"version": "9.0.3"},
        "/nodes": [{"node": "pve1", "status": "online"}, {"node": "pve2", "status": "online"}],
        "/nodes/pve1/network": bridges,
        "/nodes/pve2/network": bridges,
        "/nodes/pve1/storage": storage,
        "/nodes/pve2/storage": storage,
        "/cluster/resources": [{"vmid": 101, "name": "router-a", "node": "pve1"}],
        "/access/permissions": {
            "/": {"Sys.Audit": 1, "Sys.Modify": 1},
            "/vms": ALL,
            "/storage/local": ALL,
            **{f"/sdn/zones/localnetwork/{each['iface']}": {"SDN.Use": 1} for each in bridges},
        },
    }


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[Mapping[str, Any]] = {}
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api2/json")
        if self.headers["Authorization"] != f"PVEAPIToken={TOKEN}":
            self.send_response(401, "invalid token value!")
            self.end_headers()
            return
        if path not in self.answers:
            self.send_response(403, "Permission check failed")
            self.end_headers()
            return
        data = self.answers[path]
        if path == "/access/permissions":
            asked = parse_qs(parts.query)["path"][0]
            data = {asked: data[asked]} if asked in data else {}
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        self.seen.append(format % args)


@contextmanager
def serving(answers: Mapping[str, Any]) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"answers": answers, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def at(stack: Stack, endpoint: str) -> Proxmox:
    return stack.proxmox.model_copy(update={"endpoint": endpoint})


def found(answers: Mapping[str, Any], token: str = TOKEN, stack: Stack | None = None) -> list[str]:
    stack = stack or stacks.lab()
    with serving(answers) as endpoint:
        return preflight.check(
            at(stack, endpoint), stack.networks, preflight.planned(stack.machines()), token
        )


def test_a_cluster_that_has_everything_lacks_nothing() -> None:
    assert found(ready()) == []


def test_a_bridge_that_no_virtual_machine_stands_on_is_not_asked_for() -> None:
    answers = ready()
    for host in ("pve1", "pve2"):
        answers[f"/nodes/{host}/network"] = [{"iface": "mgmt"}, {"iface": "lan"}]
    assert found(answers, stack=stacks.mikrotik()) == []
    assert len(found(answers)) == 4, "the WAN's and the sync segment's on each host"


def test_every_lack_is_named_at_once() -> None:
    answers = ready()
    answers["/nodes"][1]["status"] = "offline"
    answers["/nodes/pve1/network"] = [{"iface": "mgmt"}, {"iface": "lan"}, {"iface": "sync"}]
    answers["/nodes/pve1/storage"] = [{"storage": "local", "content": "iso,images"}]
    answers["/access/permissions"]["/vms"] = {"VM.Allocate": 1}
    answers["/cluster/resources"].append({"vmid": 111, "name": "windows", "node": "pve2"})
    lacks = found(answers)
    assert [lack.split(";")[0] for lack in lacks] == [
        "host pve1: no bridge wan (it has: lan, mgmt, sync)",
        "host pve1: storage local does not take import, snippets",
        "host pve2: the node is offline",
        "the token lacks VM.Audit, VM.Config.CDROM, VM.Config.CPU, VM.Config.Cloudinit, "
        "VM.Config.Disk, VM.Config.HWType, VM.Config.Memory, VM.Config.Network, "
        "VM.Config.Options, VM.PowerMgmt on /vms",
        "lb-a: vm_id 111 is taken by windows on pve2",
    ]


def test_a_machine_that_moves_takes_two_privileges_more() -> None:
    answers = ready()
    answers["/cluster/resources"][0]["node"] = "pve2"
    answers["/access/permissions"]["/"] = {}
    answers["/access/permissions"] |= {f"/nodes/{each}": {"Sys.AccessNetwork": 1} for each in HOSTS}
    answers["/nodes/pve2/qemu/101/config"] = {"scsi0": "local:101/disk", "ide2": "local:init"}
    moving = "router-a stands on pve2 and is to stand on pve1: the token lacks"
    assert [lack.split(";")[0] for lack in found(answers)] == [
        f"{moving} VM.Migrate on /vms",
        f"{moving} Sys.Audit on /",
    ]
    answers["/access/permissions"]["/"] = {"Sys.Audit": 1}
    answers["/access/permissions"]["/vms"] = {**ALL, "VM.Migrate": 1}
    assert found(answers) == []


def test_a_machine_does_not_move_with_volumes_that_others_attached() -> None:
    answers = ready()
    answers["/cluster/resources"][0]["node"] = "pve2"
    answers["/access/permissions"]["/vms"] = {**ALL, "VM.Migrate": 1}
    disks = {"scsi0": "local:101/disk", "scsi3": "local:pvc-1", "scsihw": "virtio-scsi-single"}
    answers["/nodes/pve2/qemu/101/config"] = disks
    (lack,) = found(answers)
    assert lack.startswith("router-a stands on pve2 and is to stand on pve1: its scsi3 would go")
    assert "name a node in maintenance.machines in an update before" in lack


def test_a_machine_that_is_already_ours_is_no_lack() -> None:
    answers = ready()
    answers["/cluster/resources"] = [
        {"vmid": spec.vm_id, "name": spec.name, "node": spec.host}
        for _, spec in stacks.lab().machines()
    ]
    assert found(answers) == []


def test_a_host_the_cluster_does_not_have_is_named_with_those_it_has() -> None:
    answers = ready()
    answers["/nodes"] = [{"node": "pve1", "status": "online"}]
    assert found(answers) == ["host pve2: the cluster has no such node (it has: pve1)"]


def test_a_storage_that_is_missing_or_not_active_is_named() -> None:
    answers = ready()
    answers["/nodes/pve1/storage"] = [{"storage": "ceph", "content": "images"}]
    answers["/nodes/pve2/storage"] = [{**answers["/nodes/pve2/storage"][0], "active": 0}]
    assert found(answers) == [
        "host pve1: no storage local (it has: ceph)",
        "host pve2: storage local is not active; enable it first",
    ]


def test_download_needs_either_privilege_on_the_root_or_on_each_node() -> None:
    answers = ready()
    answers["/access/permissions"]["/"] = {}
    answers["/access/permissions"]["/nodes/pve1"] = {"Sys.AccessNetwork": 1}
    (lack,) = found(answers)
    assert lack.startswith("the token lacks Sys.AccessNetwork on /nodes/pve2; ")


def test_a_refused_question_is_a_lack_of_its_own_and_the_rest_is_still_asked() -> None:
    answers = ready()
    del answers["/nodes/pve1/network"]
    answers["/cluster/resources"].append({"vmid": 121, "name": "db", "node": "pve1"})
    lacks = found(answers)
    assert lacks == [
        "host pve1: its bridges cannot be read: GET /nodes/pve1/network: 403 Permission check "
        "failed",
        "cp-1: vm_id 121 is taken by db on pve1; choose a free id",
    ]


def test_a_refused_token_says_how_to_set_it_and_does_not_show_it() -> None:
    (lack,) = found(ready(), token="root@pam!other=secret-value")
    assert "the token is refused (invalid token value!)" in lack
    assert "pulumi config set --secret proxmoxApiToken" in lack
    assert "secret-value" not in lack


def test_an_api_that_does_not_answer_is_one_lack() -> None:
    stack = stacks.lab()
    with serving({}) as endpoint:
        pass
    (lack,) = preflight.check(at(stack, endpoint), stack.networks, [], TOKEN)
    assert lack.startswith(f"{endpoint}: no answer (")
    assert lack.endswith("is the management network reachable from here?")


def test_an_answer_of_something_else_is_named() -> None:
    stack = stacks.lab()

    def get(path: str, /, **parameters: str) -> Any:
        raise ApiTrouble(f"GET {path}: not an answer of the Proxmox API (no data)")

    assert preflight.lacks(get, stack.proxmox, stack.networks, []) == [
        "GET /nodes: not an answer of the Proxmox API (no data)"
    ]


def test_the_image_decides_which_content_its_storage_must_take() -> None:
    proxmox = stacks.lab().proxmox
    for file_name, kind in (("debian.img", "iso"), ("debian.qcow2", "import")):
        image = proxmox.image.model_copy(update={"file_name": file_name})
        stores = proxmox.datastores.model_copy(update={"images": "store"})
        needs = preflight.contents(
            proxmox.model_copy(update={"image": image, "datastores": stores})
        )
        assert needs == {"store": {kind}, "local": {"snippets", "images"}}


@pytest.mark.timeout(60)
def test_the_answers_of_a_proxmox_are_understood(fakepve: Any, fakepve_url: str) -> None:
    """fakepve answers with the shapes of the real API's schema."""
    base = f"{fakepve_url.removesuffix('/').removesuffix('/api2/json')}/api2/json"
    session = requests.Session()
    session.trust_env = False
    session.verify = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        login = {"username": "root@pam", "password": "secret"}
        ticket = session.post(f"{base}/access/ticket", data=login, timeout=10).json()["data"]
        session.cookies.set("PVEAuthCookie", ticket["ticket"])

        def get(path: str, /, **parameters: str) -> Any:
            answer = session.get(f"{base}{path}", params=parameters, timeout=10)
            answer.raise_for_status()
            return answer.json()["data"]

        node = get("/nodes")[0]["node"]
        stack = stacks.lab()
        machine = preflight.Planned(name="lb-a", host=node, vm_id=111, segments=frozenset({"lan"}))
        lacks = preflight.lacks(get, stack.proxmox, stack.networks, [machine])
    assert any(lack.startswith(f"host {node}: no bridge lan (it has: ") for lack in lacks), lacks
    assert not any("cannot be read" in lack for lack in lacks), lacks
