"""What stands around a secret and shows it: options, variables, headers, keys over many lines,
Secrets of Kubernetes; and what looks alike and stays."""

from __future__ import annotations

import json
import time

import pytest

from ops.scripts.redact import MASK
from ops.shapes import KEY_LINES, masked
from tests.issued import made

AT = "2026-11-26T19:21:18+0000 cp-1"
KEY = made("x").key_pem
INSIDE = KEY.splitlines()[1:-1]


@pytest.mark.parametrize(
    "text",
    [
        "kubeadm join 198.18.10.10:6443 --token hunter2 --v=5",
        "tool --token=hunter2",
        "tool -password hunter2 run",
        "tool --admin-password 'hunter2' run",
        'argv ["--db-pass", "hunter2"]',
        "kubeadm join --certificate-key hunter2",
        "curl -u admin:hunter2 https://host.lab.test/",
        "curl --proxy-user=admin:hunter2 https://host.lab.test/",
        "DB_PWD=hunter2 DB_USER=shop",
        "Environment=MYSQL_PASS=hunter2",
        'export SESSION_KEY="hunter2"',
        "      DB_PASS:  hunter2 (from a Secret)",
        "    - name: DB_PASS\n      value: hunter2\n",
        '{"name":"SIGNING_KEY","value":"hunter2"}',
        "authorization: token hunter2",
        "< Authorization: Digest hunter2 hunter2, qop=auth",
        'header="Proxy-Authorization: Negotiate hunter2" status=407',
        "headers=map[X-Auth-Token:[hunter2] Accept:[*/*]]",
        "Set-Cookie: lang=fa; session=hunter2; path=/",
        "GET http://shop:hunter2@db.lab.test:5432/shop",
        "amqp://:hunter2@queue.lab.test/",
    ],
)
def test_what_stands_around_a_secret_shows_it(text: str) -> None:
    left = masked(f"{AT} app[7]: {text} end")
    assert MASK in left
    assert "hunter2" not in left


@pytest.mark.parametrize(
    "text",
    [
        "kubelet --kubeconfig=/etc/kubernetes/kubelet.conf --v=2",
        "kube-apiserver --tls-private-key-file=/etc/kubernetes/pki/apiserver.key",
        "tool --private-key /etc/ssl/private/shop.key --verbose",
        "sshd: AuthorizedKeysFile=/etc/ssh/keys SSL_KEY=/etc/ssl/shop.key",
        "PWD=/root OLDPWD=/etc HOME=/root",
        "journalctl -u haproxy -u keepalived",
        "--token-file /run/token",
        "kube-apiserver --authorization-mode=Node,RBAC --secure-port=6443",
        "http://198.18.10.10:8404/stats?mail=ops@lab.test",
        "ssh://backup@198.18.0.200/srv/backups",
        "cilium 1.20.2, kubeadm v1.36.3, containerd 2.4.2-1~debian.12~bookworm",
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
        "VERSION_CODENAME=bookworm",
        'PRIVACY_POLICY_URL="https://distribution.test/legal/terms-and-policies/privacy-policy"',
        "Linux version 6.1.0-18-amd64 (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP Debian 6.1.76-1",
        f"registry.lab.test/echo@sha256:{'0123456789abcdef' * 4}",
        f"--discovery-token-ca-cert-hash sha256:{'0123456789abcdef' * 4}",
        "kubectl get secret shop -n shop: Secret shop/shop has 3 keys",
    ],
)
def test_what_looks_alike_stays(text: str) -> None:
    assert masked(text) == text


def test_a_bare_checksum_of_other_length_is_none() -> None:
    assert masked(f"sha256:{'0123456789abcdef' * 2}") == f"sha256:{MASK}"


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("short", ["Ab3=", "Zz", "q"])
def test_a_key_over_lines_of_a_log_goes_from_wherever_it_begins(first: int, short: str) -> None:
    lines = [KEY.splitlines()[0], *INSIDE, short, KEY.splitlines()[-1]][first:]
    text = "".join(f"{AT} app[7]: {line}\n" for line in lines)
    left = masked(f"{text}{AT} app[7]: goes on\n")
    assert left == f"{AT} app[7]: {MASK}\n" * len(lines) + f"{AT} app[7]: goes on\n"


def test_lines_of_others_in_between_are_left_and_so_is_all_behind_a_key_without_an_end() -> None:
    other = f"{AT} kubelet[9]: node is ready, 3 pods\n"
    key = [f"{AT} app[7]: {line}\n" for line in KEY.splitlines()]
    left = masked(other.join(key))
    assert left.count("kubelet[9]: node is ready, 3 ") == len(key) - 1
    assert not any(line in left for line in INSIDE)
    behind = f"{AT} app[7]: /var/lib/layered-cloud/balancers/configuration.json\n"
    left = masked(key[0] + "a line\n" * KEY_LINES + behind)
    assert left.endswith("a line\n" + behind)


def test_a_key_on_one_line_goes_and_the_line_goes_on() -> None:
    assert masked(f"key={json.dumps(KEY.strip())[1:-1]} next=1") == f"key={MASK} next=1"
    whole = KEY.replace("\n", "#012")
    assert masked(f"a {whole} b") == f"a {MASK}#012 b"


YAML = """\
apiVersion: v1
items:
- apiVersion: v1
  data:
    user: c2hvcA==
    note: |
      c2hvcHNob3A=
      more
  kind: Secret
  metadata:
    name: shop
- apiVersion: v1
  kind: Secret
  stringData:
    pin: "4711"
  type: Opaque
kind: List
"""


@pytest.mark.parametrize("head", ["", f"{AT} kubectl[7]: ", "Nov 26 19:21:18 cp-1 kubectl[7]: "])
def test_a_secret_of_kubernetes_keeps_its_names_and_loses_its_data(head: str) -> None:
    left = masked("".join(f"{head}{line}\n" for line in YAML.splitlines()))
    for value in ("c2hvcA", "c2hvcHNob3A", "more", "4711"):
        assert value not in left
    for kept in ("  kind: Secret", "    user: ", "    pin: ", "    name: shop", "  type: Opaque"):
        assert f"{head}{kept}" in left


@pytest.mark.parametrize("escaped", [False, True])
def test_so_does_one_in_json(escaped: bool) -> None:
    thing = {
        "kind": "Secret",
        "data": {"user": "c2hvcA==", "pin": "NDcxMQ=="},
        "metadata": {"name": "shop", "namespace": "shop"},
    }
    text = json.dumps(thing)
    left = masked(f"{AT} kubectl[7]: {json.dumps(text) if escaped else text}")
    assert "c2hvcA" not in left
    assert "NDcx" not in left
    assert "namespace" in left
    assert left.count("shop") == 2


def test_a_configmap_keeps_its_data() -> None:
    text = "data:\n  mode: fast\nkind: ConfigMap\n"
    assert masked(text) == text


@pytest.mark.parametrize(
    "line", ["a" * 100_000, "--" * 50_000, "data: " * 20_000, "_KEY" * 25_000, "://" * 30_000]
)
def test_a_long_line_takes_no_long_time(line: str) -> None:
    began = time.process_time()
    masked(f"kind: Secret\n{line}")
    assert time.process_time() - began < 5
