"""The API's behaviour, over HTTPS on loopback; the machines behind it only pretend."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.hypervisor import images
from lab.hypervisor.pve.server import STORAGE_PRIVILEGES
from tests.lab.hypervisor.cluster import IMAGE, NOBODY, SECRET, Cluster, FakeDriver, cluster, stored

ONE = "/nodes/pve1/qemu/101"


@pytest.fixture(autouse=True)
def _no_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "unpack", lambda image, cache: Path("/unpacked") / image.name)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


def test_two_hosts_are_one_cluster_with_real_figures(served: Cluster) -> None:
    nodes = served.get("/nodes")
    assert [(n["node"], n["status"]) for n in nodes] == [("pve1", "online"), ("pve2", "online")]
    assert nodes[0]["maxmem"] > 1 << 30
    addresses = {n["name"]: n["ip"] for n in served.get("/cluster/status") if n["type"] == "node"}
    assert addresses == {"pve1": "198.18.0.2", "pve2": "198.18.0.3"}


def test_a_wrong_token_is_refused_in_pves_words(served: Cluster) -> None:
    answer = served.request("GET", "/nodes", token=f"{NOBODY}=wrong")
    assert (answer.status_code, answer.reason) == (401, "authentication failure")


def test_the_token_has_the_privileges_it_needs_and_no_others(served: Cluster) -> None:
    held = served.get("/access/permissions", path="/storage/local")["/storage/local"]
    # What is granted at the root is held below it.
    assert sorted(held) == sorted((*STORAGE_PRIVILEGES, "Sys.Audit"))
    assert served.get("/access/permissions", path="/") == {"/": {"Sys.Audit": 1}}
    assert (
        "SDN.Use"
        in served.get("/access/permissions", path="/sdn/zones/localnetwork/wan")[
            "/sdn/zones/localnetwork/wan"
        ]
    )
    refused = served.request("POST", "/access/users", userid="x@pve")
    assert refused.status_code == 403
    refused = served.request("POST", "/nodes/pve1/qemu", token=f"{NOBODY}={SECRET}", vmid=101)
    assert (refused.status_code, refused.reason) == (403, "Permission check failed")


def test_hosts_have_the_bridges_of_the_topology(served: Cluster) -> None:
    found = {b["iface"]: b for b in served.get("/nodes/pve2/network", type="any_bridge")}
    assert {"mgmt", "lan", "wan", "sync", "vmbr0"} <= set(found)
    assert found["mgmt"]["cidr"] == "198.18.0.3/24"
    assert served.get("/nodes/pve2/network", type="bond") == []


def test_a_machine_is_created_started_and_read_back(served: Cluster) -> None:
    assert served.create(searchdomain="lab.test")["exitstatus"] == "OK"
    config = served.get(f"{ONE}/config")
    assert config["ide2"] == "local:101/vm-101-cloudinit.qcow2,media=cdrom"
    assert config["scsi0"] == "local:101/vm-101-disk-0.raw,discard=on,size=1K"
    assert served.get(f"{ONE}/status/current")["status"] == "stopped"
    assert served.task("POST", f"{ONE}/status/start")["exitstatus"] == "OK"
    status = served.get(f"{ONE}/status/current")
    assert (status["status"], status["pid"], status["mem"]) == ("running", 4101, 64 << 20)
    spec, seed = served.driver.specs[101], served.driver.seeds[101]
    assert spec.memory_bytes == 512 << 20
    assert spec.image == f"/unpacked/{IMAGE}"
    assert [(n.interface, n.mac, n.bridge, n.mtu) for n in spec.nics] == [
        ("eth0", "bc:24:11:00:00:01", "mgmt", 1500)
    ]
    assert seed is not None and "fqdn: vm-101.lab.test" in seed.user_data


def test_a_machine_that_went_off_by_itself_reads_back_stopped(served: Cluster) -> None:
    served.create()
    served.task("POST", f"{ONE}/status/start")
    served.driver.on.clear()
    assert served.get(f"{ONE}/status/current")["status"] == "stopped"
    assert [v["status"] for v in served.get("/cluster/resources", type="vm")] == ["stopped"]


def test_power_does_what_the_buttons_say(served: Cluster) -> None:
    served.create()
    for action in ("start", "reset", "reboot", "shutdown", "start", "stop"):
        assert served.task("POST", f"{ONE}/status/{action}")["exitstatus"] == "OK"
    assert [call for call, _ in served.driver.calls] == [
        "start", "reset", "shutdown", "start", "shutdown", "start", "stop",
    ]  # fmt: skip


def test_a_guest_that_ignores_the_button_times_out_or_is_forced(served: Cluster) -> None:
    served.create()
    served.task("POST", f"{ONE}/status/start")
    served.driver.stubborn.add(101)
    ended = served.task("POST", f"{ONE}/status/shutdown", timeout=1)
    assert ended["exitstatus"] == "VM quit/powerdown failed - got timeout"
    ended = served.task("POST", f"{ONE}/status/shutdown", timeout=1, forceStop=1)
    assert ended["exitstatus"] == "OK"
    assert ended["log"][0] == "VM still running - terminating now with SIGTERM"
    assert 101 not in served.driver.on


def test_requests_that_make_no_sense_are_refused_in_pves_words(served: Cluster) -> None:
    served.create()
    served.task("POST", f"{ONE}/status/start")
    assert served.task("POST", f"{ONE}/status/start")["exitstatus"] == "VM 101 already running"
    again = served.request(
        "POST", "/nodes/pve2/qemu", vmid=101, net0="virtio,bridge=mgmt", scsi0="local:8"
    )
    assert again.reason == "unable to create VM 101 - VM 101 already exists on node 'pve1'"
    running = served.request("DELETE", ONE)
    assert running.reason == "VM 101 is running - destroy failed"
    missing = served.request("GET", "/nodes/pve1/qemu/999/config")
    assert "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist" in missing.reason
    stopped = served.task("POST", f"{ONE}/status/stop")
    assert stopped["exitstatus"] == "OK"
    assert served.request("POST", f"{ONE}/status/reboot").reason == "VM 101 not running"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"scsi0": "local:0,import-from=local:iso/none.img"},
            "volume 'local:iso/none.img' does not",
        ),
        ({"scsi0": "nowhere:8"}, "(/storage/nowhere, Datastore.AllocateSpace)"),
        (
            {"scsi0": "local:0,import-from=local:snippets/a.yaml"},
            "has wrong type 'snippets' - needs to be",
        ),
    ],
)
def test_a_disk_that_cannot_be_made_fails_and_leaves_no_machine(
    served: Cluster, more: dict[str, str], words: str
) -> None:
    answer = served.request(
        "POST", "/nodes/pve1/qemu", vmid=101, name="x", net0="virtio,bridge=mgmt", **more
    )
    said = answer.text if not answer.ok else served.finished(answer.json()["data"])["exitstatus"]
    assert words in said
    assert served.get("/cluster/resources", type="vm") == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr3"}, "OK"),
        (
            {"cicustom": "user=local:snippets/no.yaml"},
            "volume 'local:snippets/no.yaml' does not exist",
        ),
        ({"scsi0": "local:8"}, "no bootable disk: give one with import-from"),
    ],
)
def test_what_is_wrong_only_at_boot_fails_the_start_task(
    served: Cluster, more: dict[str, str], words: str
) -> None:
    served.create(**more)
    assert served.task("POST", f"{ONE}/status/start")["exitstatus"] == words


def test_a_bridge_that_the_host_lacks_fails_the_start(served: Cluster) -> None:
    served.pve.grant(f"{NOBODY}", "/", "VM.Allocate")
    served.pve.grant("layered-cloud@pve!lab", "/sdn/zones/localnetwork/vmbr9", "SDN.Use")
    served.create(net0="virtio=BC:24:11:00:00:01,bridge=vmbr9")
    ended = served.task("POST", f"{ONE}/status/start")
    assert ended["exitstatus"] == "bridge 'vmbr9' does not exist"


def test_a_boot_that_fails_says_what_the_machine_said(served: Cluster) -> None:
    served.create()
    served.driver.broken[101] = "start failed: no such file"
    ended = served.task("POST", f"{ONE}/status/start")
    assert ended["exitstatus"] == "start failed: no such file"
    assert ended["log"][-1] == "TASK ERROR: start failed: no such file"


def test_a_running_machines_new_memory_waits_for_its_next_start(served: Cluster) -> None:
    served.create()
    served.task("POST", f"{ONE}/status/start")
    assert served.request("PUT", f"{ONE}/config", memory=1024, description="new").ok
    pending = {item["key"]: item.get("pending") for item in served.get(f"{ONE}/pending")}
    assert (pending["memory"], pending["description"]) == ("1024", None)
    assert served.get(f"{ONE}/config")["memory"] == "1024", "pending changes are applied"
    assert served.get(f"{ONE}/config", current=1)["memory"] == "512"
    served.task("POST", f"{ONE}/status/reboot")
    assert served.driver.specs[101].memory_bytes == 1024 << 20


def test_one_machine_does_one_thing_at_a_time(served: Cluster) -> None:
    served.create()
    served.driver.hold = 0.5
    results: list[str] = []

    def start() -> None:
        results.append(served.task("POST", f"{ONE}/status/start")["exitstatus"])

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == ["OK", "VM 101 already running"]
    assert served.driver.calls.count(("start", 101)) == 1


def test_disks_grow_and_never_shrink(served: Cluster) -> None:
    served.create()
    assert served.task("PUT", f"{ONE}/resize", disk="scsi0", size="8G")["exitstatus"] == "OK"
    assert served.get(f"{ONE}/config")["scsi0"].endswith("size=8G")
    refused = served.request("PUT", f"{ONE}/resize", disk="scsi0", size="4G")
    assert refused.reason == "shrinking disks is not supported"


def test_destroying_a_machine_takes_its_disks_along(served: Cluster) -> None:
    served.create()
    assert served.task("DELETE", ONE, purge=1)["exitstatus"] == "OK"
    assert ("destroy", 101) in served.driver.calls
    assert served.get("/nodes/pve1/storage/local/content", content="images") == []
    assert stored(served.layout)["guests"] == []


def test_a_path_with_a_slash_at_its_end_is_the_one_without(served: Cluster) -> None:
    """As the real Proxmox provider deletes a machine."""
    served.create()
    assert served.get(f"{ONE}/config/") == served.get(f"{ONE}/config")
    assert served.task("DELETE", f"{ONE}/", purge=1)["exitstatus"] == "OK"
    assert ("destroy", 101) in served.driver.calls
    assert served.get("/cluster/resources", type="vm") == []


def test_each_host_has_its_own_files(served: Cluster) -> None:
    (served.layout.vz("pve1") / "snippets" / "a.yaml").write_text("#cloud-config\n")
    (served.layout.vz("pve1") / "snippets" / ".hidden").write_text("")

    def names(node: str) -> list[str]:
        entries = served.get(f"/nodes/{node}/storage/local/content", content="snippets")
        return [entry["volid"] for entry in entries]

    assert names("pve1") == ["local:snippets/a.yaml"]
    assert names("pve2") == []
    path = "/nodes/pve1/storage/local/content/local:snippets/a.yaml"
    assert served.task("DELETE", path)["exitstatus"] == "OK"
    assert names("pve1") == []
    assert not (served.layout.vz("pve1") / "snippets" / "a.yaml").exists()


def download(served: Cluster, data: bytes, **more: str) -> dict[str, object]:
    form = {
        "content": "iso",
        "filename": "new.img",
        "url": "http://198.18.0.4/new",
        "checksum": hashlib.sha256(data).hexdigest(),
        "checksum-algorithm": "sha256",
        **more,
    }
    return served.task("POST", "/nodes/pve1/storage/local/download-url", **form)


def test_a_download_is_kept_only_with_the_right_checksum(
    served: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(namespace: Path, url: str, target: Path, algorithm: str | None) -> str:
        assert namespace.name == "lc-pve1"
        target.write_bytes(b"image")
        return hashlib.sha256(b"image").hexdigest()

    monkeypatch.setattr(images, "fetch", fetch)
    target = served.layout.vz("pve1") / "template/iso" / "new.img"
    ended = download(served, b"other")
    assert str(ended["exitstatus"]).startswith("checksum mismatch: got '6105d6cc")
    assert not target.exists()
    assert download(served, b"image")["exitstatus"] == "OK"
    assert target.read_bytes() == b"image"
    again = download(served, b"image")
    assert "OK, got correct file already, no need to download" in again["log"]  # type: ignore[operator]
    target.write_bytes(b"spoilt")
    assert download(served, b"image")["exitstatus"] == "OK"
    assert target.read_bytes() == b"image"


def test_downloads_pve_would_refuse_are_refused(served: Cluster) -> None:
    path = "/nodes/pve1/storage/local/download-url"
    form = {"content": "iso", "filename": "x.tar", "url": "http://198.18.0.4/x"}
    refused = served.request("POST", path, **form)
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"filename": "wrong file extension"}
    refused = served.request("POST", path, token=f"{NOBODY}={SECRET}", **form)
    assert "(/storage/local, Datastore.AllocateTemplate)" in refused.reason


@pytest.mark.parametrize(
    ("method", "path", "form", "words"),
    [
        ("POST", "/clone", {"newid": 200}, "cloning is not supported by this lab"),
        ("POST", "/template", {}, "templates are not supported by this lab"),
        ("POST", "/snapshot", {"snapname": "one"}, "snapshots are not supported by this lab"),
        ("POST", "/move_disk", {"disk": "scsi0"}, "moving a disk is not supported"),
        ("POST", "/status/suspend", {}, "suspending a machine is not supported"),
    ],
)
def test_what_the_lab_does_not_do_is_refused_by_name(
    served: Cluster, method: str, path: str, form: dict[str, object], words: str
) -> None:
    served.create()
    served.pve.grant("layered-cloud@pve!lab", "/", "VM.Clone", "VM.Snapshot")
    answer = served.request(method, ONE + path, **form)
    assert answer.status_code == 501, answer.text
    assert words in answer.reason


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"target": "pve2"}, 500, "can't migrate running VM without --online"),
        ({"target": "pve1", "online": 1}, 400, "target is local node."),
        ({"target": "pve9", "online": 1}, 500, "no such cluster node 'pve9'"),
    ],
)
def test_a_machine_that_cannot_be_migrated_stays_and_goes_on(
    served: Cluster, form: dict[str, object], status: int, words: str
) -> None:
    served.create()
    served.task("POST", f"{ONE}/status/start")
    answer = served.request("POST", f"{ONE}/migrate", **form)
    assert answer.status_code == status, answer.text
    assert words in answer.text + answer.reason
    assert served.get(f"{ONE}/status/current")["status"] == "running"


def test_a_number_that_waits_is_told_as_a_number(served: Cluster) -> None:
    """The plugin takes no text for it, and an update of a machine that runs would fail."""
    served.create()
    served.task("POST", f"{ONE}/status/start")
    assert served.request("PUT", f"{ONE}/config", cores=4).ok
    assert served.get(f"{ONE}/config")["cores"] == 4
    assert served.get(f"{ONE}/config", current=1)["cores"] == 1


def test_a_machine_is_migrated_as_it_runs_by_whoever_may(served: Cluster) -> None:
    served.create()
    served.task("POST", f"{ONE}/status/start")
    form = {"target": "pve2", "online": 1, "with-local-disks": 1}
    refused = served.request("POST", f"{ONE}/migrate", token=f"{NOBODY}={SECRET}", **form)
    assert "(/vms/101, VM.Migrate)" in refused.reason
    assert served.task("POST", f"{ONE}/migrate", **form)["exitstatus"] == "OK"
    assert served.get("/nodes/pve2/qemu/101/status/current")["status"] == "running"
    assert served.driver.calls == [("start", 101)]


def test_a_restarted_api_knows_its_machines_and_their_state(tmp_path: Path) -> None:
    driver = FakeDriver()
    with cluster(tmp_path, driver) as first:
        first.create()
        first.task("POST", f"{ONE}/status/start")
        before = first.get(f"{ONE}/config")
    with cluster(tmp_path, driver) as second:
        assert second.get(f"{ONE}/config") == before
        assert second.get(f"{ONE}/status/current")["status"] == "running"
        assert second.task("POST", f"{ONE}/status/stop")["exitstatus"] == "OK"
    assert driver.on == {}


def test_the_apis_memory_is_for_root_only(served: Cluster) -> None:
    served.create(cipassword="hidden")
    assert served.layout.pve_state.stat().st_mode & 0o777 == 0o600
