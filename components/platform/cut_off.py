"""Helm releases whose install or upgrade was cut off, taken up again.

Helm keeps a record of every revision of a release, a Secret in the release's namespace. When an
update is killed inside a release, the record stays as it was, and Helm refuses the next update: an
install says that the name is in use, an upgrade that another operation is in progress
(pulumi-kubernetes issue 2054). The hook below runs when a release fails with one of these words,
and only then. It takes the stale records away and has the engine try once more; Helm then adopts
what the cut-off run had made, so that pods stay as they are.

Which records are stale:

- On an update the release is in the stack's state, so it is ours: those that are pending. Helm's
  own last finished revision stays and is what the upgrade starts from.
- On a create the release is not in the state, and might be a stranger's. Helm writes a release's
  description, which we set, only when it has finished; an unfinished record carries Helm's own
  words and nothing else of ours. So: all of them, when every finished one has our description, and
  every unfinished one (pending, or failed because it was interrupted) is of the chart that we
  install. One finished record with another description makes the whole release a stranger's, which
  is left alone, and Helm's words stand.

Sources: Helm 3, pkg/action/{install,upgrade}.go and pkg/storage/driver/secrets.go.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pulumi
import requests

from components.platform.api import Api, api

REFUSALS = {
    "create": "cannot re-use a name that is still in use",
    "update": "another operation (install/upgrade/rollback) is in progress",
}
"""Helm's words for a release that was cut off, by the engine's name for the operation."""
TRIES = 3
"""Failures after which the error stands: the provider of a killed engine goes on for half a minute
and can leave a record behind meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release as we install it: `chart` is the chart's own name, `description` this stack's."""

    name: str
    namespace: str
    chart: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """Helm's record of one revision. `chart` and `description` are empty when it cannot be read.

    `uid` and `version` are the Secret's, so that only what was judged is deleted.
    """

    secret: str
    uid: str
    version: str
    revision: str
    status: str
    chart: str
    description: str

    @property
    def pending(self) -> bool:
        return self.status.startswith("pending-")

    @property
    def unfinished(self) -> bool:
        return self.pending or self.status == "failed"


def chart_name(chart: str, version: str) -> str:
    """A chart's own name, of how it is referred to: a name, a path, or an OCI reference."""
    name = PurePosixPath(chart.removeprefix("oci://").rstrip("/")).name
    return name.removesuffix(".tgz").removesuffix(f"-{version}")


def refused(operation: str, errors: Sequence[str]) -> bool:
    """Whether the newest of `errors` says that the release was cut off, and not for too long."""
    words = REFUSALS.get(operation)
    return words is not None and 0 < len(errors) <= TRIES and words in errors[0]


def stale(records: Sequence[Record], operation: str, release: Release) -> list[Record]:
    """The records to take away, oldest first; none when the release may be a stranger's."""
    ordered = sorted(records, key=lambda each: (len(each.revision), each.revision))
    if operation == "update":
        return [each for each in ordered if each.pending]
    ours = all(
        each.chart == release.chart if each.unfinished else each.description == release.description
        for each in ordered
    )
    return ordered if ours else []


def record(secret: Mapping[str, Any]) -> Record:
    """A record, of the Secret as the API gives it."""
    metadata = secret["metadata"]
    labels = metadata.get("labels") or {}
    content = _content(secret)
    chart = (content.get("chart") or {}).get("metadata") or {}
    info = content.get("info") or {}
    return Record(
        secret=metadata["name"],
        uid=metadata.get("uid", ""),
        version=metadata.get("resourceVersion", ""),
        revision=labels.get("version", ""),
        status=labels.get("status", ""),
        chart=chart.get("name", ""),
        description=info.get("description", ""),
    )


def _content(secret: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Helm wrote: JSON, gzipped, in base64, which the API puts into base64 once more."""
    try:
        packed = base64.b64decode(base64.b64decode((secret.get("data") or {})["release"]))
        return dict(json.loads(gzip.decompress(packed)))
    except (KeyError, ValueError, TypeError, EOFError, OSError, binascii.Error):
        return {}


def records(reached: Api, release: Release) -> list[Record]:
    """Helm's records of the release."""
    answer = reached.call(
        "GET",
        f"/api/v1/namespaces/{release.namespace}/secrets",
        params={"labelSelector": f"owner=helm,name={release.name}"},
    )
    return [record(each) for each in answer["items"]]


def delete(reached: Api, release: Release, record: Record) -> None:
    """Delete the record, unless it was changed since it was read."""
    judged = {"uid": record.uid, "resourceVersion": record.version}
    reached.call(
        "DELETE",
        f"/api/v1/namespaces/{release.namespace}/secrets/{record.secret}",
        json={"preconditions": judged},
        fine=(requests.codes.not_found, requests.codes.conflict),
    )


def clear(kubeconfig: str, operation: str, release: Release) -> list[Record]:
    """Take the release's stale records away; which, oldest first."""
    with api(kubeconfig) as reached:
        found = stale(records(reached, release), operation, release)
        for each in found:
            delete(reached, release, each)
        return found


def hook(name: str, release: Release, kubeconfig: pulumi.Input[str]) -> pulumi.ErrorHook:
    """What the engine asks when the release fails. `name` is the hook's own, one a stack."""
    where = f"Helm release {release.namespace}/{release.name}"

    async def asked(args: pulumi.ErrorHookArgs) -> bool:
        if not refused(args.failed_operation, args.errors):
            return False
        try:
            config = await pulumi.Output.from_input(kubeconfig).future()
            found = await asyncio.to_thread(clear, str(config), args.failed_operation, release)
        except Exception as error:
            # Raised, it would stand in the place of Helm's own words.
            pulumi.log.warn(f"{where}: what a cut-off update left could not be read: {error}")
            return False
        if not found:
            if args.failed_operation == "update":
                # What was under way has finished meanwhile.
                return True
            pulumi.log.warn(f"{where}: it may be a stranger's, and was left alone")
            return False
        taken = ", ".join(f"{each.revision} ({each.status})" for each in found)
        pulumi.log.warn(
            f"{where}: an update was cut off; its record of revision {taken} was taken away, and "
            "the release is tried again"
        )
        return True

    return pulumi.ErrorHook(f"{name}-cut-off", asked)
