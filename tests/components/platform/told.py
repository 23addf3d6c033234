"""What the exporters of a chain tell, as series for `promtool test rules`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lab.software import checkers
from tests.components import certificates, rendered, stacks

FIGURES = Path(__file__).parent / "figures"
"""Of what no test here can ask: lines of Prometheus' text format, with the labels of a job."""
STEPS = 120
"""Of 15 s: half an hour."""
COUNTED = ("_total", "_bucket", "_count", "_sum")
NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LINE = re.compile(rf"({NAME.pattern})" + r"(?:\{(.*)\})? (\S+)")
_ASK = """
mount -t sysfs sysfs /sys || exit 1
haproxy -D -f /etc/haproxy/layered >&2 || exit 1
curl --silent --output /dev/null --header "Host: shop.lab.test" http://198.18.10.10/ || exit 1
prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.netdev.address-info \
    >/dev/null 2>&1 &
for url in http://198.18.0.21:8404/metrics http://127.0.0.1:9100/metrics; do
    curl --silent --fail --retry 20 --retry-delay 1 --retry-connrefused "$url" || exit 1
done
kill $!
"""


@cache
def daemons() -> str:
    """The answers of HAProxy under a balancer's own configuration, and of node_exporter on a
    machine that has every VIP of the lab."""
    files = rendered.balancer_files(stacks.with_services(), "lb-a")
    files["/etc/haproxy/tls/site.pem"] = certificates.self_signed("shop.lab.test")
    legs = {
        "eth0": ["198.18.0.21/24", "198.18.0.10/32"],
        "eth1": ["198.18.10.11/24", "198.18.10.10/32", "198.18.10.1/32", "203.0.113.10/32"],
    }
    done = checkers.run_checker(["bash", "-c", _ASK], files, interfaces=legs)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, labels and value of each line that is no comment."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            assert found is not None, line
            yield found[1], found[2] or "", found[3]


def names(text: str) -> set[str]:
    return {name for name, _, _ in lines(text)}


def written(*files: str) -> str:
    """Those of the files in FIGURES."""
    return "".join((FIGURES / f"{name}.txt").read_text(encoding="utf-8") for name in files)


def series(text: str, labels: Mapping[str, str], chosen: Iterable[str]) -> list[dict[str, Any]]:
    """Those of the chosen names, over half an hour: what counts grows, the rest stays. A machine's
    addresses are not there for the first five minutes."""
    wanted = set(chosen)
    more = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return [
        {
            "series": f"{name}{{{', '.join(each for each in (own, more) if each)}}}",
            "values": _course(name, value),
        }
        for name, own, value in lines(text)
        if name in wanted and value != "NaN"
    ]


def _course(name: str, value: str) -> str:
    if name.endswith(COUNTED):
        return f"0+3x{STEPS}"
    at = f"{float(value):f}+0x{STEPS}"
    return f"_x20 {at}" if name == "node_network_address_info" else at
