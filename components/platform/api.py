"""The cluster's API, asked by the program itself, with the rights of a kubeconfig."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pulumi
import requests
import yaml
from requests.utils import get_environ_proxies

CONNECT_SECONDS = 5
ANSWER_SECONDS = 20
ASKED_SECONDS = 4
"""How long an API that does not answer is asked again: longer than a balancer takes to lead away
from a control plane that is gone."""
PAUSE = 0.5


class ApiRefused(Exception):
    """The API's answer to a request of ours, in its words."""


class Api:
    """The few calls that are made."""

    def __init__(self, session: requests.Session, server: str, verify: str | bool) -> None:
        self._session = session
        self._server = server.rstrip("/")
        self._verify = verify

    def call(self, method: str, path: str, fine: Sequence[int] = (), **given: Any) -> Any:
        """The answer, from JSON. `fine` are statuses beside 2xx that are no refusal.

        Raises:
            ApiRefused: another status; with the API's words.
            requests.RequestException: no answer.
        """
        answer = self._session.request(
            method,
            f"{self._server}{path}",
            verify=self._verify,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            **given,
        )
        if not answer.ok and answer.status_code not in fine:
            raise ApiRefused(f"{method} {path}: {answer.status_code} {answer.text.strip()[:300]}")
        return answer.json()

    def there(self, seconds: float) -> bool:
        """Whether anything answers within `seconds`, whatever it says."""
        try:
            self._session.get(
                f"{self._server}/version", verify=self._verify, timeout=(seconds, seconds)
            )
        except requests.RequestException:
            return False
        return True


@contextmanager
def api(kubeconfig: str) -> Iterator[Api]:
    """The API of a kubeconfig's current context. Its key lies in a file of mode 0600 meanwhile,
    since TLS takes it from nowhere else."""
    config = yaml.safe_load(kubeconfig)

    def named(kind: str, name: str) -> Mapping[str, Any]:
        return next(dict(each[kind]) for each in config[f"{kind}s"] if each["name"] == name)

    context = named("context", config["current-context"])
    cluster, user = named("cluster", context["cluster"]), named("user", context["user"])
    server = str(cluster["server"])
    with TemporaryDirectory(prefix="layered-cloud-") as directory, requests.Session() as session:

        def kept(key: str, of: Mapping[str, Any]) -> str | None:
            if f"{key}-data" not in of:
                return of.get(key)
            path = Path(directory, key)
            path.touch(mode=0o600)
            path.write_bytes(base64.b64decode(of[f"{key}-data"]))
            return str(path)

        # Nothing of the environment but its proxies, which the provider heeds too.
        session.trust_env = False
        session.proxies = get_environ_proxies(server)
        certificate, key = kept("client-certificate", user), kept("client-key", user)
        if certificate is not None and key is not None:
            session.cert = (certificate, key)
        if "token" in user:
            session.headers["Authorization"] = f"Bearer {user['token']}"
        yield Api(session, server, kept("certificate-authority", cluster) or True)


def answers(kubeconfig: str, seconds: float = ASKED_SECONDS) -> bool:
    """Whether the API answers; one that does not is asked again for `seconds`.

    Raises:
        KeyError, TypeError, StopIteration, yaml.YAMLError: the text is no kubeconfig.
    """
    end = time.monotonic() + seconds
    with api(kubeconfig) as reached:
        while not reached.there(max(PAUSE, (end - time.monotonic()) / 2)):
            if time.monotonic() + PAUSE >= end:
                return False
            time.sleep(PAUSE)
    return True


def reachable(kubeconfig: pulumi.Input[str]) -> pulumi.Output[bool]:
    """Whether the API answers now; nothing is asked in a preview, nor of what is no kubeconfig.

    What the program does with it must be right for either answer: the API may be lost, or be back,
    a moment later.
    """
    if pulumi.runtime.is_dry_run():
        return pulumi.Output.from_input(True)

    async def asked(text: str) -> bool:
        try:
            return await asyncio.to_thread(answers, text)
        except Exception:
            return True

    return pulumi.Output.unsecret(pulumi.Output.from_input(kubeconfig).apply(asked))
