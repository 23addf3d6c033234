"""Nodes that the cluster's files are rendered for, and the real programs that judge those."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from typing import Any

import pytest

from components.cluster.model import NodeModel
from components.host.endpoint import ApiEndpoint
from lab.software import checkers
from settings.models import Cluster
from tests.components import stacks

API = ApiEndpoint(lan=IPv4Address("198.18.10.10"), management=IPv4Address("198.18.0.10"))


def cluster(**values: Any) -> Cluster:
    """The lab's cluster, changed."""
    return stacks.lab().cluster.model_copy(update=values)


def plain() -> Cluster:
    """A cluster without any extension."""
    empty = Cluster.model_validate(
        {
            "name": "prod",
            "kubernetes_version": "1.36.3",
            "control_planes": [stacks.lab().cluster.control_planes[0].model_dump(mode="json")],
        }
    )
    return empty


def control_plane(of: Cluster | None = None, api: ApiEndpoint = API, **values: Any) -> NodeModel:
    return NodeModel(
        **{
            "name": "cp-1",
            "control_plane": True,
            "addresses": {
                "management": IPv4Interface("198.18.0.31/24"),
                "lan": IPv4Interface("198.18.10.21/24"),
            },
            "interfaces": {"management": "eth0", "lan": "eth1"},
            "cluster": of or stacks.lab().cluster,
            "networks": stacks.lab().networks,
            "api": api,
            **values,
        }
    )


def worker(of: Cluster | None = None, **values: Any) -> NodeModel:
    addresses = {
        "management": IPv4Interface("198.18.0.41/24"),
        "lan": IPv4Interface("198.18.10.31/24"),
    }
    given = {"name": "worker-1", "control_plane": False, "addresses": addresses, **values}
    return control_plane(of, **given)


def checked(argv: list[str], files: dict[str, str]) -> tuple[int, str, str]:
    """Exit status and words of a real program over files; skips when it is not built."""
    reason = checkers.lacking()
    if reason is not None:
        pytest.skip(reason)
    done = checkers.run_checker(argv, files)
    if done.returncode == 127 or f"failed to run command '{argv[0]}'" in done.stderr:
        pytest.skip(f"{argv[0]} is not built: python -m lab.software build --only {argv[0]}")
    return done.returncode, done.stdout, done.stderr
