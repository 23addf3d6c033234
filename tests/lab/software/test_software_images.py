"""Container images: layouts whose digests are true, and what a registry client gets of them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lab.software import images, oci
from lab.software.depot import PLAIN, application
from lab.software.oci import Entry, ImageConfig
from lab.software.store import software_dir

NAME = "registry.k8s.io/coredns/coredns:v1.2.3"


def write(directory: Path, name: str = NAME, data: bytes = b"program") -> str:
    entries = [
        Entry(path="/usr/bin/tool", data=data),
        Entry(path="/bin/tool", link="../usr/bin/tool", mode=0o777),
        Entry(path="/tmp", mode=0o1777),
    ]
    return oci.write_image(directory, name, entries, ImageConfig(entrypoint=("/usr/bin/tool",)))


def blob(directory: Path, digest: str) -> bytes:
    return (directory / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()


def test_every_digest_and_size_in_a_layout_is_true(tmp_path: Path) -> None:
    digest = write(tmp_path)
    for path in (tmp_path / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    (named,) = oci.read_index(tmp_path)
    assert named["digest"] == digest
    assert named["size"] == len(blob(tmp_path, digest))
    manifest = json.loads(blob(tmp_path, digest))
    config = json.loads(blob(tmp_path, manifest["config"]["digest"]))
    layer = manifest["layers"][0]
    assert layer["size"] == len(blob(tmp_path, layer["digest"]))
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert config["config"]["Entrypoint"] == ["/usr/bin/tool"]
    annotations = named["annotations"]
    assert isinstance(annotations, dict)
    assert annotations[oci.NAME_ANNOTATION] == NAME
    assert annotations["org.opencontainers.image.ref.name"] == "v1.2.3"


def test_a_layer_holds_parents_links_and_modes_and_no_times(tmp_path: Path) -> None:
    digest = write(tmp_path)
    layer = json.loads(blob(tmp_path, digest))["layers"][0]["digest"]
    with tarfile.open(fileobj=io.BytesIO(blob(tmp_path, layer))) as archive:
        found = {member.name: member for member in archive.getmembers()}
    assert list(found) == ["bin", "bin/tool", "tmp", "usr", "usr/bin", "usr/bin/tool"]
    assert found["bin/tool"].linkname == "../usr/bin/tool"
    assert found["tmp"].mode == 0o1777
    assert {(m.mtime, m.uid, m.gid) for m in found.values()} == {(0, 0, 0)}


def test_the_same_files_give_the_same_image(tmp_path: Path) -> None:
    assert write(tmp_path / "a") == write(tmp_path / "b")
    assert write(tmp_path / "c", data=b"other") != write(tmp_path / "d")


def test_a_layer_refuses_a_path_that_climbs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^usr/\.\./etc: a layer holds no path with `\.\.`$"):
        oci.write_layer(io.BytesIO(), [Entry(path="/usr/../etc", data=b"")])
    assert not list(tmp_path.iterdir())


def test_images_have_the_names_clusters_and_charts_ask_for() -> None:
    references = {image.reference for image in images.IMAGES}
    assert len(references) == len(images.IMAGES)
    assert {
        "registry.k8s.io/kube-apiserver:v1.36.3",
        "registry.k8s.io/kube-controller-manager:v1.36.3",
        "registry.k8s.io/kube-scheduler:v1.36.3",
        "registry.k8s.io/etcd:3.6.14-0",
        "registry.k8s.io/coredns/coredns:v1.14.7",
        "registry.k8s.io/pause:3.10.2",
        "quay.io/cilium/cilium:v1.15.19",
        "quay.io/cilium/operator-generic:v1.15.19",
        "quay.io/metallb/controller:v0.15.2",
        "quay.io/metallb/speaker:v0.15.2",
        "docker.io/library/traefik:v3.7.15",
    } <= references


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "root"
    for name in PLAIN:
        (top / name).mkdir(parents=True)
    (top / "images" / "debian.tar").write_bytes(b"0123456789")
    (top / "debian" / "dists").mkdir()
    (top / "debian" / "dists" / "InRelease").write_text("signed\n")
    (top / "charts" / ".hidden").write_text("no")
    (top / "key.asc").write_text("KEY\n")
    (tmp_path / "secret").write_text("no")
    registry = top / "registry"
    digest = write(registry)
    other = oci.read_index(registry)
    write(tmp_path / "second", "quay.io/other/tool:1", b"second")
    for path in (tmp_path / "second" / "blobs" / "sha256").iterdir():
        (registry / "blobs" / "sha256" / path.name).write_bytes(path.read_bytes())
    oci.write_index(registry, other + oci.read_index(tmp_path / "second"))
    assert digest
    return top


@pytest.fixture
async def client(root: Path) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(application(root))) as made:
        yield made


async def test_a_pull_as_containerd_does_it(client: TestClient[Any, Any], root: Path) -> None:
    base = "/v2/coredns/coredns"
    assert (await client.get("/v2/")).status == 200
    head = await client.head(f"{base}/manifests/v1.2.3?ns=registry.k8s.io")
    assert head.status == 200
    assert head.headers["Content-Type"] == oci.MANIFEST
    digest = head.headers["Docker-Content-Digest"]
    got = await client.get(f"{base}/manifests/{digest}?ns=registry.k8s.io")
    body = await got.read()
    assert f"sha256:{hashlib.sha256(body).hexdigest()}" == digest
    assert head.headers["Content-Length"] == str(len(body))
    manifest = json.loads(body)
    for part in (manifest["config"], *manifest["layers"]):
        answer = await client.get(f"{base}/blobs/{part['digest']}?ns=registry.k8s.io")
        content = await answer.read()
        assert answer.status == 200
        assert len(content) == part["size"]
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == part["digest"]


async def test_an_interrupted_layer_goes_on_where_it_stopped(client: TestClient[Any, Any]) -> None:
    got = await client.get("/v2/coredns/coredns/manifests/v1.2.3")
    layer = json.loads(await got.read())["layers"][0]
    answer = await client.get(
        f"/v2/coredns/coredns/blobs/{layer['digest']}", headers={"Range": "bytes=512-"}
    )
    assert answer.status == 206
    assert len(await answer.read()) == layer["size"] - 512


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("coredns/coredns/manifests/v9", "MANIFEST_UNKNOWN", "v9 is not a tag or manifest"),
        ("nothere/manifests/1", "NAME_UNKNOWN", "nothere is not served here"),
        ("coredns/coredns/manifests/v1.2.3?ns=quay.io", "NAME_UNKNOWN", "quay.io/coredns/coredns"),
        ("coredns/coredns/blobs/sha256:00", "BLOB_UNKNOWN", "sha256:00 is not a blob"),
        (f"coredns/coredns/blobs/sha256:{'0' * 64}", "BLOB_UNKNOWN", "is not a blob served here"),
    ],
)
async def test_what_is_not_there_is_refused_in_the_registrys_words(
    client: TestClient[Any, Any], path: str, code: str, message: str
) -> None:
    answer = await client.get(f"/v2/{path}")
    assert answer.status == 404
    (error,) = (await answer.json())["errors"]
    assert error["code"] == code
    assert message in error["message"]


async def test_tags_are_listed(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/v2/coredns/coredns/tags/list?ns=registry.k8s.io")
    assert await answer.json() == {"name": "coredns/coredns", "tags": ["v1.2.3"]}


async def test_the_registry_takes_nothing(client: TestClient[Any, Any]) -> None:
    for answer in (
        await client.post("/v2/coredns/coredns/blobs/uploads/"),
        await client.put("/v2/coredns/coredns/manifests/v1", data=b"{}"),
        await client.delete("/v2/coredns/coredns/manifests/v1.2.3"),
    ):
        assert answer.status in {404, 405}


async def test_plain_files_are_served_whole_in_part_and_as_a_head(
    client: TestClient[Any, Any],
) -> None:
    whole = await client.get("/images/debian.tar")
    assert await whole.read() == b"0123456789"
    part = await client.get("/images/debian.tar", headers={"Range": "bytes=4-"})
    assert (part.status, await part.read()) == (206, b"456789")
    head = await client.head("/images/debian.tar")
    assert head.headers["Content-Length"] == "10"
    assert await (await client.get("/debian/dists/InRelease")).text() == "signed\n"
    assert await (await client.get("/key.asc")).text() == "KEY\n"


@pytest.mark.parametrize(
    "path",
    [
        "/images/",
        "/images/nothere.tar",
        "/charts/.hidden",
        "/images/%2e%2e/%2e%2e/secret",
        "/images/..%2f..%2fsecret",
        "/registry/index.json",
        "/",
    ],
)
async def test_nothing_else_is_served(client: TestClient[Any, Any], path: str) -> None:
    from yarl import URL

    answer = await client.get(URL(path, encoded=True))
    assert answer.status == 404
    assert await answer.text() != "no"


@pytest.mark.skipif(not images.registry_item().ready, reason="the container images are not built")
def test_the_built_registry_is_whole() -> None:
    layout = images.registry_item().path
    assert layout.is_relative_to(software_dir())
    named = oci.read_index(layout)
    assert len(named) == len(images.IMAGES)
    for entry in named:
        digest = str(entry["digest"])
        assert f"sha256:{hashlib.sha256(blob(layout, digest)).hexdigest()}" == digest
        manifest = json.loads(blob(layout, digest))
        for part in (manifest["config"], *manifest["layers"]):
            path = layout / "blobs" / "sha256" / part["digest"].removeprefix("sha256:")
            assert path.stat().st_size == part["size"]


@pytest.mark.skipif(not images.CILIUM.item.ready, reason="the Cilium image is not built")
def test_the_agents_image_has_what_its_chart_calls() -> None:
    layout = images.CILIUM.item.path
    (entry,) = oci.read_index(layout)
    layer = json.loads(blob(layout, str(entry["digest"])))["layers"][0]["digest"]
    with tarfile.open(layout / "blobs" / "sha256" / layer.removeprefix("sha256:")) as archive:
        found = {member.name: member for member in archive.getmembers()}
    for name in (
        *("usr/bin/cilium-agent", "usr/bin/cilium-dbg", "usr/bin/cilium-mount"),
        *("usr/bin/cilium-sysctlfix", "opt/cni/bin/cilium-cni", "cni/loopback"),
        *("install-plugin.sh", "cni-uninstall.sh", "init-container.sh", "usr/bin/clang"),
        *("bin/bash", "usr/sbin/bpftool", "usr/bin/nsenter", "lib64/ld-linux-x86-64.so.2"),
    ):
        assert found[name].mode & 0o111, f"{name} is not executable"
    assert found["bin/sh"].linkname == "bash"
    assert "var/lib/cilium/bpf/bpf_host.c" in found
    assert not any(name.startswith(("usr/share/doc", "usr/share/locale")) for name in found)
