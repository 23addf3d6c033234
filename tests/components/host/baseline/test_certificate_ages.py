"""What a machine tells of its certificates, told by the real node_exporter."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch

import pytest

from components.host.baseline import certificates, parts
from components.host.part import Part
from components.loadbalancers.model import ORDERED_CERTIFICATE
from lab.software import checkers
from tests import issued
from tests.components import rendered, stacks
from tests.components.checked import real
from tests.components.host import demo
from tests.components.host.baseline.test_baseline_parts import ARGS
from tests.components.host.booted import booted, poll

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = "/var/lib/prometheus/node-exporter"
TOLD = f"{FOLDER}/layered-cloud-certificates.prom"
_ASK = f"""
mkdir -p {FOLDER}
python3 -I {certificates.SCRIPT} >&2 || exit 1
ls {FOLDER} -A >&2
prometheus-node-exporter --web.listen-address=127.0.0.1:9100 >/dev/null 2>&1 &
curl --silent --fail --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:9100/metrics
kill $!
"""


def part(**over: object) -> Part:
    made = parts.parts(replace(ARGS, node_exporter=True, **over).model())
    (found,) = [each for each in made if each.name == "certificates"]
    return found


def days(count: int) -> issued.Pair:
    return issued.made("it", begins=BEGINS, ends=BEGINS + timedelta(days=count))


def told(text: str) -> dict[str, tuple[int, int]]:
    """By file: days from the first day on."""
    form = r'^layered_cloud_certificate_(\w+)_timestamp_seconds\{file="([^"]+)"\} (\S+)$'
    found: dict[str, dict[str, int]] = {}
    for end, file, value in re.findall(form, text, re.M):
        since = datetime.fromtimestamp(float(value), UTC) - BEGINS
        found.setdefault(file, {})[end] = since.days
    return {file: (ends["start"], ends["end"]) for file, ends in found.items()}


@real
def test_every_file_with_a_certificate_is_told_with_its_first_and_last_moment() -> None:
    shown, chain, client = days(90), days(36500), days(365)
    data = base64.b64encode(client.pem.encode()).decode()
    files = {
        certificates.SCRIPT: part().texts()[certificates.SCRIPT],
        "/etc/haproxy/tls/site.pem": shown.pem + chain.pem + shown.key_pem,
        "/etc/kubernetes/pki/apiserver.crt": client.pem,
        "/etc/kubernetes/pki/etcd/ca.crt": chain.pem,
        "/etc/kubernetes/admin.conf": f"users:\n- user:\n    client-certificate-data: {data}\n",
        "/etc/kubernetes/kubelet.conf": "users:\n- user:\n    client-certificate: elsewhere\n",
        "/etc/kubernetes/pki/damaged.crt": days(1).pem.replace("\n", "\nAAAA", 1),
    }
    done = checkers.run_checker(["bash", "-c", _ASK], files)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[1:] == ["layered-cloud-certificates.prom"]
    assert done.stderr.startswith("/etc/kubernetes/pki/damaged.crt: ")
    assert told(done.stdout) == {
        "/etc/haproxy/tls/site.pem": (0, 90),
        "/etc/kubernetes/pki/apiserver.crt": (0, 365),
        "/etc/kubernetes/pki/etcd/ca.crt": (0, 36500),
        "/etc/kubernetes/admin.conf": (0, 365),
    }
    assert "node_textfile_scrape_error 0" in done.stdout
    assert shown.key_pem.splitlines()[1] not in done.stdout + done.stderr


@pytest.mark.root
@pytest.mark.timeout(240)
def test_the_timer_runs_it_with_little_more_than_the_right_to_read() -> None:
    made = part()
    request = demo.request(
        "baseline",
        {},
        program=False,
        contents=[
            demo.content(file.path, made.texts()[file.path], file.mode) for file in made.files
        ],
        checks=made.checks,
        steps=made.steps,
        services=made.services,
    )
    site = days(90)
    pem = {"/etc/haproxy/tls/site.pem": site.pem + site.key_pem}
    modes = dict.fromkeys(pem, 0o600)
    with booted("certificates", files=pem, modes=modes) as machine:
        answer = machine.ask("apply", request)
        assert answer.status == 0, answer.err
        assert machine.sh(f"systemctl is-active {certificates.TIMER}") == "active"
        machine.sh("systemctl start layered-cloud-certificates.service")
        text = poll(lambda: machine.text(TOLD), 10, "the figures")
        assert told(text) == {"/etc/haproxy/tls/site.pem": (0, 90)}
        assert machine.sh(f"stat -c '%a %U' {TOLD}") == "644 root"


def test_the_certificates_that_are_pushed_are_among_those_that_are_told() -> None:
    pushed = rendered.certificate_paths(stacks.lab())
    pushed += rendered.certificate_paths(stacks.ordered())
    assert len(pushed) == 2
    for path in (*pushed, ORDERED_CERTIFICATE):
        assert any(fnmatch(path, pattern) for pattern in certificates.FILES), path


def test_a_machine_without_an_exporter_tells_nothing() -> None:
    assert "certificates" not in [each.name for each in parts.parts(ARGS.model())]
