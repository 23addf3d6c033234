"""A read-only registry (OCI distribution-spec, pull) over one OCI image layout.

One registry stands in for several: a name is looked up together with the registry it was asked
of, which containerd's mirrors send as `?ns=registry.k8s.io`. Without it, the name alone must be
unambiguous.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from aiohttp import web

from lab.software import oci

_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_NAME = r"{name:[a-z0-9]+(?:[._/-]+[a-z0-9]+)*}"
_VERSION_HEADER = {"Docker-Distribution-API-Version": "registry/2.0"}


def _refuse(code: str, message: str) -> web.HTTPNotFound:
    """The distribution-spec's error body, with status 404."""
    body = json.dumps({"errors": [{"code": code, "message": message}]})
    return web.HTTPNotFound(text=body, content_type="application/json", headers=_VERSION_HEADER)


class Registry:
    """Serves the images of a layout whose manifests carry their full names as annotations."""

    def __init__(self, layout: Path) -> None:
        self._blobs = layout / "blobs" / "sha256"
        self._tags: dict[str, dict[str, str]] = {}
        for manifest in oci.read_index(layout):
            annotations = manifest["annotations"]
            assert isinstance(annotations, dict)
            name, _, tag = str(annotations[oci.NAME_ANNOTATION]).rpartition(":")
            self._tags.setdefault(name, {})[tag] = str(manifest["digest"])

    def routes(self) -> list[web.RouteDef]:
        """The routes below /v2/ (GET routes answer HEAD too)."""
        return [
            web.get("/v2/", self._version),
            web.get(f"/v2/{_NAME}/tags/list", self._list),
            web.get(f"/v2/{_NAME}/manifests/{{reference}}", self._manifest),
            web.get(f"/v2/{_NAME}/blobs/{{digest}}", self._blob),
        ]

    def references(self) -> list[str]:
        """Every image served, by its full name."""
        return sorted(f"{name}:{tag}" for name, tags in self._tags.items() for tag in tags)

    async def _version(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({}, headers=_VERSION_HEADER)

    def _repository(self, request: web.Request) -> dict[str, str]:
        name = request.match_info["name"]
        registry = request.query.get("ns")
        if registry:
            candidates = [f"{registry}/{name}"]
        else:
            candidates = [full for full in self._tags if full.partition("/")[2] == name]
        if len(candidates) != 1 or candidates[0] not in self._tags:
            asked = f"{registry}/{name}" if registry else name
            raise _refuse("NAME_UNKNOWN", f"{asked} is not served here")
        return self._tags[candidates[0]]

    async def _list(self, request: web.Request) -> web.Response:
        tags = sorted(self._repository(request))
        return web.json_response(
            {"name": request.match_info["name"], "tags": tags}, headers=_VERSION_HEADER
        )

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        tags = self._repository(request)
        reference = request.match_info["reference"]
        digest = reference if reference in tags.values() else tags.get(reference)
        if digest is None:
            raise _refuse("MANIFEST_UNKNOWN", f"{reference} is not a tag or manifest served here")
        return self._file(digest, oci.MANIFEST)

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        self._repository(request)
        digest = request.match_info["digest"]
        if not _DIGEST.match(digest) or not self._path(digest).is_file():
            raise _refuse("BLOB_UNKNOWN", f"{digest} is not a blob served here")
        return self._file(digest, "application/octet-stream")

    def _path(self, digest: str) -> Path:
        return self._blobs / digest.removeprefix("sha256:")

    def _file(self, digest: str, media_type: str) -> web.FileResponse:
        headers = {**_VERSION_HEADER, "Docker-Content-Digest": digest, "Content-Type": media_type}
        return web.FileResponse(self._path(digest), headers=headers)
