"""Bodies of requests, and answers in the API's envelope."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


class ApiError(Exception):
    """A refusal: the HTTP status, and Cloudflare's code and message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> web.Response:
        """The refusal as an HTTP response."""
        errors = [{"code": self.code, "message": self.message}]
        body = {"success": False, "errors": errors, "messages": [], "result": None}
        return web.json_response(body, status=self.status)


def answer(result: Any) -> web.Response:
    """A success; a list gets its page's description too."""
    body = {"success": True, "errors": [], "messages": [], "result": result}
    if isinstance(result, list):
        count = len(result)
        body["result_info"] = {
            "page": 1,
            "per_page": max(count, 100),
            "count": count,
            "total_count": count,
            "total_pages": 1,
        }
    return web.json_response(body)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The request's body; raises `ApiError` for one that is no JSON object."""
    try:
        body: Any = await request.json()
    except json.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, 9207, "Failed to parse request body: it is not a JSON object")
    return body
