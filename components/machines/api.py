"""The Proxmox API, as this program asks it beside the provider (its own API viewer)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3

TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and between two bytes of an answer."""


class ApiTrouble(Exception):
    """The API did not answer, or refused."""


@dataclass
class Api:
    """A client of the API. It never prints the token."""

    endpoint: str
    token: str
    verify: bool
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, /, **parameters: str) -> Any:
        """The `data` of an answer; raises `ApiTrouble`."""
        return self._ask("GET", path, params=parameters)

    def post(self, path: str, /, **form: str) -> Any:
        """The same of what is asked to be done: mostly the id of a task (`UPID:NODE:…`)."""
        return self._ask("POST", path, data=form)

    def _ask(self, method: str, path: str, **parameters: Any) -> Any:
        url = f"{self.endpoint.rstrip('/')}/api2/json{path}"
        try:
            with warnings.catch_warnings():
                if not self.verify:
                    warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
                answer = self.session.request(
                    method,
                    url,
                    **parameters,
                    headers={"Authorization": f"PVEAPIToken={self.token}"},
                    verify=self.verify,
                    timeout=TIMEOUT,
                )
        except requests.exceptions.SSLError as error:
            raise ApiTrouble(
                f"{self.endpoint}: its certificate is not trusted ({error}); install the right "
                "one, or set proxmox.insecure for a self-signed install"
            ) from error
        except requests.RequestException as error:
            raise ApiTrouble(
                f"{self.endpoint}: no answer ({error}); is the endpoint right, and is the "
                "management network reachable from here?"
            ) from error
        if answer.status_code == requests.codes.unauthorized:
            raise ApiTrouble(
                f"{self.endpoint}: the token is refused ({answer.reason}); it is written "
                "USER@REALM!NAME=UUID, set it with "
                "`pulumi config set --secret proxmoxApiToken`"
            )
        if not answer.ok:
            raise ApiTrouble(f"{method} {path}: {answer.status_code} {answer.reason}")
        try:
            return answer.json()["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ApiTrouble(
                f"{method} {path}: not an answer of the Proxmox API ({error})"
            ) from error
