"""The look-ups: nodes of the cluster, datastores of a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.plugins.proxmoxve.api import Api
from lab.plugins.server import Properties


def nodes(api: Api) -> Properties:
    """`getNodesLegacy`: every node, by name; sizes in bytes, uptimes in seconds."""
    found = sorted(api.get("/nodes"), key=lambda one: str(one["node"]))
    memory = [(int(one.get("mem", 0)), int(one.get("maxmem", 0))) for one in found]
    return {
        "id": "nodes",
        "names": [one["node"] for one in found],
        "onlines": [one.get("status") == "online" for one in found],
        "cpuCounts": [int(one.get("maxcpu", 0)) for one in found],
        "cpuUtilizations": [float(one.get("cpu", 0)) for one in found],
        "memoryAvailables": [total for _, total in memory],
        "memoryUseds": [used for used, _ in memory],
        "sslFingerprints": [one.get("ssl_fingerprint", "") for one in found],
        "supportLevels": [one.get("level", "") for one in found],
        "uptimes": [int(one.get("uptime", 0)) for one in found],
    }


def datastores(api: Api, arguments: Mapping[str, Any]) -> Properties:
    """`getDatastores`: the datastores of a node that pass the filters; sizes in bytes."""
    node, filters = arguments["nodeName"], arguments.get("filters") or {}
    query: dict[str, Any] = {}
    if filters.get("contentTypes"):
        query["content"] = ",".join(filters["contentTypes"])
    if filters.get("id"):
        query["storage"] = filters["id"]
    if filters.get("target"):
        query["target"] = filters["target"]
    found = sorted(api.get(f"/nodes/{node}/storage", **query), key=lambda one: str(one["storage"]))
    answer: Properties = {
        "nodeName": node,
        "datastores": [
            {
                "id": one["storage"],
                "nodeName": node,
                "type": one["type"],
                "contentTypes": sorted(str(one.get("content", "")).split(",")),
                "active": bool(one.get("active")),
                "enabled": bool(one.get("enabled")),
                "shared": bool(one.get("shared")),
                "spaceTotal": int(one.get("total", 0)),
                "spaceUsed": int(one.get("used", 0)),
                "spaceAvailable": int(one.get("avail", 0)),
                "spaceUsedFraction": float(one.get("used_fraction", 0)),
            }
            for one in found
        ],
    }
    if filters:
        answer["filters"] = dict(filters)
    return answer
