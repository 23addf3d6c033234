"""The Proxmox VE API as the plugin uses it: requests, tasks, and locks that are waited for."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from lab.plugins.server import Context, PluginError

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two bytes of an answer."""
TASK_POLL_SECONDS = 0.1
LOCK_RETRY_SECONDS = 1.0
LOCKED = re.compile(r"can't lock file|VM is locked|got timeout$|got lock request timeout")
GONE = re.compile(r"does not exist|no such (vm|guest)|hostname lookup .* failed", re.IGNORECASE)


class ApiError(PluginError):
    """A request that was refused, or a task that failed, in Proxmox VE's own words."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status

    @property
    def gone(self) -> bool:
        """Whether it says that the thing is not there."""
        return self.status == 404 or bool(GONE.search(str(self)))

    @property
    def locked(self) -> bool:
        """Whether another task holds the machine, so that trying again makes sense."""
        return bool(LOCKED.search(str(self)))


class Api:
    """One cluster.

    Args:
        endpoint: `https://HOST:8006/`.
        token: `USER@REALM!NAME=SECRET`.
        insecure: accept any certificate.
    """

    def __init__(self, endpoint: str, token: str, *, insecure: bool) -> None:
        self.base = f"{endpoint.rstrip('/')}/api2/json"
        self.insecure = insecure
        self._headers = {"Authorization": f"PVEAPIToken={token}"}
        self._local = threading.local()

    def get(self, path: str, /, **query: Any) -> Any:
        """The `data` of a GET; raises `ApiError`."""
        return self._call("GET", path, query=query)

    def post(self, path: str, /, **form: Any) -> Any:
        """The `data` of a POST; raises `ApiError`."""
        return self._call("POST", path, form=form)

    def put(self, path: str, form: Mapping[str, Any]) -> Any:
        """The `data` of a PUT; raises `ApiError`."""
        return self._call("PUT", path, form=form)

    def delete(self, path: str, /, **query: Any) -> Any:
        """The `data` of a DELETE; raises `ApiError`."""
        return self._call("DELETE", path, query=query)

    def run(
        self, ctx: Context, method: str, path: str, what: str, within: float, **values: Any
    ) -> None:
        """Start a task and wait for its end, again when another task holds the machine's lock.

        Args:
            what: what the task does, for the error (`VM create`).
            within: seconds for all attempts together, when the user set no timeout.

        Raises:
            ApiError: it was refused or failed, with the last lines of its log.
            TimedOut, Cancelled: it took too long, or the user gave up.
        """

        def attempt() -> bool | None:
            try:
                where = {"query": values} if method == "DELETE" else {"form": values}
                upid = self._call(method, path, **where)
                if isinstance(upid, str) and upid.startswith("UPID:"):
                    self._wait(ctx, upid, what, within)
            except ApiError as error:
                if not error.locked:
                    raise
                ctx.status(f"{what}: {error}; trying again")
                return None
            return True

        ctx.poll(attempt, what=what, every=LOCK_RETRY_SECONDS, within=within)

    def _wait(self, ctx: Context, upid: str, what: str, within: float) -> None:
        path = f"/nodes/{upid.split(':')[1]}/tasks/{quote(upid, safe='')}"

        def ended() -> dict[str, Any] | None:
            status: dict[str, Any] = self.get(f"{path}/status")
            return status if status["status"] == "stopped" else None

        status = ctx.poll(ended, what=what, every=TASK_POLL_SECONDS, within=within)
        result = str(status.get("exitstatus", ""))
        if result == "OK":
            return
        if result.startswith("WARNINGS"):
            ctx.log(f"{what}: task finished with {result}", "warning")
            return
        lines = [str(line["t"]) for line in self.get(f"{path}/log", limit=50)]
        said = "\n".join(line for line in lines[-8:] if line != f"TASK ERROR: {result}")
        raise ApiError(f"{result}\n{what}: task {upid} failed; its log ends:\n{said}")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            answer = self._session().request(
                method,
                f"{self.base}{path}",
                params=query or None,
                data=form or None,
                headers=self._headers,
                verify=not self.insecure,
                timeout=TIMEOUT,
            )
        except requests.RequestException as error:
            raise ApiError(
                f"{self.base}: no answer ({error}); is the endpoint right, and is the "
                "management network reachable from here?"
            ) from error
        if not answer.ok:
            raise ApiError(_words(method, path, answer), answer.status_code)
        try:
            return answer.json()["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ApiError(
                f"{method} {path}: not an answer of the Proxmox API ({error})"
            ) from error

    def _session(self) -> requests.Session:
        """A session of this thread's own: kept connections make waiting for a task cheap."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            if self.insecure:
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            session = requests.Session()
            session.trust_env = False
            self._local.session = session
        return session


def _words(method: str, path: str, answer: requests.Response) -> str:
    """What a refused request said, field by field where it names fields."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    message = str(body.get("message") or answer.reason).strip()
    errors = (body.get("errors") or {}).items()
    fields = "".join(f"\n  {key}: {str(why).strip()}" for key, why in errors)
    return f"{message}{fields}\n({answer.status_code} from {method} {path})"
