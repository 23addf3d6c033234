"""`init` tells a wrong answer with its flag, in the settings' words, and what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from settings.__main__ import main
from tests.issued import made
from tests.settings.test_init_choices import HOST_KEY, flags

INSIDE = {"asn": "64512", "inside_asn": "64513"}
UPSTREAM = {"asn": "64512", "upstream": "isp=198.18.3.1:64500"}
MIKROTIK = {
    **{"routers": "mikrotik", "router_addresses": "10.20.0.11,10.20.0.12"},
    "router_keys": f"{HOST_KEY},{HOST_KEY}",
}
VYOS = {"routers": "vyos", "routers_image": "https://images.corp.test/vyos-1.4.qcow2"}
MAIL = {"monitoring": "mail", "alerts_to": "ops@corp.test", "alerts_from": "cloud@corp.test"}
PRIVATE = "write your own AS number, or a private one such as 64512"
ON_THE_WAN = "write the address of the provider's router on the WAN"
BGP = "layered-cloud:routers.bgp"
REFUSED: list[tuple[dict[str, str], list[str]]] = [
    (
        {"asn": "ours"},
        ["--asn: ours is no AS number; write your own in digits, or a private one such as 64512"],
    ),
    (
        {**UPSTREAM, "asn": "23456"},
        [f"{BGP}.asn: 23456 is the placeholder for longer numbers (RFC 6793); {PRIVATE} (--asn)"],
    ),
    (
        {**INSIDE, "inside_asn": "65535"},
        [f"{BGP}.inside.asn: 65535 is reserved (RFC 7300); {PRIVATE} (--inside-asn)"],
    ),
    (
        {**UPSTREAM, "asn": "4294967296"},
        [f"{BGP}.asn: 4294967296 is too large; write at most 4294967295 (--asn)"],
    ),
    (
        {"asn": "64512"},
        [f"{BGP}.upstream: [] leaves nobody to speak with; add a provider, or inside (--upstream)"],
    ),
    (
        {**UPSTREAM, "upstream": "isp=198.18.4.1:64500"},
        [
            f"{BGP}.upstream[0].address: 198.18.4.1 is outside networks.wan (198.18.3.0/28); "
            f"{ON_THE_WAN} (--upstream)"
        ],
    ),
    (
        {**UPSTREAM, "upstream": "isp=198.18.3.1"},
        [
            "--upstream: isp=198.18.3.1 does not name an address and an AS number; write each as "
            "NAME=ADDRESS:ASN, such as isp=198.51.100.1:64500"
        ],
    ),
    (
        {**UPSTREAM, "upstream": "isp=198.18.3.1:64512"},
        [
            f"{BGP}.upstream[0].asn: 64512 is the routers' own (routers.bgp.asn); give the "
            "neighbours an AS number of their own, such as 64513 (--upstream)"
        ],
    ),
    (
        {**UPSTREAM, "upstream_passwords": "ips"},
        ["--upstream-passwords: ips is nobody's name in --upstream; write isp, or - for none"],
    ),
    (
        {**UPSTREAM, "announce": "198.18.3.0/28"},
        [
            f"{BGP}.announce[0]: 198.18.3.0/28 overlaps networks.wan.cidr (198.18.3.0/28), which "
            "nobody outside may reach; announce the network that the provider assigned (--announce)"
        ],
    ),
    (
        {**UPSTREAM, "announce": "192.0.2.0/24", "announced_vip": "10.20.0.9"},
        ["layered-cloud:routers.vips[1].wan[0]: 10.20.0.9 ", "(--announced-vip)"],
    ),
    (
        {**INSIDE, "pool": "10.20.10.50-10.20.10.60"},
        [
            "layered-cloud:platform.metallb.pool[0]: 10.20.10.50-10.20.10.60 overlaps "
            "networks.lan.cidr (10.20.10.0/24), where it would be asked for by ARP, and nobody "
            "answers that in mode bgp; write addresses that no network of the stack has (--pool)"
        ],
    ),
    (
        {**INSIDE, "pool": "172.20.0.1"},
        [
            "--pool: 172.20.0.1 does not name both ends; write FIRST-LAST, such as "
            "10.20.30.1-10.20.30.200"
        ],
    ),
    (
        {**MIKROTIK, **INSIDE},
        [
            "--asn: 64512 is not for --routers=mikrotik: such routers speak no BGP here "
            "(docs/routers.md); leave it out, or write --routers=linux or vyos",
            "--inside-asn: 64513 is of no use here; leave it out: it goes with --asn",
        ],
    ),
    (
        {**VYOS, **INSIDE, "inside_password": "yes"},
        [
            "--inside-password: yes is not for --routers=vyos: everything that such a router is "
            "told is shown in a preview (docs/routers.md); leave it out, or write --routers=linux"
        ],
    ),
    (
        {**VYOS, **INSIDE, "bgp_daemon": "bird"},
        [
            "--bgp-daemon: bird is not for --routers=vyos: such routers run FRRouting "
            "(docs/routers.md); leave it out, or write --routers=linux"
        ],
    ),
    ({"routers": "cisco"}, ["--routers: cisco is no choice; write linux, mikrotik or vyos"]),
    (
        {**MIKROTIK, "router_addresses": "10.20.0.11"},
        [
            "--router-addresses: 10.20.0.11 has 1 of 2; write one for each of router-a, router-b, "
            "in this order"
        ],
    ),
    (
        {**MIKROTIK, "router_addresses": "10.20.0.11,10.20.9.12"},
        ["layered-cloud:routers.physical[1].management: 10.20.9.12 ", "(--router-addresses)"],
    ),
    (
        {**MIKROTIK, "router_interfaces": "ether1,ether2,ether2,ether4"},
        ["layered-cloud:routers.physical[0].interfaces.wan: ether2 is ", "(--router-interfaces)"],
    ),
    (
        {**MIKROTIK, "router_keys": f"{HOST_KEY},AAAA"},
        [
            "layered-cloud:routers.host_keys.router-b: AAAA is no host key; write its type and "
            "key, such as: ssh-ed25519 AAAA... (--router-keys)"
        ],
    ),
    (
        {**VYOS, "routers_image": "https://images.corp.test/vyos.iso"},
        ["layered-cloud:routers.image.file_name: vyos.iso is no disk image ", "(--routers-image)"],
    ),
    (
        {"cdn": "fastly", "cdn_ranges": "0.0.0.0/0", "client_header": "X-Forwarded-For"},
        [
            "layered-cloud:cdn.client_ip_header: X-Forwarded-For is a list anybody may start",
            "(--client-header)",
        ],
    ),
    (
        {"cdn": "listed", "cdn_ranges": "0.0.0.0/0", "client_header": "X-Client"},
        ["layered-cloud:cdn.range_list[0]: 0.0.0.0/0 is no CDN's range", "(--cdn-ranges)"],
    ),
    (
        {"cdn": "none", "zone": "corp.test"},
        ["--zone: corp.test is of no use here; leave it out: it goes with --cdn=cloudflare"],
    ),
    (
        {**MAIL, "alerts_server": "smtp"},
        ["layered-cloud:platform.monitoring.receivers[0].server: smtp is ", "(--alerts-server)"],
    ),
    (
        {**MAIL, "alerts_server": "smtp.corp.test", "alerts_to": "ops"},
        ["layered-cloud:platform.monitoring.receivers[0].to[0]: ops is ", "(--alerts-to)"],
    ),
    (
        {"backups": "vault.corp.test", "backups_keys": HOST_KEY, "backups_recipient": "no.pem"},
        [
            "--backups-recipient: no.pem cannot be read: No such file or directory; name a file in "
            "PEM, as docs/cluster.md makes it",
            "layered-cloud:cluster.backups.ssh.url: vault.corp.test is not a URL; write ssh://",
            "(--backups)",
        ],
    ),
]


@pytest.mark.parametrize(("given", "words"), REFUSED, ids=lambda each: json.dumps(each)[:60])
def test_a_wrong_answer_is_told_with_its_flag(
    given: dict[str, str],
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "mine", *flags(**given)]) == 1
    told = capsys.readouterr()
    lines = told.out.splitlines()
    for each in words:
        place: Callable[[str], bool] = (
            (lambda line, end=each: line.endswith(end))
            if each.startswith("(")
            else (lambda line, head=each: line.startswith(head))
        )
        assert any(map(place, lines)), told.out
    assert told.err == "nothing was written\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_certificate_is_told_with_its_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    store = {"backups": "ssh://backup@vault.corp.test/srv", "backups_keys": HOST_KEY}
    for content in (b"", b"hello\n", b"\xff\xfe", made("backups").key_pem.encode()):
        (tmp_path / "backup.pem").write_bytes(content)
        assert main(["init", "mine", *flags(**store, backups_recipient="backup.pem")]) == 1
        told = capsys.readouterr().out.splitlines()
        assert len(told) == 1, told
        assert "--backups-recipient" in told[0]
        assert "MIG" not in told[0]


def test_all_that_is_wrong_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = {"asn": "23456", "inside_asn": "64513", "pool": "1", "cdn": "none", "zone": "x"}
    assert main(["init", "mine", *flags(**wrong)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert [re.sub(r": .*", "", line) for line in told] == [
        *("--zone", "--pool", "layered-cloud:routers.bgp.asn")
    ]
