"""The archive for a bug report, of a real machine with secrets in every place that has some: what
a report is read for is in it, and no secret in any form."""

from __future__ import annotations

import base64
import json
import secrets
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import yaml

from ops import cli
from tests.components.host import demo
from tests.components.host.booted import Booted, booted
from tests.components.host.ssh_door import SshDoor
from tests.issued import made
from tests.ops import ops_world as world

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]


SHOWN = "opensesame"
"""A secret that only what stands around it shows: it is on no machine, and reads like words."""
SAYING = (
    f"kubeadm join 198.18.10.10:6443 --token {SHOWN} --v=5",
    f"tool --admin-password={SHOWN} --retries 3",
    f"DB_PWD={SHOWN} MYSQL_PASS={SHOWN} SESSION_KEY={SHOWN} DB_HOST=198.18.10.21",
    f"GET https://shop:{SHOWN}@db.lab.test/shop",
    f"> Authorization: Digest {SHOWN} {SHOWN}",
    f'{{"kind":"Secret","data":{{"pin":"{base64.b64encode(SHOWN.encode()).decode()}"}}}}',
    *("apiVersion: v1", "data:", f"  pin: {base64.b64encode(SHOWN.encode()).decode()}"),
    "kind: Secret",
)
"""Each line of it by a daemon that talks too much, one by one."""
LEFT = (
    *("join 198.18.10.10:6443", "--v=5", "--retries 3", "DB_HOST=198.18.10.21", "@db.lab.test/"),
    f"echo@sha256:{'0123456789abcdef' * 4}",
    "cilium 1.20.2",
)
"""What stays of a journal with all that."""


class Planted:
    """Secrets, each of its own, and where they stand."""

    def __init__(self) -> None:
        self.vrrp = f"vrrp{secrets.token_hex(3)}"
        self.bgp = f"bgp.{secrets.token_urlsafe(9)}"
        self.api_token = f"0f8e1c2a-{secrets.token_hex(2)}-4711-8888-{secrets.token_hex(6)}"
        self.chart = f"chart {secrets.token_hex(4)} pass"
        self.kube_key = base64.b64encode(made("admin").key_pem.encode()).decode()
        self.kube_token = secrets.token_urlsafe(30)
        self.tls = made("site").key_pem
        self.host_tls = made("kubelet").key_pem
        self.elsewhere = made("elsewhere").key_pem
        self.in_log = [
            secrets.token_urlsafe(32),
            secrets.token_hex(32),
            base64.b64encode(secrets.token_bytes(48)).decode(),
        ]
        self.deploy_key = ""

    def each(self) -> Iterator[str]:
        yield from (self.vrrp, self.bgp, self.api_token, self.chart, self.kube_key, self.kube_token)
        yield from self.in_log
        for pem in (
            self.tls,
            self.host_tls,
            self.elsewhere,
            self.deploy_key,
            base64.b64decode(self.kube_key).decode(),
        ):
            lines = [line for line in pem.splitlines() if "-----" not in line]
            assert lines
            yield from (line for line in lines if len(line) > 20)

    def written(self) -> Iterator[str]:
        """Each as somebody may write it, in the middle of something else too."""
        for value in self.each():
            yield value
            yield from (quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1])
            yield value.encode().hex()
            for before in ("", "x", "xy"):
                data = f"{before}{value}".encode()
                yield base64.b64encode(data).decode()
                yield base64.urlsafe_b64encode(data).decode()
                yield quote(base64.b64encode(data).decode(), safe="")

    def forms(self) -> Iterator[str]:
        """What must be nowhere: of base64 without what stands before or behind."""
        for value in self.each():
            yield value
            yield from (quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1])
            yield value.encode().hex()
            for before in ("", "x", "xy"):
                data = f"{before}{value}".encode()
                for text in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
                    inner = text.decode().rstrip("=")[4 if before else 0 : -2]
                    yield from (inner, quote(inner, safe=""))


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


@pytest.fixture(scope="module")
def machine() -> Iterator[Booted]:
    with booted("inspect") as it:
        yield it


@pytest.fixture(scope="module")
def door(machine: Booted, planted: Planted) -> Iterator[SshDoor]:
    it = SshDoor(machine)
    planted.deploy_key = it.private_key
    yield it
    it.close()


def fill(machine: Booted, planted: Planted) -> None:
    """Secrets as pushes leave them, and daemons that talk too much."""
    files = {"/etc/demo/a.conf": "alpha\nauth_pass @@vrrp@@\npassword @@bgp@@\nend\n"}
    secret = {"/etc/demo/a.conf#vrrp": planted.vrrp, "/etc/demo/a.conf#bgp": planted.bgp}
    deposit = {"layer": "app", "epoch": "1", "secrets": secret}
    assert machine.ask("deposit", deposit).status == 0
    given = demo.request(
        "app",
        {},
        contents=[
            demo.content(
                "/etc/demo/a.conf", files["/etc/demo/a.conf"], "0600", placeholders=("vrrp", "bgp")
            )
        ],
    )
    pushed = machine.ask("apply", given)
    assert pushed.status == 0, pushed.err
    assert planted.vrrp in str(machine.text("/etc/demo/a.conf"))
    for path, text in (
        ("/etc/haproxy/tls/site.pem", f"{made('site').pem}{planted.tls}"),
        ("/var/lib/kubelet/pki/kubelet-client-current.pem", planted.host_tls),
    ):
        machine.sh(f"mkdir -p {Path(path).parent}")
        (machine.root / path.lstrip("/")).write_text(text)
    said = [f"haproxy: reload took 12 ms, request {n}" for n in range(3)]
    for number, value in enumerate(planted.written()):
        said.append(f"level=info msg=said-{number} x={value}")
        said.append(f"then {value} again")
    said += planted.tls.splitlines()
    said += [f"loaded: {line}" for line in planted.elsewhere.splitlines()]
    said += [*SAYING, LEFT[-2], LEFT[-1]]
    (machine.root / "run/said").write_text("\n".join(said) + "\n")
    machine.sh("systemd-run --wait --quiet --unit=layered-talks.service cat /run/said")
    machine.sh("journalctl --sync; journalctl -q -u layered-talks | grep -q 'reload took'")


