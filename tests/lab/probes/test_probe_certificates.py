"""Which certificates the probe complains of, and what it finds where it looks."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from lab.probes.certificates import Seen, ending
from lab.probes.world import script
from tests.issued import NOW, made


def seen(days: float, life: int = 365) -> Seen:
    ends = NOW + timedelta(days=days)
    pem = made("kube-apiserver", begins=ends - timedelta(days=life), ends=ends).pem
    return Seen(where="cp-1 /etc/kubernetes/pki/apiserver.crt", pem=pem, renewal="do it")


def test_a_certificate_is_complained_of_in_its_window_by_name_date_and_way() -> None:
    assert ending([seen(31), seen(364), seen(3, life=7)], NOW) == []
    assert ending([seen(29.5), seen(-1), seen(2, life=7)], NOW) == [
        "cp-1 /etc/kubernetes/pki/apiserver.crt (CN=kube-apiserver) ends on 2026-07-15, in 29 "
        "days: do it",
        "cp-1 /etc/kubernetes/pki/apiserver.crt (CN=kube-apiserver) ends on 2026-06-14, over: do "
        "it",
        "cp-1 /etc/kubernetes/pki/apiserver.crt (CN=kube-apiserver) ends on 2026-06-17, in 2 "
        "days: do it",
    ]


def test_certificates_are_found_in_files_bundles_and_kubeconfigs(tmp_path: Path) -> None:
    one, two = made("one"), made("two")
    (tmp_path / "bundle.crt").write_text(f"# note\n{one.pem}{two.pem}{one.key_pem}")
    data = base64.b64encode(two.pem.encode()).decode()
    (tmp_path / "admin.conf").write_text(f"users:\n- user:\n    client-certificate-data: {data}\n")
    spec = {"files": [f"{tmp_path}/*.crt", f"{tmp_path}/*.conf", f"{tmp_path}/none*"]}
    done = subprocess.run(
        [sys.executable, "-", json.dumps(spec)],
        input=script("certificates"),
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(done.stdout)
    assert [(Path(row["where"]).name, row["pem"].strip()) for row in rows] == [
        ("bundle.crt", one.pem.strip()),
        ("bundle.crt", two.pem.strip()),
        ("admin.conf", two.pem.strip()),
    ]


def test_a_server_that_shows_nothing_is_told() -> None:
    spec = {"shown": [{"address": "127.0.0.1", "port": 1, "host": "www.lab.test"}]}
    done = subprocess.run(
        [sys.executable, "-", json.dumps(spec)],
        input=script("certificates"),
        capture_output=True,
        text=True,
        check=True,
    )
    (row,) = json.loads(done.stdout)
    assert (row["pem"], row["where"]) == ("", "www.lab.test at 127.0.0.1:1")
    assert "refused" in row["error"]
