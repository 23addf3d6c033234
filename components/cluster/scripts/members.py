"""Who is a member of etcd: `members.py list|remove PKI KEPT...`, on a control plane.

KEPT are the addresses of the control planes there should be; whoever else is a member is stale.
`list` prints a line of each stale member, `remove` takes them out, and prints them too. PKI holds
ca.crt, client.crt and client.key of etcd. Any member that answers is asked. The standard library
alone: it runs by the machine's own Python, over etcd's JSON gateway (etcd.io/docs, "Why gRPC
gateway"), since no machine has etcdctl outside of a container.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

PORT = 2379
"""TCP, where kubeadm has etcd listen for clients."""
SECONDS = 60.0
"""How long etcd may take to agree: it elects a leader, or has just lost a member."""
WAIT = 10
"""Seconds that one answer may take."""


class Refused(Exception):
    """Nobody answered as asked; the text carries the last words."""


def asked(
    hosts: Sequence[str], context: ssl.SSLContext, path: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer of the first of `hosts` that gives one; raises `Refused` after `SECONDS`."""
    until = time.monotonic() + SECONDS
    words = "nobody was asked"
    while True:
        for host in hosts:
            request = urllib.request.Request(
                f"https://{host}:{PORT}/v3/cluster/member/{path}",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(  # noqa: S310 - its scheme stands above
                    request, timeout=WAIT, context=context
                ) as answer:
                    return dict(json.load(answer))
            except urllib.error.HTTPError as error:
                said = error.read().decode(errors="replace")
                if path == "remove" and "member not found" in said:
                    return {}
                words = f"{host}: {said.strip()}"
            except (OSError, ValueError) as error:
                words = f"{host}: {error}"
        if time.monotonic() >= until:
            raise Refused(words)
        time.sleep(1)


def address(member: Mapping[str, Any]) -> str | None:
    """Where its peers reach it: all that a member has that never started."""
    return urlsplit(str(member["peerURLs"][0])).hostname


def stale(members: Sequence[Mapping[str, Any]], kept: Collection[str]) -> list[Mapping[str, Any]]:
    """Those whose address is none of `kept`."""
    return [each for each in members if address(each) not in kept]


def main(argv: Sequence[str]) -> int:
    """Exit status 0 when etcd answered."""
    verb, pki, kept = argv[0], argv[1], argv[2:]
    context = ssl.create_default_context(cafile=f"{pki}/ca.crt")
    context.load_cert_chain(f"{pki}/client.crt", f"{pki}/client.key")
    try:
        for each in stale(asked(kept, context, "list", {})["members"], kept):
            if verb == "remove":
                asked(kept, context, "remove", {"ID": each["ID"]})
            sys.stdout.write(f"{each.get('name') or 'unstarted'} {address(each)}\n")
    except Refused as error:
        sys.stderr.write(
            f"etcd could not {verb} its members within {SECONDS:.0f} s; of {', '.join(kept)} more "
            f"than half of the members must live: {error}\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
