"""Flux, which follows a folder of a Git repository.

Sources: the values.yaml of the community's chart flux2, 2.18 (Flux 2.8); Flux' references of
GitRepository (source.toolkit.fluxcd.io/v1) and Kustomization (kustomize.toolkit.fluxcd.io/v1).
"""

from __future__ import annotations

from components.platform.addon import Addon, Object, Webhook
from settings.models import REPOSITORY_KEYS, REPOSITORY_SECRET, Delivery

NAME = "flux2"
CLUSTER = "cluster"
"""What both objects of the hand-over are called."""


def made(given: Delivery) -> Addon:
    """Flux and the hand-over: a GitRepository and a Kustomization of it.

    What was delivered stays when the hand-over is taken out (`deletionPolicy`): with the default a
    Kustomization that is deleted takes with it all that it ever applied. Those who watch registries
    for images are off, as nothing here asks them.
    """
    namespace = given.traits.namespace
    return Addon(
        name=NAME,
        namespace=namespace,
        pod_security="restricted",
        chart=given.chart,
        values={
            "imageAutomationController": {"create": False},
            "imageReflectionController": {"create": False},
        },
        objects={
            "delivery-repository": _object(
                "source.toolkit.fluxcd.io/v1", "GitRepository", namespace, _source(given)
            ),
            "delivery-cluster": _object(
                "kustomize.toolkit.fluxcd.io/v1", "Kustomization", namespace, _applied(given)
            ),
        },
        webhook=Webhook(
            refusal="the cluster does not know Flux' kinds",
            logs=f"kubectl -n {namespace} logs deploy/source-controller",
        ),
        secrets={REPOSITORY_SECRET: REPOSITORY_KEYS} if given.credentials else {},
    )


def _object(version: str, kind: str, namespace: str, spec: Object) -> Object:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": CLUSTER, "namespace": namespace},
        "spec": spec,
    }


def _source(given: Delivery) -> Object:
    told = {"secretRef": {"name": REPOSITORY_SECRET}} if given.credentials else {}
    return {
        "url": given.repository,
        "ref": {"branch": given.branch},
        "interval": f"{given.every}m",
        **told,
    }


def _applied(given: Delivery) -> Object:
    return {
        "sourceRef": {"kind": "GitRepository", "name": CLUSTER},
        "path": "./" if given.path == "." else f"./{given.path}",
        "interval": f"{given.every}m",
        "prune": given.prune,
        "deletionPolicy": "Orphan",
    }
