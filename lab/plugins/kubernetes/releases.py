"""What a Helm release is, apart from running helm: its inputs, arguments and outputs (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from lab.plugins.kubernetes.helm import Repository
from lab.plugins.kubernetes.objects import identifier, text
from lab.plugins.server import CheckFailed, Diff, Properties, compare

DEFAULT_TIMEOUT: Final = 300
"""Seconds helm waits when neither `timeout` nor `skipAwait` says otherwise (as upstream)."""

NOT_INPUTS: Final = frozenset({"compat", "resourceNames", "manifest", "status"})
"""What the SDK sends along but upstream's Check leaves out of the inputs."""

REFUSED: Final = {
    "postrender": "runs a program on the runner's side of a chart",
    "valueYamlFiles": "takes asset files; give the values in `values`",
    "lint": "is helm's lint; run it in CI",
}

_INSTALL_FLAGS: Final = {
    "atomic": "--atomic",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "renderSubchartNotes": "--render-subchart-notes",
    "replace": "--replace",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
}
_UPGRADE_FLAGS: Final = {
    "atomic": "--atomic",
    "cleanupOnFail": "--cleanup-on-fail",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableCRDHooks": "--no-hooks",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "forceUpdate": "--force",
    "renderSubchartNotes": "--render-subchart-notes",
    "reuseValues": "--reuse-values",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
}


@dataclass(frozen=True)
class Release:
    """A release's inputs, read with upstream's defaults."""

    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        return text(self.inputs, "name")

    @property
    def namespace(self) -> str:
        return text(self.inputs, "namespace") or "default"

    @property
    def id(self) -> str:
        return identifier(self.namespace, self.name)

    @property
    def chart(self) -> str:
        """The chart's name or path, with a repository's own name before it where one is given."""
        chart = text(self.inputs, "chart").strip()
        repo = text(self.inputs, "repositoryOpts", "repo")
        if repo and "://" not in repo and "/" not in chart:
            return f"{repo}/{chart}"
        return chart

    @property
    def repository(self) -> Repository:
        options = self.inputs.get("repositoryOpts") or {}
        repo = text(options, "repo")
        return Repository(
            url=repo if "://" in repo else "",
            username=text(options, "username"),
            password=text(options, "password"),
            ca_file=text(options, "caFile"),
            cert_file=text(options, "certFile"),
            key_file=text(options, "keyFile"),
        )

    @property
    def version(self) -> str:
        """The version asked for; `devel` without one asks for anything."""
        version = text(self.inputs, "version").strip()
        return version or (">0.0.0-0" if self.inputs.get("devel") else "")

    @property
    def values(self) -> dict[str, Any]:
        return dict(self.inputs.get("values") or {})

    @property
    def waits(self) -> bool:
        return not self.inputs.get("skipAwait")

    @property
    def timeout(self) -> int:
        """Seconds."""
        return int(self.inputs.get("timeout") or DEFAULT_TIMEOUT)

    @property
    def pull_options(self) -> list[str]:
        """Options of `helm pull` that check a chart's signature."""
        if not self.inputs.get("verify"):
            return []
        keyring = text(self.inputs, "keyring")
        return ["--verify", *(["--keyring", keyring] if keyring else [])]

    def install(self, chart: str) -> list[str]:
        """The arguments of `helm install`; the values go to standard input."""
        return ["install", self.name, chart, *self._common(_INSTALL_FLAGS)]

    def upgrade(self, chart: str) -> list[str]:
        """The arguments of `helm upgrade`; the values go to standard input."""
        arguments = ["upgrade", self.name, chart, *self._common(_UPGRADE_FLAGS)]
        # Without it helm keeps the old values when the new ones are empty.
        if not self.inputs.get("reuseValues"):
            arguments.append("--reset-values")
        history = self.inputs.get("maxHistory")
        return [*arguments, "--history-max", str(int(history or 0))]

    def uninstall(self) -> list[str]:
        """The arguments of `helm uninstall`; no error when there is no such release."""
        arguments = ["uninstall", self.name, "--namespace", self.namespace, "--ignore-not-found"]
        if self.waits or self.inputs.get("atomic"):
            arguments += ["--wait", "--timeout", f"{self.timeout}s"]
        return arguments

    def _common(self, flags: Mapping[str, str]) -> list[str]:
        arguments = ["--namespace", self.namespace, "--values", "-"]
        arguments += ["--timeout", f"{self.timeout}s"]
        if self.waits:
            arguments.append("--wait")
            if self.inputs.get("waitForJobs"):
                arguments.append("--wait-for-jobs")
        arguments += [flag for name, flag in flags.items() if self.inputs.get(name)]
        description = text(self.inputs, "description")
        return [*arguments, "--description", description] if description else arguments


