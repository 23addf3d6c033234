"""Helm charts, pinned: the platform's own and further ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from settings.models.base import ExactVersion, Form, Name, Strict, Unit, fault
from settings.models.urls import Url

ChartName = Annotated[
    str,
    Form(
        r"oci://[A-Za-z0-9][A-Za-z0-9.:/_-]*|[A-Za-z0-9./][A-Za-z0-9._/-]*",
        "is no chart",
        "write its name in the repository, a path with a slash, or oci://HOST/PATH/NAME",
    ),
]


def _fetched(url: str) -> str:
    if url.startswith("oci://"):
        raise fault(
            "is an OCI registry, which Helm takes in the chart's own name",
            f"write chart: {url.rstrip('/')}/NAME and no repository",
        )
    if url.endswith(("/index.yaml", ".tgz")):
        raise fault("is a file of a repository", f"write {url.rpartition('/')[0]}")
    return url


Repository = Annotated[
    str, AfterValidator(_fetched), Url(("http", "https"), "is no chart repository")
]
"""Of Helm charts, with an index."""


class Chart(Strict):
    """A Helm chart, pinned."""

    chart: ChartName
    """The chart's name in its repository, a local path, or an oci:// reference."""
    version: ExactVersion
    """The exact chart version."""
    repository: Repository | None = None
    """Null: `chart` is a local path or a full OCI reference."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Merged over the values the program decides; lists are replaced."""
    timeout: Annotated[int, Unit("seconds")] = Field(default=600, ge=30, le=7200)
    """How long Helm waits for the release to be ready."""

    @property
    def last_word(self) -> str:
        """What the chart is called, wherever it is."""
        return self.chart.rstrip("/").rpartition("/")[2]


SecretKey = Annotated[
    str,
    Form(
        r"(?!\.\.?$|\.\.)[A-Za-z0-9._-]{1,253}",
        "is no key of a Secret",
        "write letters, digits, dots, dashes and underscores, and no two dots first",
    ),
]
"""Of a Secret's data (Kubernetes' API: Secret v1)."""


class ChartSecret(Strict):
    """A Secret of the cluster that is there before a chart; its values are in no stack file."""

    name: Name
    """The Secret's name, which the chart's values refer to."""
    keys: list[SecretKey] = Field(min_length=1)
    """Its keys: each has a line `NAMESPACE/NAME/KEY=VALUE` in the secret `platformSecrets`."""


class FurtherChart(Chart):
    """A chart that the program knows nothing of."""

    name: Name
    """What the release is called."""
    namespace: Name
    """Where it goes; made for it."""
    pod_security: Literal["privileged", "baseline", "restricted"] = "baseline"
    """What its pods may do at most (Pod Security Standards)."""
    after: list[Name] = Field(default_factory=list)
    """Releases that must be there before: of `platform.charts` or of the program's own."""
    secrets: list[ChartSecret] = Field(default_factory=list)
    """Secrets that its values refer to."""

    def references(self) -> Iterator[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        for secret in self.secrets:
            for key in secret.keys:
                yield f"{self.namespace}/{secret.name}/{key}"
