"""Pulumi's provider plugins: found where the machine has them, else built from their Go modules.

The Kubernetes provider is a module that can be served as it is. Proxmox VE's is the Terraform
provider that the SDK was made from, bridged as upstream bridges it: of it only what the program
uses is mapped. For the other providers no module is served.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

from lab.software import versions
from lab.software.gobuild import GoModule, GoProgram

_SOURCES = Path(__file__).resolve().parent / "providers"
_KUBERNETES = "github.com/pulumi/pulumi-kubernetes"
_BRIDGE = "github.com/pulumi/pulumi-terraform-bridge/v3"


def _text(name: str) -> str:
    return (_SOURCES / name).read_text()


KUBERNETES = GoProgram(
    name="pulumi-resource-kubernetes",
    version=versions.PLUGIN_KUBERNETES,
    module=GoModule(
        requires={f"{_KUBERNETES}/provider/v4": versions.PLUGIN_KUBERNETES_MODULE},
        replaces={
            f"{_KUBERNETES}/sdk/v4": f"{_KUBERNETES}/sdk/v4 {versions.PLUGIN_KUBERNETES_SDK}"
        },
    ),
    packages={"pulumi-resource-kubernetes": "."},
    variables={"main.version": versions.PLUGIN_KUBERNETES},
    sources={"main.go": _text("kubernetes/main.go")},
    taken={
        name: f"{_KUBERNETES}/provider/v4/cmd/pulumi-resource-kubernetes/{name}"
        for name in ("schema.json", "terraform-mapping.json")
    },
)

PROXMOXVE = GoProgram(
    name="pulumi-resource-proxmoxve",
    version=versions.PLUGIN_PROXMOXVE,
    module=GoModule(
        requires={
            "github.com/bpg/terraform-provider-proxmox": versions.TERRAFORM_PROXMOX,
            _BRIDGE: versions.TERRAFORM_BRIDGE,
            "github.com/pulumi/pulumi/sdk/v3": versions.TERRAFORM_BRIDGE_PULUMI,
        },
        replaces={
            "github.com/hashicorp/terraform-plugin-sdk/v2": (
                f"github.com/pulumi/terraform-plugin-sdk/v2 {versions.TERRAFORM_BRIDGE_FORK}"
            )
        },
        # Generators of other languages' programs: the bridge links them, the plugin runs none.
        stubs={
            "github.com/pulumi/pulumi-dotnet/pulumi-language-dotnet/v3": {
                "codegen/codegen.go": _text("proxmoxve/dotnet/codegen.go")
            },
            "github.com/pulumi/pulumi-yaml": {
                "pkg/pulumiyaml/codegen/codegen.go": _text("proxmoxve/yaml/codegen.go")
            },
        },
    ),
    packages={"pulumi-resource-proxmoxve": "."},
    variables={"main.version": versions.PLUGIN_PROXMOXVE},
    sources={
        name: _text(f"proxmoxve/{name}") for name in ("main.go", "info/info.go", "tfgen/main.go")
    },
    generates=(("./tfgen", "schema", "--out", ".", "--skip-docs"),),
)

BUILT: dict[str, GoProgram] = {"proxmoxve": PROXMOXVE, "kubernetes": KUBERNETES}
"""The providers whose plugin can be built, the first wanted first."""
NAMES = ("cloudflare", "command", "kubernetes", "proxmoxve", "tls")
"""Every provider that the program uses."""


def sdk_description(name: str) -> dict[str, Any]:
    """What the installed SDK package of a provider says of its plugin: `version`, and `server`
    when it is not Pulumi's own."""
    spec = importlib.util.find_spec(f"pulumi_{name}")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"pulumi_{name}: the SDK package is not installed")
    return dict(json.loads((Path(spec.origin).parent / "pulumi-plugin.json").read_text()))


def sdk_version(name: str) -> str:
    """The plugin version that the installed SDK package of a provider asks for."""
    return str(sdk_description(name)["version"])


def users_home() -> Path:
    """The user's own PULUMI_HOME, where `pulumi plugin install` puts plugins."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def executable(name: str) -> str:
    """What the engine calls a provider's plugin."""
    return f"pulumi-resource-{name}"


def folder(name: str) -> str:
    """The directory, under plugins/ of a PULUMI_HOME, of the version that the SDK asks for."""
    return f"resource-{name}-v{sdk_version(name)}"


def found(name: str) -> Path | None:
    """The provider's own plugin on this machine: on PATH, as the engine itself prefers it, or in
    the user's Pulumi home in the version that the SDK asks for."""
    on_path = shutil.which(executable(name))
    if on_path:
        return Path(on_path)
    installed = users_home() / "plugins" / folder(name) / executable(name)
    return installed if installed.is_file() else None


def wanted() -> tuple[str, ...]:
    """The items to build: those of the providers whose plugin this machine does not have."""
    return tuple(program.name for name, program in BUILT.items() if found(name) is None)


def late() -> tuple[str, ...]:
    """Those of `wanted` that an update does without until it has a cluster: machines can boot
    while they are built."""
    return tuple(name for name in wanted() if name == KUBERNETES.name)
