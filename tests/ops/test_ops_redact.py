"""What is taken for a secret, and what is left alone."""

from __future__ import annotations

import base64
import json
import random
import secrets
import string
from urllib.parse import quote

import pytest

from ops.scripts.redact import MASK, forms, known, looks_random, masked, unknown
from tests.issued import made


def written(value: str) -> list[str]:
    """A value as somebody may write it, in the middle of something else too."""
    found = [value, quote(value, safe=""), json.dumps(value)[1:-1], value.encode().hex()]
    for before in ("", "a", "ab"):
        data = f"{before}{value}::".encode()
        found += [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()]
    return found


@pytest.mark.parametrize(
    "value",
    ["hunter2hunter2", "s3cr3t", "päss wörd/+&?", "user@pve!ci=0f8e-aaaa", "a\nsecond line 4711"],
)
def test_a_known_value_goes_in_whatever_form_it_is_written(value: str) -> None:
    values = known([value])
    for text in written(value):
        left = unknown(f"before {text} behind", values)
        assert MASK in left, text
        assert value not in left
        for each in forms(value):
            assert each not in left


def test_of_a_form_in_base64_nothing_of_the_value_can_be_had_back() -> None:
    value = "correct horse battery staple"
    text = base64.b64encode(f"password={value};".encode()).decode()
    left = unknown(text, known([value])).replace(MASK, "=")
    assert b"orse" not in b"".join(
        base64.b64decode(piece + "=" * (-len(piece) % 4))
        for piece in left.split("=")
        if len(piece) % 4 != 1
    )


def test_every_line_of_a_key_is_known() -> None:
    key = made("x").key_pem
    values = known([key])
    for line in key.splitlines()[1:-1]:
        assert unknown(f"log: {line}", values) == f"log: {MASK}"
    assert "PRIVATE" not in masked(f"said {key} and more", values)


def test_the_value_of_a_named_line_is_known_by_itself() -> None:
    values = known(["inside=xyzzy4711\nprovider=plugh4711\n"])
    assert unknown("neighbor 203.0.113.1 password plugh4711", values).endswith(f"password {MASK}")
    assert "xyzzy" not in unknown("xyzzy4711", values)


def test_random_tokens_go_by_their_look() -> None:
    chosen = random.Random(4711)  # noqa: S311 - the same each time
    alphabets = [
        string.hexdigits.lower()[:16],
        string.ascii_letters + string.digits + "+/",
        string.ascii_letters + string.digits + "-_",
    ]
    missed = []
    for alphabet in alphabets:
        for length in (20, 32, 43, 64, 88):
            for _ in range(200):
                token = "".join(chosen.choices(alphabet, k=length))
                left = masked(f"level=info msg=x {token} end")
                if token in left:
                    missed.append(token)
    # Of a short one chance may make a word; of those that keys have, none.
    assert [each for each in missed if len(each) >= 32] == []
    assert len(missed) <= 12
    assert secrets.token_urlsafe(32) not in masked("no token at all")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-1",
        "Authorization: Basic dXNlcjpwYXNz",
        "  neighbor 203.0.113.1 password hunter2",
        'password "hunter2";',
        "    auth_pass hunter2",
        "token=hunter2&x=1",
        '{"password": "hunter2"}',
        '{\\"api_key\\": \\"hunter2\\"}',
        "https://admin:hunter2@host.lab.test/",
        "bootstrap abcdef.0123456789abcdef used",
        "PVEAPIToken=root@pam!ci=0f8e1c2a-1111-2222-3333-444455556666",
        "client-key-data: aHVudGVyMg==",
    ],
)
def test_what_a_daemon_calls_a_secret_is_one(text: str) -> None:
    left = masked(text)
    assert MASK in left
    for word in ("hunter2", "abc.def", "dXNlcjpwYXNz", "0123456789abcdef", "0f8e1c2a", "aHVudGVy"):
        assert word not in left


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26T19:21:18+0000 lb-a haproxy[812]: Server ingress_http/worker-2 is DOWN",
        "layered-cloud-certificates.timer loaded active waiting Certificates' ages, once an hour",
        "Keepalived_vrrp[311]: (front_management) Entering MASTER STATE",
        "/var/lib/layered-cloud/balancers/configuration.json",
        "kube-system cilium-operator-5d7f8c9b4-x2k9q 1/1 Running 0 2d",
        "inet 198.18.10.10/32 scope global eth1:1 valid_lft forever",
        "linux-image-6.1.0-18-cloud-amd64 6.1.76-1",
        "NodeHasSufficientMemory kubelet has sufficient memory available",
        "net.netfilter.nf_conntrack_tcp_timeout_established = 86400",
        "counter name refused_forward packets 12 bytes 720",
    ],
)
def test_what_a_report_is_read_for_stays(text: str) -> None:
    assert masked(text) == text


def test_names_are_no_tokens() -> None:
    assert not looks_random("kube-controller-manager-cp-1")
    assert not looks_random("systemd-networkd-wait-online")
    assert looks_random("9f86d081884c7d659a2feaa0c55ad015")
