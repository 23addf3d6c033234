"""Files on a datastore: snippets over SSH (`FileLegacy`), images by URL (`download.File`)."""

# ruff: noqa: A002 - `id` is the protocol's own word
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlsplit

from lab.plugins.proxmoxve.api import Api, ApiError
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Created,
    PluginError,
    Properties,
    ReadResult,
    Resource,
)

if TYPE_CHECKING:
    from lab.plugins.proxmoxve.provider import ProxmoxProvider

UPLOAD_SECONDS = 1800
DOWNLOAD_SECONDS = 600
DELETE_SECONDS = 300
OVER_SSH = ("snippets", "backup")
FOLDERS = {"backup": "dump"}


class _DatastoreFile(Resource):
    """What both kinds share: where the file is, and how it goes."""

    def __init__(self, provider: ProxmoxProvider) -> None:
        self._provider = provider

    @property
    def _api(self) -> Api:
        return self._provider.api

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """Remove the file through the API; gone is fine."""
        said = inputs or state
        storage = f"/nodes/{said['nodeName']}/storage/{said['datastoreId']}"
        path = f"{storage}/content/{quote(id, safe='')}"
        try:
            self._api.run(ctx, "DELETE", path, "File delete", DELETE_SECONDS)
        except ApiError as error:
            if not error.gone:
                raise

    def _find(self, node: str, datastore: str, volume: str) -> Properties | None:
        """The datastore's entry of a volume, or None when it (or its node) is gone."""
        try:
            entries = self._api.get(f"/nodes/{node}/storage/{datastore}/content")
        except ApiError as error:
            if error.gone:
                return None
            raise
        return next((dict(entry) for entry in entries if entry["volid"] == volume), None)


