"""Argo CD, which follows a folder of a Git repository.

Sources: the chart's values.yaml, 10.1 (Argo CD 3.4); Argo CD's operator manual, "Declarative Setup"
(Application, repository Secrets), and its page "App Deletion".
"""

from __future__ import annotations

from components.platform.addon import Addon, Form, Object, Webhook
from settings.models import REPOSITORY_KEYS, REPOSITORY_SECRET, Delivery

NAME = "argo-cd"
CLUSTER = "cluster"
"""What the Application of the hand-over is called."""


def made(given: Delivery) -> Addon:
    """Argo CD and the hand-over: an Application of the folder.

    What was delivered stays when the hand-over is taken out: the Application has no finalizer that
    would delete it. Off are single sign-on and notifications, which nothing here configures.
    """
    namespace = given.traits.namespace
    return Addon(
        name=NAME,
        namespace=namespace,
        pod_security="restricted",
        chart=given.chart,
        values={
            "dex": {"enabled": False},
            "notifications": {"enabled": False},
            "configs": {"cm": {"timeout.reconciliation": f"{given.every * 60}s"}},
        },
        objects={"delivery-cluster": _application(given)},
        webhook=Webhook(
            refusal="the cluster does not know Argo CD's kinds",
            logs=f"kubectl -n {namespace} logs statefulset/argo-cd-argocd-application-controller",
        ),
        secrets={REPOSITORY_SECRET: REPOSITORY_KEYS} if given.credentials else {},
        forms={REPOSITORY_SECRET: _found_by_label(given)} if given.credentials else {},
    )


def _found_by_label(given: Delivery) -> Form:
    return Form(
        labels={"argocd.argoproj.io/secret-type": "repository"},
        plain={"type": "git", "url": given.repository},
    )


def _application(given: Delivery) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": CLUSTER, "namespace": given.traits.namespace},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": given.repository,
                "targetRevision": given.branch,
                "path": given.path,
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
            "syncPolicy": {
                "automated": {"prune": given.prune, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        },
    }
