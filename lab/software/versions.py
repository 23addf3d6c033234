"""Every version the lab's own software is pinned at, in one place.

A change here gives the items concerned (and what is made of them) a new key in the cache; what
was built before stays beside it until it is removed by hand.
"""

from __future__ import annotations

from typing import Final

GO_LANGUAGE: Final = "1.26"
"""The `go` line of the modules we build from: the oldest toolchain that will do."""

DEBIAN_SUITE: Final = "bookworm"
DEBIAN_VERSION: Final = "12"
ARCHITECTURE: Final = "amd64"

PULUMI: Final = "3.259.0"
HELM: Final = "3.22.0"

KUBERNETES: Final = "1.36.3"
KUBERNETES_STAGING: Final = "0.36.3"
KUBERNETES_EARLIER: Final = "1.36.1"
KUBERNETES_EARLIER_STAGING: Final = "0.36.1"
"""What the profile `upgrade` begins with; built for it alone."""
CRI_TOOLS: Final = "1.36.0"
CNI_PLUGINS: Final = "1.9.1"
CONTAINERD: Final = "2.4.2"
ETCD: Final = "3.6.14"
COREDNS: Final = "1.14.7"
PAUSE: Final = "3.10.2"

CILIUM: Final = "1.15.19"
CILIUM_METALLB_FORK: Final = "v0.1.1-0.20220829170633-5d7dfb1129f7"
"""Cilium's go.mod replaces go.universe.tf/metallb by its own fork; a module of ours must too."""
CLANG: Final = "19"
"""The clang and llvm of Debian that compile Cilium's datapath."""

METALLB: Final = "0.15.2"
TRAEFIK: Final = "3.7.15"
TRAEFIK_CHART: Final = "41.3.0+lab"
"""Upstream's chart release whose values our own chart takes, marked as ours."""

ACTIONLINT: Final = "1.7.7"

PACKAGE_REVISION: Final = "1.1"
"""Debian revision of the Kubernetes packages, as upstream's repository numbers them."""
CONTAINERD_REVISION: Final = "1"

PLUGIN_KUBERNETES: Final = "4.34.2"
PLUGIN_KUBERNETES_MODULE: Final = "v4.0.0-20260115033456-f47bc2d6f199"
PLUGIN_KUBERNETES_SDK: Final = "v4.22.2"
"""The provider's go.mod replaces its own SDK by a folder that no module carries."""
PLUGIN_PROXMOXVE: Final = "8.6.0"
"""The plugins' versions are those of the Python SDKs in requirements.txt; a test compares them."""
TERRAFORM_PROXMOX: Final = "v0.111.1"
"""What that release of the SDK was made from."""
TERRAFORM_BRIDGE: Final = "v3.135.0"
TERRAFORM_BRIDGE_PULUMI: Final = "v3.253.0"
TERRAFORM_BRIDGE_FORK: Final = "v2.0.0-20260318212141-5525259d096b"
"""The bridge's go.mod replaces Terraform's plugin SDK by Pulumi's fork; a module of ours must."""
