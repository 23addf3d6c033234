"""A provider that says that it did what it was asked for, and reaches nothing.

python -m tests.kept.pretending NAME [ENGINE]

What it refuses, what replaces and what is secret is as the lab's stand-in for the provider has
it, where there is one. An update answers what was answered before, so that a preview goes on from
there.
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Final

from lab.plugins import cloudflare, command, tls
from lab.plugins.server import (
    Context,
    Created,
    Invoke,
    Properties,
    Provider,
    ReadResult,
    Resource,
    serve,
)
from lab.software.plugins import sdk_version

STAND_INS: Final[dict[str, type[Provider]]] = {
    "cloudflare": cloudflare.CloudflareProvider,
    "command": command.CommandProvider,
    "tls": tls.TlsProvider,
}
REPLACE: Final = {
    "kubernetes:helm.sh/v3:Release": ("name", "namespace"),
    "kubernetes:core/v1:Secret": ("type", "stringData", "data"),
    "kubernetes:core/v1:ConfigMap": ("data", "binaryData"),
    "kubernetes:apps/v1:": ("spec.selector",),
    "kubernetes:batch/v1:Job": ("spec.template", "spec.selector"),
    "kubernetes:rbac.authorization.k8s.io/v1:": ("roleRef",),
    "kubernetes:storage.k8s.io/v1:": ("provisioner", "parameters"),
    "kubernetes:core/v1:Service": ("spec.clusterIP",),
    "kubernetes:": ("metadata.name", "metadata.namespace"),
    "proxmoxve:index/vmLegacy:VmLegacy": (
        *("vmId", "nodeName", "initialization", "clone", "disks[*].fileId", "networkDevices"),
        *("disks[*].importFrom", "disks[*].interface", "disks[*].datastoreId"),
    ),
    "proxmoxve:index/fileLegacy:FileLegacy": ("",),
    "proxmoxve:download/file:File": ("",),
}
"""What replaces, by the beginning of a type: as pulumi-kubernetes has it (diff.go, helm_release.go
of provider/pkg/provider); of machines what the real plugin replaces for and more: whatever would
move a disk, a card of a network or what cloud-init was told."""
SERVICE: Final = {
    "spec": {
        "ports": [{"name": "web", "nodePort": 30080}, {"name": "websecure", "nodePort": 30443}],
        "healthCheckNodePort": 30081,
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
}
"""The ingress' Service, as a control plane answers: the one answer that the program takes apart."""


class Anything(Resource):
    """A resource of a provider without a stand-in."""

    token = ""

    def __init__(self, token: str) -> None:
        paths = {
            path for start, each in REPLACE.items() if token.startswith(start) for path in each
        }
        vars(self)["replace_on"] = frozenset(paths)

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """As it was made; what nobody made is the ingress' Service, which the first releases
        looked up."""
        return ReadResult(id=id, outputs=state or dict(SERVICE), inputs=inputs or None)


class Pretending(Provider):
    """The provider of a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.of = STAND_INS[name]() if name in STAND_INS else None
        vars(self).update(name=name, version=self.of.version if self.of else sdk_version(name))

    def resource(self, token: str) -> Resource | None:
        """The stand-in's, or anything, which is made without being made."""
        found = self.of.resource(token) if self.of else Anything(token)
        if found is None or token.startswith("tls:"):
            return found
        computed = found.computed

        def create(ctx: Context, inputs: Properties) -> Created:
            said: Properties = {name: f"{name} of {ctx.name}" for name in computed}
            if ctx.name.endswith("-service"):
                said["stdout"] = json.dumps(SERVICE)
            return Created(id=str(inputs.get("vmId", f"{ctx.name}-id")), outputs=said)

        vars(found).update(create=create, volatile=frozenset(), derived={})
        return found

    def invokes(self) -> Mapping[str, Invoke]:
        """The stand-in's, which offline answers by itself."""
        return {} if self.of is None else self.of.invokes()


if __name__ == "__main__":
    serve(Pretending(sys.argv.pop(1)))
