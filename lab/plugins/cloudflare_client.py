"""Calls of Cloudflare's v4 API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from lab.plugins.resource import Context, PluginError

BASE_URL = "https://api.cloudflare.com/client/v4"
TRIES = 4
_AGAIN = frozenset({429, 503})
_AGAIN_IF_HARMLESS = frozenset({502, 504})


class NotFound(PluginError):
    """The API answered 404."""


class Client:
    """One API at one base URL with one token. Safe to use from several threads."""

    def __init__(self, base_url: str, token: str | None) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(
        self,
        ctx: Context,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's `result`. Overload and lost connections are tried again, four times in
        all. Raises `NotFound`, or `PluginError` with the API's own codes and messages."""
        url = f"{self._base}/{path.lstrip('/')}"
        harmless = method != "POST"  # one that got through made something: not sent twice
        again = _AGAIN | _AGAIN_IF_HARMLESS if harmless else _AGAIN
        for attempt in range(1, TRIES + 1):
            ctx.check()
            try:
                answer = requests.request(
                    method, url, json=body, params=query, headers=self._headers, timeout=30
                )
            except requests.ConnectionError as error:
                if not harmless and not _refused(error):
                    raise PluginError(f"{method} {url}: {_cause(error)}") from error
                if attempt == TRIES:
                    raise PluginError(
                        f"{method} {url}: {_cause(error)} (tried {TRIES} times)"
                    ) from error
            except requests.RequestException as error:
                raise PluginError(f"{method} {url}: {error}") from error
            else:
                if answer.status_code not in again or attempt == TRIES:
                    return _result(method, url, answer)
            ctx.pause(0.25 * 2**attempt)
        raise AssertionError("unreachable")

    def delete(self, ctx: Context, path: str) -> None:
        """Delete what may be gone already."""
        try:
            self.call(ctx, "DELETE", path)
        except NotFound:
            ctx.log(f"{path} was gone already")


def _refused(error: requests.ConnectionError) -> bool:
    return "NewConnectionError" in repr(error) or "refused" in str(error)


def _cause(error: requests.ConnectionError) -> str:
    text = str(error)
    return text.rsplit(": ", 1)[-1].rstrip("')") or text


def _result(method: str, url: str, answer: requests.Response) -> Any:
    if answer.status_code == requests.codes.no_content:
        return None
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.ok and isinstance(body, dict) and body.get("success"):
        return body.get("result")
    words = "; ".join(
        f"{each.get('message')} (code {each.get('code')})"
        for each in (body or {}).get("errors") or ()
    )
    text = f"{words or answer.text[:300]}\n{method} {url}: {answer.status_code} {answer.reason}"
    raise (NotFound if answer.status_code == 404 else PluginError)(text)