def outputs(door: SshDoor, planted: Planted) -> dict[str, Any]:
    found = world.outputs(world.stacks.lab())
    for name, row in found["inventory"]["machines"].items():
        row["addresses"]["management"] = "127.0.0.1"
        row["port"] = door.port if name == "lb-a" else 1
        row["host_key"] = door.host_key
    found["deploy_key"] = door.private_key
    found["kubeconfig"] = f"client-key-data: {planted.kube_key}\ntoken: {planted.kube_token}\n"
    found["api_endpoints"]["management"] = "127.0.0.1:1"
    found["somebodys_own"] = {"password": planted.chart}
    found["urls"] = [f"https://admin:{planted.kube_token}@echo.lab.test/"]
    return found


@pytest.fixture(scope="module")
def files(
    machine: Booted, door: SshDoor, planted: Planted, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The files of the archive by their paths."""
    fill(machine, planted)
    folder = tmp_path_factory.mktemp("inspect")
    document = yaml.safe_load((ROOT / "Pulumi.lab.yaml").read_text(encoding="utf-8"))
    document["encryptionsalt"] = f"v1:{planted.in_log[0]}"
    config = document["config"]
    config["layered-cloud:proxmoxApiToken"] = {"secure": f"v1:aaaa:{planted.kube_key[:40]}"}
    values = config["layered-cloud:platform"]["ingress"]["chart"].setdefault("values", {})
    values["adminPassword"] = planted.chart
    values["note"] = planted.api_token
    (folder / "Pulumi.lab.yaml").write_text(yaml.safe_dump(document))
    (folder / "outputs.json").write_text(json.dumps(outputs(door, planted)))
    path = folder / "found.tar.gz"
    words = [
        "--settings",
        str(folder / "Pulumi.lab.yaml"),
        "--outputs",
        str(folder / "outputs.json"),
    ]
    assert cli.main(["inspect", *words, "--to", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        return {
            each.name.removeprefix("lab-inspect/"): (tar.extractfile(each) or pytest.fail())
            .read()
            .decode()
            for each in tar
        }


def test_no_secret_is_in_it_in_any_form(files: dict[str, str], planted: Planted) -> None:
    found = {
        (path, form)
        for form in planted.forms()
        if len(form) >= 6
        for path, text in files.items()
        if form in text
    }
    assert found == set()
    assert [path for path, text in files.items() if "PRIVATE KEY" in text] == []


def test_no_secret_is_in_it_that_only_its_surroundings_show(files: dict[str, str]) -> None:
    encoded = base64.b64encode(SHOWN.encode()).decode().rstrip("=")
    assert [path for path, text in files.items() if SHOWN in text or encoded in text] == []
    journal = files["machines/lb-a/journal.txt"]
    assert [each for each in LEFT if each not in journal] == []
    checksum = yaml.safe_load(files["settings.yaml"])["config"]["layered-cloud:proxmox"]["image"]
    assert checksum["sha256"] == "0" * 64
    assert "VERSION_CODENAME=" in files["machines/lb-a/files/etc/os-release"]


def test_what_a_report_is_read_for_is_in_it(files: dict[str, str]) -> None:
    assert {"README.txt", "check.txt", "check.json", "report.html", "settings.yaml"} <= set(files)
    assert "reload took 12 ms" in files["machines/lb-a/journal.txt"]
    assert "said-0" in files["machines/lb-a/journal.txt"]
    assert "demo.service" in files["machines/lb-a/units.txt"]
    assert "openssh-server" in files["machines/lb-a/packages.txt"]
    assert "127.0.0.1/8" in files["machines/lb-a/addresses-and-counters.txt"]
    assert files["machines/lb-a/pushed/app/etc/demo/a.conf"] == (
        "alpha\nauth_pass <masked>\npassword <masked>\nend\n"
    )
    assert "Connection refused" in files["machines/router-a/silent.txt"]
    rows = json.loads(files["check.json"])
    assert {tuple(row) for row in rows} == {("name", "ok", "seconds", "detail")}
    assert files["machines/lb-a/haproxy-info.txt"].startswith("status 1\nFileNotFoundError")


def test_settings_and_outputs_are_there_without_their_secrets(files: dict[str, str]) -> None:
    config = yaml.safe_load(files["settings.yaml"])["config"]
    assert config["layered-cloud:proxmoxApiToken"] == "<masked>"
    values = config["layered-cloud:platform"]["ingress"]["chart"]["values"]
    assert values["adminPassword"] == "<masked>"
    assert config["layered-cloud:networks"]["lan"]["cidr"] == "198.18.10.0/24"
    outputs = json.loads(files["outputs.json"])
    assert outputs["deploy_key"] == outputs["kubeconfig"] == outputs["somebodys_own"] == "<masked>"
    assert outputs["inventory"]["machines"]["lb-a"]["addresses"]["lan"] == "198.18.10.11"
    assert outputs["urls"] == ["https://admin:<masked>@echo.lab.test/"]
