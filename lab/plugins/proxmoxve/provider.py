"""The provider: its configuration, what it has, and how it reaches the cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from lab.plugins.proxmoxve import lookups
from lab.plugins.proxmoxve.api import Api
from lab.plugins.proxmoxve.files import DownloadFile, FileLegacy
from lab.plugins.proxmoxve.ssh import Nodes
from lab.plugins.proxmoxve.vm import VmLegacy
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Invoke,
    PluginError,
    Properties,
    Provider,
    Resource,
)

TOKEN = re.compile(r"^\S+@\w+![A-Za-z0-9_.-]+=\S+$")

_LOOKUPS = {
    "proxmoxve:index/getNodesLegacy:getNodesLegacy": "pulumi_proxmoxve:get_nodes_legacy",
    "proxmoxve:index/getDatastores:getDatastores": "pulumi_proxmoxve:get_datastores",
    "proxmoxve:index/getDatastoresLegacy:getDatastoresLegacy": (
        "pulumi_proxmoxve:get_datastores_legacy"
    ),
}


class ProxmoxProvider(Provider):
    """Proxmox VE, with an API token and SSH to the nodes."""

    name: ClassVar[str] = "proxmoxve"
    version: ClassVar[str] = "8.6.0"
    config_sdk: ClassVar[str] = "pulumi_proxmoxve:Provider"
    config_secrets: ClassVar[frozenset[str]] = frozenset(
        {"apiToken", "authTicket", "csrfPreventionToken", "otp", "password"}
    )

    def __init__(self) -> None:
        super().__init__()
        self._api: Api | None = None
        self._nodes: Nodes | None = None

    def resources(self) -> Sequence[Resource]:
        """The three resource types."""
        return (VmLegacy(self), FileLegacy(self), DownloadFile(self))

    def invokes(self) -> Mapping[str, Invoke]:
        """The look-ups."""

        def nodes(ctx: Context, arguments: Properties) -> Properties:
            return lookups.nodes(self.api)

        def datastores(ctx: Context, arguments: Properties) -> Properties:
            return lookups.datastores(self.api, arguments)

        first, second, third = _LOOKUPS
        return {first: nodes, second: datastores, third: datastores}

    def invoke_sdk(self, token: str) -> str | None:
        """The SDK's function of a look-up."""
        return _LOOKUPS.get(token)

    def check_config(self, ctx: Context, news: Properties) -> Properties:
        """A token must look like one; passwords and tickets are refused by name."""
        wrong: dict[str, str] = {}
        for name in ("password", "authTicket", "otp"):
            if news.get(name) is not None:
                wrong[name] = "the stand-in plugin takes an API token only (apiToken)"
        token = news.get("apiToken")
        if isinstance(token, str) and not TOKEN.match(token):
            wrong["apiToken"] = "not of the form USER@REALM!NAME=SECRET"
        endpoint = news.get("endpoint")
        if isinstance(endpoint, str) and not endpoint.startswith(("https://", "http://")):
            wrong["endpoint"] = f"'{endpoint}' is no URL; write it like https://pve.example:8006/"
        if wrong:
            raise CheckFailed(wrong)
        return news

    def configure(self, ctx: Context, config: Properties) -> None:
        """Take endpoint, token and SSH; what is unknown or missing fails when it is used."""
        endpoint, token = config.get("endpoint"), config.get("apiToken")
        if isinstance(endpoint, str) and isinstance(token, str):
            self._api = Api(endpoint, token, insecure=bool(config.get("insecure")))
        ssh = config.get("ssh")
        if ssh is not UNKNOWN:
            self._nodes = Nodes(ssh or {}, self._address_of)

    @property
    def api(self) -> Api:
        """The cluster's API; raises `PluginError` when the configuration lacks it."""
        if self._api is None:
            missing = [key for key in ("endpoint", "apiToken") if not self.config.get(key)]
            raise PluginError(
                f"the provider's configuration lacks {' and '.join(missing) or 'known values'}; "
                "set them on the provider"
            )
        return self._api

    @property
    def nodes(self) -> Nodes:
        """SSH to the nodes; raises `PluginError` when it is not configured."""
        if self._nodes is None:
            raise PluginError("the provider's ssh block is not known")
        return self._nodes

    def _address_of(self, node: str) -> str:
        for item in self.api.get("/cluster/status"):
            if item.get("type") == "node" and item.get("name") == node and item.get("ip"):
                return str(item["ip"])
        raise PluginError(
            f"no address of node {node} is known; name it in the provider's ssh.nodes"
        )
