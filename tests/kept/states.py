"""A release's state: made by the real engine without a datacentre, kept without what is secret or
only large, and put back for a preview."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import re
import runpy
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml
from pulumi.automation import Deployment

from lab.engine.engine import OFFLINE, Engine, workspace
from lab.engine.recorded import Recorded
from lab.paths import CHECKOUT
from lab.plugins.wire import SECRET_SIGNATURE, SIGNATURE
from lab.software.plugins import NAMES, executable, folder

KEPT: Final = CHECKOUT / "tests" / "fixtures" / "states"
"""One folder a release; in it of each stack NAME.yaml, its file, and NAME.json, its resources."""
STACKS: Final = ("lab", "dev", "prod")
ARMOR: Final = (
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZw==\n-----END PGP PUBLIC KEY BLOCK-----\n"
)
EXAMPLES: Final = {
    "example.org": "lab.test",
    "198.51.100.": "198.19.100.",
    "203.0.113.": "198.19.113.",
}
"""Blanks of the shipped stacks, which an update refuses, and what is written there."""
SECRETS: Final = {
    "layered-cloud:proxmoxApiToken": "root@pam!builder=invented",
    "layered-cloud:proxmoxSshKey": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "layered-cloud:cloudflareApiToken": "invented",
}
FAR: Final = "2999-01-01T00:00:00Z"
"""When kept certificates end: a state of long ago is not one whose certificates are due."""
_NOT_KEPT: Final = ("created", "modified", "sourcePosition", "stackTrace")
_PRIVATE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----)?", re.DOTALL
)


def filled_in(text: str) -> dict[str, Any]:
    """A shipped stack file's content with its blanks filled in."""
    proxmox = yaml.safe_load(text)["config"]["layered-cloud:proxmox"]
    if "example.org" in proxmox["endpoint"]:
        for blank, written in EXAMPLES.items():
            text = text.replace(blank, written)
    content: dict[str, Any] = yaml.safe_load(text)
    config = content["config"]
    config["layered-cloud:proxmox"]["image"]["sha256"] = "5" * 63 + "a"
    for name in ("kubernetes_repository", "containerd_repository"):
        config["layered-cloud:software"][name]["signed_by"] = ARMOR
    return content


@contextmanager
def tree(source: Path, stack: str, content: Mapping[str, Any]) -> Iterator[Path]:
    """A checkout whose file of that stack says that."""
    with TemporaryDirectory(prefix="layered-cloud-kept-") as directory:
        place = Path(directory)
        for each in source.iterdir():
            if each.name not in (".git", f"Pulumi.{stack}.yaml"):
                (place / each.name).symlink_to(each)
        written = yaml.safe_dump(dict(content), sort_keys=False)
        (place / f"Pulumi.{stack}.yaml").write_text(written)
        yield place


@contextmanager
def revision(name: str) -> Iterator[Path]:
    """The program as it was."""
    archive = subprocess.run(
        ["git", "-C", str(CHECKOUT), "archive", name], capture_output=True, check=True
    )
    with TemporaryDirectory(prefix="layered-cloud-revision-") as directory:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(directory, filter="data")
        yield Path(directory)


def pretend(engine: Engine) -> None:
    """Puts a provider that reaches nothing in place of each."""
    for name in NAMES:
        target = engine.workdir.home / "plugins" / folder(name) / executable(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        words = f"env PYTHONPATH={CHECKOUT} {sys.executable} -m tests.kept.pretending {name}"
        target.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        target.chmod(0o755)


def made(source: Path, stack: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The stack's file and its resources after the first update by a checkout's program."""
    content = filled_in((source / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    with (
        tree(source, stack, content) as place,
        workspace(
            stack,
            tree=place,
            program=without_asking_proxmox(place),
            secrets=SECRETS,
            throw_away=True,
            env={OFFLINE: "1"},
        ) as engine,
    ):
        pretend(engine)
        engine.up()
        return content, _never_due([kept(each) for each in engine.resources()])


def without_asking_proxmox(place: Path) -> Callable[[], None]:
    """The program of a checkout, as where Proxmox said that it is ready."""

    def ready(*_: object, **__: object) -> list[str]:
        return []

    def program() -> None:
        vars(importlib.import_module("components.machines.provider"))["check"] = ready
        runpy.run_path(str(place / "__main__.py"), run_name="__main__")

    return program


def kept(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What of a resource decides whether it stays: no place in a source, no private key, of what a
    command is sent the checksum, of outputs those that are no inputs."""
    found = {key: _shown(value) for key, value in resource.items() if key not in _NOT_KEPT}
    inputs, outputs = found.get("inputs") or {}, found.get("outputs") or {}
    if "outputs" in found:
        found["outputs"] = {
            key: value for key, value in outputs.items() if inputs.get(key) != value
        }
    return found


def _never_due(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Resources whose certificates end far away, wherever their end is written."""
    text = json.dumps(resources)
    for each in resources:
        if end := (each.get("outputs") or {}).get("validityEndTime"):
            text = text.replace(end, FAR)
    found: list[dict[str, Any]] = json.loads(text)
    return found


def _shown(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            opened = _shown(json.loads(value["plaintext"]), name)
            return {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps(opened)}
        return {key: _shown(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, str) and name == "stdin":
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return _PRIVATE.sub("a private key", value) if isinstance(value, str) else value


def restored(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource as the engine has it."""
    if "outputs" not in resource or not resource.get("custom"):
        return dict(resource)
    return {**resource, "outputs": {**(resource.get("inputs") or {}), **resource["outputs"]}}


def previewed(
    content: Mapping[str, Any], resources: list[dict[str, Any]], stack: str, source: Path = CHECKOUT
) -> list[dict[str, Any]]:
    """The steps that a checkout's program, today's, plans over a state."""
    recorded = Recorded()
    with (
        tree(source, stack, content) as place,
        workspace(
            stack, tree=place, secrets=SECRETS, throw_away=True, env={OFFLINE: "1"}
        ) as engine,
    ):
        pretend(engine)
        settings = engine.workdir.path / f"Pulumi.{stack}.yaml"
        salt = yaml.safe_load(settings.read_text("utf-8"))["encryptionsalt"]
        state = {
            "manifest": {"time": FAR, "magic": "", "version": ""},
            "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
            "resources": [restored(each) for each in resources],
        }
        engine._selected().import_stack(Deployment(version=3, deployment=state))
        engine.preview(diff=False, on_event=recorded.see)
    return recorded.steps


def write(version: str, stack: str, content: Mapping[str, Any], resources: list[Any]) -> None:
    """Into the release's folder, a resource a line."""
    where = KEPT / version
    where.mkdir(parents=True, exist_ok=True)
    (where / f"{stack}.yaml").write_text(yaml.safe_dump(dict(content), sort_keys=False))
    lines = ",\n".join(json.dumps(each, sort_keys=True) for each in resources)
    (where / f"{stack}.json").write_text(f"[\n{lines}\n]\n")


def read(version: str, stack: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The stack's file and its resources."""
    where = KEPT / version
    content = yaml.safe_load((where / f"{stack}.yaml").read_text("utf-8"))
    return content, json.loads((where / f"{stack}.json").read_text("utf-8"))
