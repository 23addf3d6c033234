"""The hosts' storages: files that are really there, per host, and disks of machines.

Images, snippets and the like are files below the host's /var/lib/vz, so what arrives over SSH is
listed by the API, and what the API downloads is there over SSH. Disks are names: what is on them
is the machine's overlay.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

from lab.hypervisor import images
from lab.hypervisor.layout import Layout
from lab.hypervisor.pve.base import (
    USER,
    FakePve,
    PveError,
    TaskError,
    current_node,
    die,
    ok,
    param_error,
    params,
    split_list,
)
from lab.hypervisor.settings import Settings
from lab.network.ip import NETNS_DIR

FOLDERS = {
    "iso": "template/iso",
    "vztmpl": "template/cache",
    "snippets": "snippets",
    "import": "import",
    "backup": "dump",
}
EXTENSIONS = {
    "iso": (".iso", ".img"),
    "vztmpl": (".tar.gz", ".tar.xz", ".tar.zst"),
    "import": (".ova", ".ovf", ".qcow2", ".raw", ".vmdk"),
}
LOCAL_CONTENT = "backup,images,import,iso,snippets,vztmpl"


def storages() -> dict[str, dict[str, Any]]:
    """storage.cfg of the lab's cluster: a directory and a thin pool on every host."""
    return {
        "local": {
            "type": "dir",
            "path": "/var/lib/vz",
            "content": LOCAL_CONTENT,
            "active": 1,
            "files": set(),
            "volumes": {},
        },
        "local-lvm": {
            "type": "lvmthin",
            "vgname": "pve",
            "thinpool": "data",
            "content": "images,rootdir",
            "active": 1,
            "files": set(),
            "volumes": {},
        },
    }


class LabStorage(FakePve):  # type: ignore[misc]
    """Storages that have real files."""

    layout: Layout
    settings: Settings
    storages: dict[str, dict[str, Any]]

    def file_path(self, node: str, volume: str) -> Path:
        """The file behind a volume id (`local:snippets/x.yaml`) on a host.

        Raises:
            PveError: it is not the id of a file, or the storage holds none.
        """
        storage, _, name = volume.partition(":")
        kind, _, file_name = name.partition("/")
        if storage != "local" or kind not in FOLDERS or not file_name or ".." in file_name:
            raise die(f"unable to parse volume ID '{volume}'")
        return self.layout.vz(node) / FOLDERS[kind] / file_name

    def snippet(self, node: str, volume: str) -> str:
        """Text of a snippet; raises `TaskError` in PVE's words when it is not there."""
        try:
            return self.file_path(node, volume).read_text()
        except FileNotFoundError as err:
            raise TaskError(f"volume '{volume}' does not exist") from err
        except PveError as err:
            raise TaskError(err.message) from err

    def _volumes(self, name: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = dict(super()._volumes(name))
        if name != "local":
            return found
        node = current_node.get()
        for kind, folder in FOLDERS.items():
            base = self.layout.vz(node) / folder
            for path in sorted(base.glob("*")) if node and base.is_dir() else []:
                if path.is_file() and not path.name.startswith("."):
                    stat = path.stat()
                    found[f"{kind}/{path.name}"] = {
                        "content": kind,
                        "format": path.suffix.lstrip(".") if kind == "import" else kind,
                        "size": stat.st_size,
                        "ctime": int(stat.st_ctime),
                    }
        return found

    def _space(self, store: dict[str, Any]) -> tuple[int, int, int]:
        usage = shutil.disk_usage(self.layout.state_dir)
        return usage.total, usage.used, usage.free

    # ------------------------------------------------------------- download

    def _routes_lab_storage(self) -> list[tuple[str, str, Any]]:
        return [("GET", "/nodes/{node}/query-url-metadata", self._url_metadata)]

    async def _url_metadata(self, v: dict[str, Any], user: str) -> dict[str, Any]:
        try:
            size, kind = await asyncio.to_thread(images.head, self._netns(v["node"]), v["url"])
        except images.ImageError as err:
            raise die(str(err)) from err
        name = v["url"].partition("?")[0].rpartition("/")[2]
        return {"filename": name, "size": size, "mimetype": kind}

    async def _download_url(self, request: Any) -> Any:
        name, store = self._file_storage(request, "download")
        node, user = request.match_info["node"], request[USER]
        self._need_download(user, name, node)
        p = self._verify(request, await params(request))
        self._need_file_storage(
            store, "can't upload to storage type '{0}', not a file based storage!"
        )
        content, file_name = p["content"], p["filename"]
        if content not in split_list(store.get("content")):
            raise die(f"storage '{name}' is not configured for content-type '{content}'")
        if not file_name.endswith(EXTENSIONS[content]):
            raise param_error(filename="wrong file extension")
        if not re.fullmatch(r"[\w.+-]+", file_name):
            raise param_error(filename="illegal characters in filename")
        if p.get("compression"):
            raise die("decompression is not supported by this lab; serve the image uncompressed")
        target = self.file_path(node, f"{name}:{content}/{file_name}")

        async def body() -> str:
            return await self._download(node, p, target)

        log = [f"downloading {p['url']} to {file_name}"]
        return ok(await self.task(node, "download", name, user, body, log=log))

    def _need_download(self, user: str, storage: str, node: str) -> None:
        self.require(user, f"/storage/{storage}", "Datastore.AllocateTemplate")
        allowed = self.allowed
        if allowed(user, f"/nodes/{node}", "Sys.AccessNetwork"):
            return
        if not (allowed(user, "/", "Sys.Audit") and allowed(user, "/", "Sys.Modify")):
            raise PveError(403, f"Permission check failed (/nodes/{node}, Sys.AccessNetwork)")

    async def _download(self, node: str, p: dict[str, Any], target: Path) -> str:
        url, expected = p["url"], p.get("checksum")
        algorithm = p.get("checksum-algorithm")
        if target.exists():
            if not (expected and algorithm):
                raise TaskError(f"refusing to override existing file '{target.name}'")
            have = await asyncio.to_thread(images.checksum, target, algorithm)
            if have == expected.lower():
                return "OK, got correct file already, no need to download"
            target.unlink()
        try:
            found = await asyncio.to_thread(images.fetch, self._netns(node), url, target, algorithm)
        except images.ImageError as err:
            raise TaskError(str(err)) from err
        if expected and found != expected.lower():
            target.unlink(missing_ok=True)
            raise TaskError(f"checksum mismatch: got '{found}' != expect '{expected}'")
        return f"download of '{url}' to '{target.name}' finished"

    async def _upload(self, request: Any) -> Any:
        raise PveError(
            501, "uploading through the API is not supported by this lab; use download-url"
        )

    # -------------------------------------------------------------- removal

    async def _content_delete(self, v: dict[str, Any], user: str) -> Any:
        sid, volname = v["storage"], v["volume"].rpartition(":")[2]
        kind = volname.partition("/")[0]
        if kind not in FOLDERS:
            return await super()._content_delete(v, user)
        self.require(user, f"/storage/{sid}", "Datastore.Allocate")
        path = self.file_path(v["node"], f"{sid}:{volname}")

        async def body() -> str:
            path.unlink(missing_ok=True)
            return f"Removed volume '{sid}:{volname}'"

        return await self.task(v["node"], "imgdel", sid, user, body, lock=False)

    def _netns(self, node: str) -> Path:
        return NETNS_DIR / self.settings.topology.namespace(node)
