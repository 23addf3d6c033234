"""What is delivered to the cluster out of a Git repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from settings.models.base import Elsewhere, Form, Strict, Unit, fault
from settings.models.charts import Chart
from settings.models.urls import Url

REPOSITORY_SECRET: Final = "repository"  # noqa: S105 (the name of a Secret)
"""What the Secret with the repository's user and password is called."""
REPOSITORY_KEYS: Final = ("username", "password")
"""The keys of that Secret."""


def _short(branch: str) -> str:
    if branch.startswith("refs/"):
        raise fault("is a reference", f"write {re.sub('^refs/(heads/)?', '', branch)}")
    return branch


GitBranch = Annotated[
    str,
    AfterValidator(_short),
    Form(
        r"[A-Za-z0-9_][A-Za-z0-9_-]*([./][A-Za-z0-9_][A-Za-z0-9_-]*)*",
        "is no branch",
        "write a branch's name, such as main",
    ),
]
"""git-check-ref-format(1), within letters, digits, dots, slashes, dashes and underscores."""
RepositoryFolder = Annotated[
    str,
    Form(
        r"\.|[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*",
        "is no folder of a repository",
        "write its path from the repository's root, such as clusters/prod, or a dot for the root",
    ),
]


_PAGE = re.compile(r"(https?://.+?)/(?:-/)?(?:tree|blob|src/branch)/([^/?#]+)(?:/.*)?")


def _cloned(url: str) -> str:
    """What Git clones, and no page that shows a branch of it."""
    if (page := _PAGE.fullmatch(url)) is not None:
        raise fault(
            "is a page that shows a branch", f"write {page[1]}, with branch: {page[2]} and its path"
        )
    if "?" in url or "#" in url:
        right = f"write {re.split('[?#]', url)[0]}, and the branch as branch"
        raise fault("has something behind the repository", right)
    return url


GitUrl = Annotated[str, Url(("http", "https"), users=True), AfterValidator(_cloned)]
"""Of a repository, over HTTP."""


@dataclass(frozen=True, kw_only=True)
class DeliveryTraits:
    """Of a kind of delivery: its `namespace`, where the repository's Secret is, too."""

    namespace: str


DELIVERY_KINDS: Final[Mapping[str, DeliveryTraits]] = MappingProxyType(
    {
        "flux": DeliveryTraits(namespace="flux-system"),
        "argo-cd": DeliveryTraits(namespace="argocd"),
    }
)
"""By the word of `platform.delivery.kind`."""


class Delivery(Strict):
    """The hand-over to GitOps: a folder of a repository whose manifests the cluster follows."""

    kind: Literal["flux", "argo-cd"]
    """Who follows it: Flux, or Argo CD."""
    chart: Chart
    """Its chart: the community's flux2, or argo-cd."""
    repository: GitUrl
    """The Git repository, by HTTPS."""
    branch: GitBranch = "main"
    """The branch that is followed."""
    path: RepositoryFolder = "."
    """The folder with the manifests, or with a kustomization.yaml."""
    credentials: Annotated[bool, Elsewhere("platformSecrets")] = False
    """Whether the repository asks who reads it: then `platformSecrets` has the user and password
    (or token) as `NAMESPACE/repository/username` and `…/password`, with `flux-system` for Flux and
    `argocd` for Argo CD."""
    prune: bool = True
    """Whether what is taken out of the folder is deleted from the cluster."""
    every: Annotated[int, Unit("minutes")] = Field(default=5, ge=1, le=1440)
    """How often the repository is asked."""

    @property
    def traits(self) -> DeliveryTraits:
        """Of its kind."""
        return DELIVERY_KINDS[self.kind]

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        here = f"{self.traits.namespace}/{REPOSITORY_SECRET}"
        return [f"{here}/{key}" for key in REPOSITORY_KEYS] if self.credentials else []
