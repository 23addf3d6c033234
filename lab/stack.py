"""The lab's stack: Pulumi.lab.yaml, a profile laid over it, and what only a running lab knows.

Some things cannot stand in a file: the checksum of the image that was built here, the key that
signs the lab's own package repository, the demo image's tag, and the secrets. Everything else is
the stack file's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.paths import CHECKOUT
from lab.software.charts import CHARTS
from settings.files import load_stack
from settings.models import Stack

NAME = "lab"
NAMESPACE = "layered-cloud:"
PROFILES = CHECKOUT / "lab" / "profiles"


class UnknownProfile(ValueError):
    """There is no such profile; the text names those there are."""

    human = True


class UnservedChart(ValueError):
    """The stack names a chart that the lab does not serve; the text names those that it does."""

    human = True


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a running lab knows: the machine image's SHA-256, the repository's armored public key,
    and the demo service's image, whose tag is made from its source."""

    image_sha256: str
    signing_key: str
    demo_image: str


def merged(under: Any, over: Any) -> Any:
    """`over` laid on `under`: mappings key by key, anything else replaced."""
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        keys = {**under, **over}
        return {
            key: merged(under[key], over[key]) if key in under and key in over else keys[key]
            for key in keys
        }
    return copy.deepcopy(over)


def profiles() -> list[str]:
    """The names of all profiles."""
    return sorted(each.stem for each in PROFILES.glob("*.yaml"))


def _profile(profile: str | None) -> dict[str, Any]:
    if not profile:
        return {}
    path = PROFILES / f"{profile}.yaml"
    if not path.is_file():
        known = ", ".join(profiles()) or "none"
        raise UnknownProfile(f"there is no profile {profile}; profiles here: {known}")
    return dict(yaml.safe_load(path.read_text()) or {})


def profile_config(profile: str | None) -> dict[str, Any]:
    """The `config` a profile lays over the stack file; empty without one.

    Raises:
        UnknownProfile: no lab/profiles/PROFILE.yaml.
    """
    return dict(_profile(profile).get("config") or {})


def profile_software(profile: str | None) -> list[str]:
    """The items of the lab's software that a profile alone needs (its `software`), beside those
    that every lab needs. Raises as `profile_config` does."""
    return [str(name) for name in _profile(profile).get("software") or ()]


def _merged(profile: str | None) -> dict[str, Any]:
    document = yaml.safe_load((CHECKOUT / f"Pulumi.{NAME}.yaml").read_text())
    values: dict[str, Any] = merged(document["config"], profile_config(profile))
    return values


def _charts(path: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Every chart named below: where, its name and its version. Values of charts are left out."""
    if isinstance(value, Mapping):
        if isinstance(value.get("chart"), str):
            yield path, value["chart"], str(value.get("version"))
            return
        for key, each in value.items():
            yield from _charts(f"{path}.{key}", each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _charts(f"{path}[{index}]", each)


def refuse_unserved(profile: str | None = None) -> None:
    """Before anything is built: the lab has a registry of its own and reaches no other, so that it
    runs only the charts that it serves. A chart at a path on this machine is left to Helm.

    Raises:
        UnservedChart: the stack names another one, or another version of one.
        UnknownProfile: as `profile_config`.
    """
    platform = _merged(profile)[f"{NAMESPACE}platform"]
    served = ", ".join(f"{name} {version}" for name, version in CHARTS.items())
    wrong = [
        f"{path}: the lab cannot run {name} {version}; it serves {served}"
        for path, name, version in _charts("platform", platform)
        if not name.startswith((".", "/")) and CHARTS.get(name) != version
    ]
    if wrong:
        wrong.append(
            "next: name one of those here; charts that the lab does not serve are for other "
            "stacks, whose plan `make preview STACK=NAME` shows"
        )
        raise UnservedChart("\n".join(wrong))


def config(facts: Facts, profile: str | None = None) -> dict[str, Any]:
    """The lab stack's whole configuration: key to value, secrets not among them."""
    values = _merged(profile)
    values[f"{NAMESPACE}proxmox"]["image"]["sha256"] = facts.image_sha256
    software = values[f"{NAMESPACE}software"]
    repositories = [*software["repositories"]]
    repositories += [software["kubernetes_repository"], software["containerd_repository"]]
    for repository in repositories:
        repository["signed_by"] = facts.signing_key
    demo = values[f"{NAMESPACE}platform"]["demo"]
    for each in [*values.get(f"{NAMESPACE}services", []), demo]:
        if each.get("image") == demo["image"]:
            each["image"] = facts.demo_image
    return values


def settings(values: Mapping[str, Any], folder: Path) -> Stack:
    """The configuration as the program's own models; written to `folder` for later readers."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"Pulumi.{NAME}.yaml"
    path.write_text(yaml.safe_dump({"config": dict(values)}, sort_keys=False))
    return load_stack(path)
