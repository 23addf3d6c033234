"""Running `helm`: its environment, its answers, its words when it fails.

Nothing secret is in an argument or an environment variable: the kubeconfig is a memory file,
values and passwords go by standard input. Caches and configuration live in a private directory
that is removed afterwards; the password of a chart repository is there while a chart is fetched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.plugins.kubernetes.kubeconfig import MemoryFile
from lab.plugins.server import Cancelled, Context, PluginError

BINARY = "LAYERED_CLOUD_HELM"
GRACE_SECONDS = 60.0
"""What helm may take beyond the timeout that it was itself told."""


class HelmError(PluginError):
    """Helm failed; the text is its own."""


def find() -> str:
    """The helm binary: `$LAYERED_CLOUD_HELM`, else on PATH, else the one built into the cache.

    Raises PluginError saying what to do.
    """
    chosen = os.environ.get(BINARY) or shutil.which("helm")
    if chosen:
        return chosen
    from lab.software.goitems import HELM

    if HELM.item.ready:
        return str(HELM.executable("helm"))
    raise PluginError(
        f"helm: not found; put helm 3 on PATH or its path in ${BINARY} "
        "(the lab builds its own: `make up`)"
    )


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where a chart comes from when it is not a local path."""

    url: str = ""
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class Helm:
    """One helm session: its directory, and the cluster it talks to (None for offline commands)."""

    def __init__(self, ctx: Context, home: Path, kubeconfig: str | None, context: str) -> None:
        self._ctx = ctx
        self.home = home
        self._context = context
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HELM_")},
            "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"),
            "HELM_DATA_HOME": str(home / "data"),
            "KUBECONFIG": kubeconfig or os.devnull,
        }

    def run(self, arguments: Sequence[str], *, stdin: str = "", seconds: float = 120.0) -> str:
        """What the command prints. Raises HelmError with its words, Cancelled."""
        argv = [find(), *arguments]
        if self._context:
            argv += ["--kube-context", self._context]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            argv, env=self._environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        ) as process:
            # On SIGTERM helm stops waiting and marks the release, where SIGKILL leaves it pending.
            self._ctx.on_cancel(process.terminate)
            try:
                out, err = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired:
                process.terminate()
                try:
                    process.communicate(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise HelmError(f"helm {arguments[0]}: no end after {seconds:.0f} s") from None
        if self._ctx.cancelled.is_set():
            raise Cancelled(f"{self._ctx.name}: cancelled during helm {arguments[0]}")
        if process.returncode:
            raise HelmError(words(err or out) or f"helm {arguments[0]}: exit {process.returncode}")
        for line in err.splitlines():
            if line.startswith("WARNING:"):
                self._ctx.log(line, "warning")
        return out

    def json(self, arguments: Sequence[str], **options: Any) -> Any:
        """The command's answer as JSON."""
        return json.loads(self.run([*arguments, "--output", "json"], **options))

    def chart(
        self, chart: str, version: str, repository: Repository, extra: Sequence[str] = ()
    ) -> tuple[Path, dict[str, Any]]:
        """A chart on disk (fetched into this session's directory unless it is a local path) and
        its Chart.yaml. Raises HelmError."""
        if is_local(chart, repository):
            path = Path(chart).absolute()
        else:
            path = self._pulled(chart, version, repository, extra)
        shown = yaml.safe_load(self.run(["show", "chart", str(path), *self._devel(version)]))
        if not isinstance(shown, dict):
            raise HelmError(f"{chart}: its Chart.yaml is empty")
        return path, shown

    @staticmethod
    def _devel(version: str) -> list[str]:
        return ["--devel"] if version.startswith(">0.0.0-0") else []

    def _pulled(
        self, chart: str, version: str, repository: Repository, extra: Sequence[str]
    ) -> Path:
        target = self.home / "charts"
        target.mkdir(exist_ok=True)
        arguments = ["pull", chart, "--destination", str(target), *extra]
        if version:
            arguments += ["--version", version]
        files = [
            ("--ca-file", repository.ca_file),
            ("--cert-file", repository.cert_file),
            ("--key-file", repository.key_file),
        ]
        options = [part for flag, file in files if file for part in (flag, file)]
        if repository.url and not chart.startswith("oci://"):
            if repository.username or repository.password:
                # `repo add` takes the password on standard input, `pull` only as an argument.
                self.run(
                    [
                        "repo", "add", "release", repository.url, "--username",
                        repository.username, "--password-stdin", *options,
                    ],
                    stdin=repository.password,
                )  # fmt: skip
                arguments[1] = f"release/{chart}"
                options = []
            else:
                arguments += ["--repo", repository.url]
        elif chart.startswith("oci://") and repository.password:
            host = chart.removeprefix("oci://").split("/")[0]
            self.run(
                ["registry", "login", host, "-u", repository.username, "--password-stdin"],
                stdin=repository.password,
            )
        self.run([*arguments, *options])
        archives = sorted(target.glob("*.tgz"))
        if not archives:
            raise HelmError(f"helm pull {chart}: left no archive")
        return archives[0]


def is_local(chart: str, repository: Repository) -> bool:
    """Whether the chart is a path: it exists (a directory with a Chart.yaml, or an archive) and no
    repository is given. Raises HelmError for a path that does not exist."""
    if repository.url or chart.startswith("oci://"):
        return False
    path = Path(chart)
    if path.is_file() or (path / "Chart.yaml").is_file():
        return True
    if path.is_absolute() or chart.startswith("."):
        raise HelmError(f"path {chart!r} not found (a chart is a directory with Chart.yaml)")
    return False


@contextmanager
def session(
    ctx: Context, kubeconfig: Mapping[str, Any] | None = None, context: str = ""
) -> Iterator[Helm]:
    """A helm session against the cluster of a kubeconfig; all it leaves behind is removed."""
    memory = MemoryFile("kubeconfig", yaml.safe_dump(dict(kubeconfig))) if kubeconfig else None
    try:
        with tempfile.TemporaryDirectory(prefix="layered-cloud-helm-") as home:
            yield Helm(ctx, Path(home), memory.path if memory else None, context)
    finally:
        if memory:
            memory.close()


def words(stderr: str) -> str:
    """Helm's own message: without its debug lines and the `Error: ` before it."""
    lines = [
        line.removeprefix("Error: ")
        for line in stderr.strip().splitlines()
        if line.strip() and not line.startswith(("level=", "I0", "W0", "E0", "WARNING:"))
    ]
    return "\n".join(lines)