class FileLegacy(_DatastoreFile):
    """`proxmoxve:index/fileLegacy:FileLegacy`: a snippet written over SSH.

    Like the real provider it does not read content back: only whether the file is there.
    """

    token: ClassVar[str] = "proxmoxve:index/fileLegacy:FileLegacy"  # noqa: S105
    sdk: ClassVar[str] = "pulumi_proxmoxve:FileLegacy"
    computed: ClassVar[frozenset[str]] = frozenset(
        {"contentType", "fileModificationDate", "fileName", "fileSize", "fileTag"}
    )
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {"contentType", "datastoreId", "fileMode", "nodeName", "sourceFile", "sourceRaw"}
    )

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Exactly one source; a content type that SSH carries. Raises `CheckFailed`."""
        given = [name for name in ("sourceFile", "sourceRaw") if news.get(name) is not None]
        if not given:
            raise CheckFailed({"sourceRaw": "missing: give sourceRaw or sourceFile"})
        if len(given) > 1:
            raise CheckFailed({"sourceFile": "please specify sourceFile or sourceRaw - not both"})
        mode = news.get("fileMode")
        if isinstance(mode, str) and not _is_mode(mode):
            raise CheckFailed({"fileMode": f"'{mode}' is no octal mode; write it like 0644"})
        if not _unknown(news):
            kind = _content_type(news)
            if kind not in OVER_SSH:
                reason = f"the stand-in plugin uploads snippets, not {kind}; use download.File"
                raise CheckFailed({"contentType": reason})
        return news

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Write the file; raises `PluginError` with the node's words."""
        node, datastore = inputs["nodeName"], inputs["datastoreId"]
        kind, name = _content_type(inputs), _file_name(inputs)
        volume = f"{datastore}:{kind}/{name}"
        if self._find(node, datastore, volume) is not None:
            if not inputs.get("overwrite", True):
                raise PluginError(f'file "{volume}" already exists')
            ctx.log(f'the existing file "{volume}" has been overwritten by the resource', "warning")
        store = self._api.get(f"/storage/{datastore}")
        if not store.get("path"):
            raise PluginError("failed to determine the datastore path")
        if kind not in str(store.get("content", "")).split(","):
            ctx.log(
                f'the datastore "{datastore}" does not support content type "{kind}"; supported '
                f"content types are: {store.get('content')}",
                "warning",
            )
        path = f"{store['path']}/{FOLDERS.get(kind, kind)}/{name}"
        self._provider.nodes.write(ctx, node, path, _content(inputs), inputs.get("fileMode"))
        if self._find(node, datastore, volume) is None:
            raise PluginError(f'failed to read file from "{volume}"')
        return Created(id=volume, outputs={"fileName": name, "contentType": kind})

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """Name and type are known before the file is there."""
        shown: Properties = {"fileModificationDate": None, "fileSize": None, "fileTag": None}
        if _unknown(inputs):
            return {}
        return {**shown, "fileName": _file_name(inputs), "contentType": _content_type(inputs)}

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """None when the datastore no longer lists it."""
        said = inputs or state
        if self._find(said["nodeName"], said["datastoreId"], id) is None:
            return None
        return ReadResult(id=id, outputs=state, inputs=inputs or None)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Only settings of the upload itself can change in place; nothing to do on the host."""
        return {}


class DownloadFile(_DatastoreFile):
    """`proxmoxve:download/file:File`: an image that the host fetches and checks."""

    token: ClassVar[str] = "proxmoxve:download/file:File"  # noqa: S105
    sdk: ClassVar[str] = "pulumi_proxmoxve.download:File"
    computed: ClassVar[frozenset[str]] = frozenset({"fileName", "size"})
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {
            "checksum",
            "checksumAlgorithm",
            "contentType",
            "datastoreId",
            "decompressionAlgorithm",
            "fileName",
            "nodeName",
            "url",
        }
    )

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Checksum and algorithm go together; raises `CheckFailed`."""
        for one, other in (("checksum", "checksumAlgorithm"), ("checksumAlgorithm", "checksum")):
            if news.get(one) is not None and news.get(other) is None:
                raise CheckFailed({one: f"{other} must be given with it"})
        kind = news.get("contentType")
        if isinstance(kind, str) and kind not in ("iso", "vztmpl", "import"):
            raise CheckFailed({"contentType": f"'{kind}' is not one of iso, vztmpl, import"})
        return news

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Let the host download it; raises `ApiError` with the host's words."""
        node, datastore = inputs["nodeName"], inputs["datastoreId"]
        name = _download_name(inputs)
        volume = f"{datastore}:{inputs['contentType']}/{name}"
        form = {
            "content": inputs["contentType"],
            "filename": name,
            "url": inputs["url"],
            "verify-certificates": "1" if inputs.get("verify", True) else "0",
        }
        for key, parameter in (
            ("checksum", "checksum"),
            ("checksumAlgorithm", "checksum-algorithm"),
            ("decompressionAlgorithm", "compression"),
        ):
            if inputs.get(key) is not None:
                form[parameter] = inputs[key]
        path = f"/nodes/{node}/storage/{datastore}/download-url"
        within = float(inputs.get("uploadTimeout") or DOWNLOAD_SECONDS)
        ctx.status(f"{node} downloads {inputs['url']}")
        try:
            self._api.run(ctx, "POST", path, "File download", within, **form)
        except ApiError as error:
            if "refusing to override" not in str(error) or not inputs.get("overwriteUnmanaged"):
                raise
            self.delete(ctx, volume, {}, inputs)
            self._api.run(ctx, "POST", path, "File download", within, **form)
        entry = self._find(node, datastore, volume)
        if entry is None:
            raise PluginError(f"{volume} is not there after the download")
        return Created(id=volume, outputs={"fileName": name, "size": int(entry["size"])})

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """The name is known before the file is there."""
        if any(inputs.get(key) is UNKNOWN for key in ("url", "fileName")):
            return {}
        return {"fileName": _download_name(inputs)}

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """None when it is gone, or when its size changed and `overwrite` asks to repair that."""
        said = inputs or state
        entry = self._find(said["nodeName"], said["datastoreId"], id)
        if entry is None:
            return None
        size = int(entry["size"])
        if said.get("overwrite", True) and state.get("size") not in (None, size):
            ctx.log(
                f"the file size in datastore has changed outside of Pulumi: {state['size']} "
                f"before, {size} now; it will be downloaded again",
                "warning",
            )
            return None
        outputs = {**state, "size": size, "fileName": id.rpartition("/")[2]}
        return ReadResult(id=id, outputs=outputs, inputs=inputs or None)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Only settings of the download itself can change in place."""
        return {}


def _unknown(inputs: Properties) -> bool:
    source = inputs.get("sourceRaw") or inputs.get("sourceFile")
    if source is UNKNOWN or inputs.get("contentType") is UNKNOWN:
        return True
    name = source.get("fileName") if isinstance(source, dict) else None
    return name is UNKNOWN or (isinstance(source, dict) and source.get("path") is UNKNOWN)


def _file_name(inputs: Properties) -> str:
    raw = inputs.get("sourceRaw")
    if raw is not None:
        return str(raw["fileName"])
    source = inputs["sourceFile"]
    return str(source.get("fileName") or Path(str(source["path"])).name)


def _content_type(inputs: Properties) -> str:
    given = inputs.get("contentType")
    if given:
        return str(given)
    name = _file_name(inputs)
    for endings, kind in (
        ((".tar.gz", ".tar.xz"), "vztmpl"),
        ((".qcow2", ".raw", ".vmdk"), "import"),
        ((".img", ".iso"), "iso"),
        ((".yaml", ".yml"), "snippets"),
    ):
        if name.lower().endswith(endings):
            return kind
    raise CheckFailed(
        {"contentType": f'cannot determine the content type of source "{name}"; give contentType'}
    )


def _content(inputs: Properties) -> bytes:
    """What to write: given text (padded to `resize` bytes), or a local file, checksum verified."""
    raw = inputs.get("sourceRaw")
    if raw is not None:
        data, size = str(raw["data"]).encode(), int(raw.get("resize") or 0)
        if size and len(data) > size:
            raise PluginError(f"cannot resize {len(data)} bytes to {size} bytes")
        return data.ljust(size) if size else data
    source: dict[str, Any] = inputs["sourceFile"]
    path = str(source["path"])
    if urlsplit(path).scheme in ("http", "https"):
        raise PluginError(
            "sourceFile.path: the stand-in plugin reads local files; use download.File"
        )
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PluginError(f"{path}: {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if source.get("checksum") and source["checksum"] != found:
        raise PluginError(
            f'the calculated SHA256 checksum "{found}" does not match source checksum '
            f'"{source["checksum"]}"'
        )
    return data


def _download_name(inputs: Properties) -> str:
    return str(inputs.get("fileName") or urlsplit(str(inputs["url"])).path.rpartition("/")[2])


def _is_mode(text: str) -> bool:
    return text.isdigit() and len(text) <= 5 and all(digit in "01234567" for digit in text)
