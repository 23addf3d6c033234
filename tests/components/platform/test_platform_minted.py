"""The Secret made ahead, its shell texts run with a kubectl that writes down what it was asked."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from components.platform import metallb, render
from components.platform.addon import Minted, SelfSigned
from lab.software import goitems

KUBECTL = """#!/bin/bash
case " $* " in
*" get secret "*) [ -e "$HERE/made" ] ;;
*" create secret "*) printf '%s\\n' "$@" >"$HERE/asked"; cat >"$HERE/made" ;;
esac
"""


def test_a_secret_that_is_not_there_is_made_of_random_bits_that_no_command_line_shows(
    tmp_path: Path,
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    secret = Minted(name="demo-key", key="secretkey")

    def run(text: str) -> int:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HERE": str(tmp_path)}
        shell = ["bash", "-eu", "-o", "pipefail", "-c", text]
        return subprocess.run(shell, env=environment, check=False).returncode

    assert run(render.minted_guard("demo", secret)) != 0
    values = set()
    for _ in range(2):
        assert run(render.mint("demo", secret)) == 0
        value = (tmp_path / "made").read_text()
        assert len(base64.b64decode(value, validate=True)) == 16
        assert value not in (tmp_path / "asked").read_text()
        values.add(value)
    assert len(values) == 2
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[asked.index("--namespace") + 1] == "demo"
    assert asked[asked.index("generic") + 1] == "demo-key"
    assert "secretkey=/dev/stdin" in asked
    assert run(render.minted_guard("demo", secret)) == 0


def test_a_certificate_is_made_with_its_key_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        "#!/bin/bash\n"
        'while [ $# -gt 0 ]; do case "$1" in --cert | --key) cp "$2" "$HERE/${1#--}";; esac; '
        'printf "%s\\n" "$1" >>"$HERE/asked"; shift; done\n'
    )
    kubectl.chmod(0o755)
    text = render.mint("demo", SelfSigned(name="demo-tls", host="ingress.invalid"))
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HERE": str(tmp_path)}
    text = text.replace("--tmpdir=/run", f"--tmpdir={tmp_path}")
    subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", text], env=environment, check=True)

    shown = subprocess.run(
        ["openssl", "x509", "-in", str(tmp_path / "cert"), "-noout", "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "DNS:ingress.invalid" in shown
    public = ["openssl", "pkey", "-in", str(tmp_path / "key"), "-pubout"]
    of_the_certificate = ["openssl", "x509", "-in", str(tmp_path / "cert"), "-noout", "-pubkey"]
    assert subprocess.check_output(public) == subprocess.check_output(of_the_certificate)
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[asked.index("--namespace") + 1] == "demo"
    assert asked[asked.index("tls") + 1] == "demo-tls"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asked", "cert", "key", "kubectl"]


@pytest.mark.skipif(not goitems.KUBECTL.item.ready, reason="kubectl is not built")
def test_a_webhooks_certificates_are_what_it_would_make_itself_and_carry_helms_marks(
    tmp_path: Path,
) -> None:
    (tmp_path / "work").mkdir()
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        '#!/bin/bash\nprintf "%s\\n" "$@" >>"$HERE/asked"\n'
        'case " $* " in *" --kubeconfig "*) cat >"$HERE/made" ;; '
        f'*) exec {goitems.KUBECTL.executable("kubectl")} "$@" ;; esac\n'
    )
    kubectl.chmod(0o755)
    text = render.mint("metallb-system", metallb.WEBHOOK)
    text = text.replace("--tmpdir=/run", f"--tmpdir={tmp_path / 'work'}")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HERE": str(tmp_path)}
    subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", text], env=environment, check=True)

    made = json.loads((tmp_path / "made").read_text())
    assert (made["kind"], made["metadata"]["name"]) == ("Secret", "metallb-webhook-cert")
    assert made["metadata"]["namespace"] == "metallb-system"
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert made["metadata"]["annotations"] == {
        "meta.helm.sh/release-name": "metallb",
        "meta.helm.sh/release-namespace": "metallb-system",
    }
    for name, data in made["data"].items():
        (tmp_path / name).write_bytes(base64.b64decode(data))
        assert data not in (tmp_path / "asked").read_text()
    assert sorted(made["data"]) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]
    assert (tmp_path / "ca.key").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    soon = ["-attime", str(int(time.time()) + 91 * 24 * 3600)]
    for name, host in (("ca.crt", "cert"), ("tls.crt", metallb.WEBHOOK.host)):
        asked = ["openssl", "verify", "-CAfile", str(tmp_path / "ca.crt"), "-verify_hostname", host]
        subprocess.run([*asked, *soon, str(tmp_path / name)], check=True)
    asked = ["openssl", "verify", "-CAfile", str(tmp_path / "ca.crt"), "-purpose", "sslserver"]
    subprocess.run([*asked, *soon, str(tmp_path / "tls.crt")], check=True)
    for pair in ("ca", "tls"):
        key = ["openssl", "pkey", "-in", str(tmp_path / f"{pair}.key"), "-pubout"]
        certificate = ["openssl", "x509", "-in", str(tmp_path / f"{pair}.crt"), "-noout", "-pubkey"]
        assert subprocess.check_output(key) == subprocess.check_output(certificate)
    assert list((tmp_path / "work").iterdir()) == []