def checked(news: Properties, olds: Properties, *, namespace: str, new_name: str) -> Properties:
    """The inputs with upstream's defaults: name, namespace, timeout. Raises CheckFailed for what
    this stand-in refuses."""
    refused = {
        name: f"is refused by this stand-in: it {why}"
        for name, why in REFUSED.items()
        if news.get(name)
    }
    if not news.get("chart"):
        refused["chart"] = "is missing: a chart's name (with repositoryOpts.repo) or a path"
    if refused:
        raise CheckFailed(refused)
    inputs = {key: value for key, value in news.items() if key not in NOT_INPUTS}
    if "name" not in inputs or inputs["name"] == "":
        inputs["name"] = olds.get("name") or new_name
    if "namespace" not in inputs or inputs["namespace"] == "":
        inputs["namespace"] = namespace
    if not inputs.get("skipAwait") and "timeout" not in inputs:
        inputs["timeout"] = DEFAULT_TIMEOUT
    return inputs


def difference(olds: Properties, news: Properties) -> Diff:
    """What changed; a new name or namespace replaces. A value set to null removes a chart's
    default, so it is a change although null elsewhere means absent."""
    before = {key: value for key, value in olds.items() if key not in {*NOT_INPUTS, "checksum"}}
    diff = compare(before, news, replace_on={"name", "namespace"})
    values = any(
        path == "values" or path.startswith(("values.", "values[")) for path in diff.changes
    )
    if not values and (before.get("values") or {}) != (news.get("values") or {}):
        diff.changes["values"] = "update"
    return diff


def resource_names(manifest: str) -> dict[str, list[str]]:
    """Names of a release's objects by kind: `Deployment.apps/apps/v1` -> [`namespace/name`]."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, set[str]] = {}
    for obj in yaml.load_all(manifest, loader):
        if not isinstance(obj, dict) or not obj.get("kind"):
            continue
        api_version, kind = str(obj.get("apiVersion", "")), str(obj["kind"])
        group = api_version.rpartition("/")[0]
        key = f"{kind}.{group}/{api_version}" if group else f"{kind}/{api_version}"
        name = identifier(text(obj, "metadata", "namespace"), text(obj, "metadata", "name"))
        found.setdefault(key, set()).add(name)
    return {key: sorted(names) for key, names in sorted(found.items())}


def outputs(metadata: Mapping[str, Any], manifest: str) -> Properties:
    """The computed outputs from `helm get metadata` (JSON) and `helm get manifest`."""
    status = {
        "appVersion": str(metadata.get("appVersion") or ""),
        "chart": str(metadata.get("chart") or ""),
        "name": str(metadata.get("name") or ""),
        "namespace": str(metadata.get("namespace") or ""),
        "revision": int(metadata.get("revision") or 0),
        "status": str(metadata.get("status") or ""),
        "version": str(metadata.get("version") or ""),
    }
    return {"status": status, "resourceNames": resource_names(manifest)}


def last_good(history: Sequence[Mapping[str, Any]]) -> int | None:
    """The newest revision that was deployed once, None when there is none."""
    good = [
        int(entry["revision"])
        for entry in history
        if entry.get("status") in {"deployed", "superseded"}
    ]
    return max(good, default=None)
