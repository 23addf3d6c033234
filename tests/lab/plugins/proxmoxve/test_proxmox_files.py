"""Snippets over SSH and images by URL, through the plugin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hypervisor import images
from tests.lab.plugins.harness import CallFailed, Secret
from tests.lab.plugins.proxmoxve.proxmox_world import DOWNLOAD, FILE, World, world

TEXT = "#cloud-config\nhostname: router-a\n"


def snippet(**more: Any) -> dict[str, Any]:
    return {
        "contentType": "snippets",
        "datastoreId": "local",
        "nodeName": "pve1",
        "sourceRaw": {"fileName": "a.yaml", "data": TEXT},
        **more,
    }


def image(data: bytes = b"image", **more: Any) -> dict[str, Any]:
    return {
        "contentType": "iso",
        "datastoreId": "local",
        "nodeName": "pve1",
        "url": "http://198.18.0.4/images/debian.img",
        "fileName": "debian-12.img",
        "checksum": hashlib.sha256(data).hexdigest(),
        "checksumAlgorithm": "sha256",
        "overwrite": False,
        **more,
    }


@pytest.fixture
def at(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(namespace: Path, url: str, target: Path, algorithm: str | None) -> str:
        target.write_bytes(b"image")
        return hashlib.sha256(b"image").hexdigest()

    monkeypatch.setattr(images, "fetch", fetch)


def test_a_snippet_arrives_over_ssh_and_the_api_lists_it(at: World) -> None:
    state = at.plugin.create(FILE, snippet(fileMode="0640"))
    assert state.id == "local:snippets/a.yaml"
    assert state.outputs["fileName"] == "a.yaml"
    path = at.cluster.layout.vz("pve1") / "snippets" / "a.yaml"
    assert path.read_text() == TEXT
    assert path.stat().st_mode & 0o777 == 0o640
    listed = at.cluster.get("/nodes/pve1/storage/local/content", content="snippets")
    assert [(e["volid"], e["size"]) for e in listed] == [("local:snippets/a.yaml", len(TEXT))]
    refreshed = at.plugin.read(state)
    assert refreshed is not None and at.plugin.diff(refreshed, snippet(fileMode="0640")).nothing


def test_secret_text_stays_secret(at: World) -> None:
    inputs = snippet(sourceRaw={"fileName": "s.yaml", "data": Secret("hidden")})
    state = at.plugin.create(FILE, inputs)
    assert state.outputs["sourceRaw"] == {"fileName": "s.yaml", "data": Secret("hidden")}
    assert not [line for line in at.plugin.log if "hidden" in line[1]]


@pytest.mark.parametrize(
    "more",
    [
        {"sourceRaw": {"fileName": "a.yaml", "data": "other"}},
        {"sourceRaw": {"fileName": "b.yaml", "data": TEXT}},
        {"nodeName": "pve2"},
        {"datastoreId": "other"},
        {"fileMode": "0600"},
    ],
)
def test_any_change_of_a_snippet_replaces_it(at: World, more: dict[str, Any]) -> None:
    state = at.plugin.create(FILE, snippet())
    assert at.plugin.diff(state, snippet(**more)).replaces


def test_settings_of_the_upload_change_in_place(at: World) -> None:
    state = at.plugin.create(FILE, snippet())
    seen = at.plugin.diff(state, snippet(overwrite=False, timeoutUpload=60))
    assert seen.changes and not seen.replaces
    at.plugin.update(state, snippet(overwrite=False, timeoutUpload=60))


def test_a_vanished_snippet_is_seen_and_its_deletion_is_no_error(at: World) -> None:
    state = at.plugin.create(FILE, snippet())
    at.plugin.delete(state)
    assert at.plugin.read(state) is None
    at.plugin.delete(state)


def test_a_file_that_is_there_is_overwritten_with_a_warning_or_refused(at: World) -> None:
    at.plugin.create(FILE, snippet())
    with pytest.raises(CallFailed, match=r'file "local:snippets/a\.yaml" already exists'):
        at.plugin.create(FILE, snippet(overwrite=False))
    at.plugin.create(FILE, snippet())
    assert any("has been overwritten by the resource" in text for _, text, _ in at.plugin.log)


@pytest.mark.parametrize(
    ("inputs", "path", "words"),
    [
        ({"sourceRaw": None}, "sourceRaw", "missing: give sourceRaw or sourceFile"),
        ({"sourceFile": {"path": "/x"}}, "sourceFile", "sourceFile or sourceRaw - not both"),
        ({"fileMode": "rw"}, "fileMode", "'rw' is no octal mode; write it like 0644"),
        ({"contentType": "iso"}, "contentType", "uploads snippets, not iso; use download.File"),
    ],
)
def test_a_snippet_that_makes_no_sense_is_refused_at_its_property(
    at: World, inputs: dict[str, Any], path: str, words: str
) -> None:
    _, failures = at.plugin.check(FILE, snippet(**inputs))
    assert words in failures[path]


def test_a_folder_that_is_missing_is_named_in_the_nodes_own_words(at: World) -> None:
    (at.cluster.layout.vz("pve1") / "snippets").rmdir()
    with pytest.raises(CallFailed) as caught:
        at.plugin.create(FILE, snippet())
    assert "tee:" in str(caught.value).splitlines()[0]
    assert "No such file or directory" in str(caught.value).splitlines()[0]


def test_a_key_that_the_node_does_not_know_is_refused_at_once(at: World) -> None:
    from asyncssh import generate_private_key

    other = generate_private_key("ssh-ed25519").export_private_key().decode()
    at.plugin.configure(
        endpoint=at.cluster.endpoint,
        apiToken=at.cluster.token,
        insecure=True,
        ssh={
            "privateKey": other,
            "nodes": [{"name": "pve1", "address": "127.0.0.1", "port": at.node.port}],
        },
    )
    with pytest.raises(CallFailed, match="unable to authenticate user 'root' over SSH"):
        at.plugin.create(FILE, snippet())


def test_a_local_file_is_uploaded_only_with_its_checksum(at: World, tmp_path: Path) -> None:
    source = tmp_path / "local.yaml"
    source.write_text(TEXT)
    right = hashlib.sha256(TEXT.encode()).hexdigest()
    given = {"path": str(source), "checksum": "00"}
    with pytest.raises(CallFailed, match=f'checksum "{right}" does not match source checksum "00"'):
        at.plugin.create(FILE, snippet(sourceRaw=None, sourceFile=given))
    given["checksum"] = right
    state = at.plugin.create(FILE, snippet(sourceRaw=None, sourceFile=given))
    assert state.id == "local:snippets/local.yaml"


@pytest.mark.usefixtures("served")
def test_an_image_is_downloaded_by_the_host_read_back_and_removed(at: World) -> None:
    state = at.plugin.create(DOWNLOAD, image())
    assert state.id == "local:iso/debian-12.img"
    assert (state.outputs["fileName"], state.outputs["size"]) == ("debian-12.img", 5)
    refreshed = at.plugin.read(state)
    assert refreshed is not None and at.plugin.diff(refreshed, image()).nothing
    at.plugin.delete(state)
    assert at.plugin.read(state) is None
    at.plugin.delete(state)


@pytest.mark.usefixtures("served")
def test_a_wrong_checksum_fails_in_the_hosts_words_first(at: World) -> None:
    with pytest.raises(CallFailed) as caught:
        at.plugin.create(DOWNLOAD, image(b"other"))
    assert str(caught.value).startswith("checksum mismatch: got '6105d6cc")


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "more",
    [{"url": "http://198.18.0.4/x.img"}, {"fileName": "x.img"}, {"checksum": "00" * 32}],
)
def test_another_image_replaces(at: World, more: dict[str, Any]) -> None:
    state = at.plugin.create(DOWNLOAD, image())
    assert at.plugin.diff(state, image(**more)).replaces


@pytest.mark.usefixtures("served")
def test_an_unmanaged_file_of_that_name_is_kept_unless_told_otherwise(at: World) -> None:
    path = at.cluster.layout.vz("pve1") / "template/iso" / "debian-12.img"
    path.write_bytes(b"somebody's")
    inputs = image()
    del inputs["checksum"], inputs["checksumAlgorithm"]
    with pytest.raises(CallFailed, match=r"refusing to override existing file 'debian-12\.img'"):
        at.plugin.create(DOWNLOAD, inputs)
    assert path.read_bytes() == b"somebody's"
    at.plugin.create(DOWNLOAD, {**inputs, "overwriteUnmanaged": True})
    assert path.read_bytes() == b"image"


@pytest.mark.usefixtures("served")
def test_a_spoilt_image_is_downloaded_again_only_with_overwrite(at: World) -> None:
    state = at.plugin.create(DOWNLOAD, image())
    (at.cluster.layout.vz("pve1") / "template/iso" / "debian-12.img").write_bytes(
        b"longer than that"
    )
    kept = at.plugin.read(state)
    assert kept is not None and kept.outputs["size"] == 16
    state = at.plugin.create(DOWNLOAD, image(overwrite=True, fileName="second.img"))
    (at.cluster.layout.vz("pve1") / "template/iso" / "second.img").write_bytes(b"longer than that")
    assert at.plugin.read(state) is None


def test_a_checksum_needs_its_algorithm(at: World) -> None:
    inputs = image()
    del inputs["checksumAlgorithm"]
    _, failures = at.plugin.check(DOWNLOAD, inputs)
    assert failures == {"checksum": "checksumAlgorithm must be given with it"}
