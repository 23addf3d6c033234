"""HAProxy's servers, by its own statistics (HAProxy management guide, 9.1). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from components.loadbalancers.haproxy import SOCKET
from ops.checks.model import Check, Seen, Verdict, of_roles, plural, texts
from ops.question import Question

STATISTICS = Question(
    name="haproxy statistics", kind="unix", more={"path": SOCKET, "text": "show stat\n"}
)
TOTALS = ("FRONTEND", "BACKEND")
"""Names of the rows that are no server's."""
API = "api"
"""The backend that leads to the control planes."""
Row = Mapping[str, str]


def rows(text: str) -> list[dict[str, str]]:
    """Every row: `pxname`, `svname`, `status` and more."""
    return list(csv.DictReader(io.StringIO(text.lstrip("# "))))


def servers(found: Iterable[Row]) -> list[Row]:
    """Those that are servers'."""
    return [row for row in found if row["svname"] not in TOTALS]


def down(found: Iterable[Row]) -> list[Row]:
    """Servers that are not up; one that is not checked is nobody's concern."""
    return [row for row in servers(found) if not row["status"].startswith(("UP", "no check"))]


def complaints(found: Sequence[Row], replicas: int | None) -> list[str]:
    """What is wrong with a balancer's servers.

    Each control plane must be up. Of the others each too where every node has an ingress
    (`replicas` None); else as many as there are replicas, since a node without one is down on
    purpose.
    """
    wrong = []
    for backend in dict.fromkeys(row["pxname"] for row in servers(found)):
        mine = [row for row in servers(found) if row["pxname"] == backend]
        gone = down(mine)
        least = len(mine) if replicas is None or backend == API else min(replicas, len(mine))
        if len(mine) - len(gone) < least:
            wrong += [f"{backend}/{row['svname']} {row['status']}" for row in gone]
    return wrong


def judge(seen: Seen) -> Verdict:
    """As both balancers see them."""
    found, wrong = texts(seen, STATISTICS.name)
    replicas, count = seen.site.stack.platform.ingress.replicas, 0
    for name, text in found.items():
        table = rows(text)
        count += len(servers(table))
        wrong += [f"{name}: {each}" for each in complaints(table, replicas)]
    said = f"{plural(count, 'server')} up, as {', '.join(found)} see them"
    return Verdict(wrong=tuple(wrong), said=said)


CHECK = Check(
    name="HAProxy's servers are up",
    layer="balancers",
    asks=of_roles("balancer", asked=(STATISTICS,)),
    judge=judge,
    remedy="ask the node itself what HAProxy asks it: a control plane for /readyz, a node for its "
    "NodePort; `kubectl get pods -A -o wide` tells whether an ingress runs there",
    page="docs/loadbalancers.md#looking",
)
