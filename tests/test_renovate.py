"""renovate.json finds every chart that is pinned here, and is written as Renovate documents it.

Renovate itself cannot be run here. Its regular expressions are RE2's with the names of groups as
JavaScript writes them, matched against a whole file (docs.renovatebot.com, "Custom Manager Support
using Regex"); Python's say the same of what both know, so that they are run translated.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from settings.checks.cluster import MINORS
from settings.models.mesh import MESH_KINDS
from settings.pinned import CHARTS, CONTAINERD, KUBERNETES, minor
from tests.settings.test_pinned import charts_of, stack_in

ROOT = Path(__file__).parent.parent
CONFIG: Mapping[str, Any] = json.loads((ROOT / "renovate.json").read_text("utf-8"))
STACKS = ("Pulumi.dev.yaml", "Pulumi.lab.yaml", "Pulumi.prod.yaml")
TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
TEXT = {"type": "string", "minLength": 1}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://docs.renovatebot.com/renovate-schema.json"},
        "description": TEXT,
        "extends": TEXTS,
        "enabledManagers": TEXTS,
        "ignorePaths": {"type": "array", "items": TEXT},
        "pip_requirements": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"managerFilePatterns": TEXTS},
        },
        "customManagers": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["customType", "managerFilePatterns", "matchStrings"],
                "properties": {
                    "customType": {"const": "regex"},
                    "description": TEXT,
                    "managerFilePatterns": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "pattern": "^/.+/$"},
                    },
                    "matchStrings": TEXTS,
                    "depNameTemplate": TEXT,
                    "packageNameTemplate": TEXT,
                    "datasourceTemplate": {"enum": ["helm", "docker", "github-releases", "deb"]},
                    "registryUrlTemplate": TEXT,
                    "extractVersionTemplate": TEXT,
                    "versioningTemplate": {"enum": ["loose", "deb"]},
                },
            },
        },
        "packageRules": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 2,
                "properties": {
                    "description": TEXT,
                    "matchManagers": TEXTS,
                    "matchDatasources": TEXTS,
                    "matchDepNames": TEXTS,
                    "matchFileNames": TEXTS,
                    "groupName": TEXT,
                    "allowedVersions": {"type": "string", "pattern": "^/.+/$"},
                    "separateMinorPatch": {"type": "boolean"},
                    "separateMultipleMinor": {"type": "boolean"},
                    "enabled": {"type": "boolean"},
                },
            },
        },
    },
}
"""What of Renovate's options is used here, and the type of each (docs.renovatebot.com:
"Configuration Options"; "Custom Manager Support using Regex" for the fields of a manager;
"Datasources" and "Versioning" for the words)."""

FIELDS = frozenset(
    ("depName", "packageName", "currentValue", "currentDigest", "datasource", "versioning")
) | {"extractVersion", "registryUrl", "depType", "indentation"}
"""The groups that Renovate reads ("Custom Manager Support using Regex"); templates read any."""


def translated(pattern: str) -> re.Pattern[str]:
    """A JavaScript regular expression as Python's: only named groups are written otherwise."""
    return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One dependency that Renovate would see in a file."""

    file: str
    datasource: str
    name: str
    value: str
    registry: str | None
    group: str | None


def files() -> list[str]:
    """What is in the repository, by the paths that patterns are held against."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(path for path in told.stdout.splitlines() if (ROOT / path).is_file())


def matches_path(patterns: list[str], path: str) -> bool:
    return any(translated(each[1:-1]).search(path) for each in patterns)


def filled(template: str | None, groups: Mapping[str, str]) -> str | None:
    if template is None:
        return None
    return re.sub(r"\{\{\{(\w+)\}\}\}", lambda it: groups[it[1]], template)


def in_text(manager: Mapping[str, Any], path: str, text: str) -> Iterator[Found]:
    """What a manager finds, as Renovate's strategy `any` does: every match of every expression."""
    for each in manager["matchStrings"]:
        for match in translated(each).finditer(text):
            groups = {name: value for name, value in match.groupdict().items() if value}
            name = filled(manager.get("depNameTemplate"), groups) or groups["depName"]
            registry = filled(manager.get("registryUrlTemplate"), groups)
            yield Found(
                file=path,
                datasource=manager["datasourceTemplate"],
                name=name,
                value=groups["currentValue"],
                registry=registry or groups.get("registryUrl"),
                group=group_of(manager["datasourceTemplate"], name),
            )


def group_of(datasource: str, name: str) -> str | None:
    """Of the rules that fit, the last one's word counts ("packageRules")."""
    said = None
    for rule in CONFIG["packageRules"]:
        fits = datasource in rule.get("matchDatasources", [datasource])
        if fits and name in rule.get("matchDepNames", [name]) and "matchFileNames" not in rule:
            said = filled(rule.get("groupName"), {"depName": name}) or said
    return said


def everything() -> list[Found]:
    return [
        found
        for manager in CONFIG["customManagers"]
        for path in files()
        if matches_path(manager["managerFilePatterns"], path)
        for found in in_text(manager, path, (ROOT / path).read_text("utf-8"))
    ]


@pytest.fixture(scope="module")
def all_found() -> list[Found]:
    return everything()


def charts(found: list[Found], path: str) -> Counter[tuple[str, str | None, str]]:
    return Counter(
        (each.name, each.registry, each.value)
        for each in found
        if each.file == path and each.datasource in ("helm", "docker")
    )


def test_it_is_written_as_documented() -> None:
    jsonschema.validate(CONFIG, SCHEMA)
    for rule in CONFIG["packageRules"]:
        selectors = {key for key in rule if key.startswith("match")}
        assert selectors, rule
        assert set(rule) - selectors - {"description"}, rule


def test_only_managers_that_are_switched_on_have_rules_and_files() -> None:
    on = set(CONFIG["enabledManagers"])
    assert on == {"custom.regex", "github-actions", "pip_requirements"}
    for rule in CONFIG["packageRules"]:
        assert set(rule.get("matchManagers", [])) <= on


@pytest.mark.parametrize("manager", CONFIG["customManagers"], ids=lambda it: it["description"])
def test_a_manager_names_what_renovate_must_know(manager: Mapping[str, Any]) -> None:
    for each in manager["matchStrings"]:
        groups = set(translated(each).groupindex)
        assert "currentValue" in groups
        assert "depName" in groups or "depNameTemplate" in manager
        told = " ".join(str(value) for key, value in manager.items() if key.endswith("Template"))
        for own in groups - FIELDS:
            assert f"{{{{{{{own}}}}}}}" in told, f"{own} is read by nobody"
        if manager["datasourceTemplate"] == "helm":
            assert "registryUrl" in groups


@pytest.mark.parametrize("manager", CONFIG["customManagers"], ids=lambda it: it["description"])
def test_re2_knows_all_that_is_asked_of_it(manager: Mapping[str, Any]) -> None:
    """RE2 has neither look-around nor back-references; `^` and `$` are the file's own ends."""
    for each in manager["matchStrings"]:
        assert not re.search(r"\(\?(=|!|<=|<!)|\\[1-9]|\\k<", each)
        assert not re.search(r"(?<![\[\\])[\^$]", each)


@pytest.mark.parametrize("manager", CONFIG["customManagers"], ids=lambda it: it["description"])
def test_every_pattern_and_expression_finds_something(manager: Mapping[str, Any]) -> None:
    for pattern in manager["managerFilePatterns"]:
        assert any(matches_path([pattern], path) for path in files()), pattern
    reached = [path for path in files() if matches_path(manager["managerFilePatterns"], path)]
    for each in manager["matchStrings"]:
        one = {**manager, "matchStrings": [each]}
        texts = ((path, (ROOT / path).read_text("utf-8")) for path in reached)
        assert any(list(in_text(one, path, text)) for path, text in texts), each


@pytest.mark.parametrize("name", STACKS)
def test_every_chart_of_a_shipped_stack_is_found(name: str, all_found: list[Found]) -> None:
    stack = stack_in((ROOT / name).read_text("utf-8"), name)
    wanted = Counter((each.chart, each.repository, each.version) for each in charts_of(stack))
    assert wanted.total() == 3
    assert charts(all_found, name) == wanted


def test_every_chart_that_a_new_stack_is_written_with_is_found(all_found: list[Found]) -> None:
    wanted = Counter((each.chart, each.repository, each.version) for each in CHARTS.values())
    assert charts(all_found, "settings/pinned.py") == wanted


def test_every_chart_that_init_has_written_is_found(all_found: list[Found]) -> None:
    made = [path for path in files() if path.startswith("tests/golden/init/")]
    assert len(made) > 1
    for path in made:
        stack = stack_in((ROOT / path).read_text("utf-8"), path)
        wanted = Counter((each.chart, each.repository, each.version) for each in charts_of(stack))
        assert charts(all_found, path) == wanted, path


def test_every_version_of_a_chart_on_a_page_is_found_and_the_same(all_found: list[Found]) -> None:
    for path in (path for path in files() if re.fullmatch(r"docs/[^/]+\.md", path)):
        text = (ROOT / path).read_text("utf-8")
        blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
        wanted = Counter(
            (name.removeprefix("oci://"), repository, version)
            for block in blocks
            for name, repository, version in pinned_in(yaml.safe_load(block))
        )
        assert charts(all_found, path) == wanted, path
        for name, repository, version in wanted:
            if name in CHARTS:
                known = CHARTS[name]
                assert (repository, version) == (known.repository, known.version), path


def pinned_in(value: Any) -> Iterator[tuple[str, str | None, str]]:
    """Every chart with a version, in a document as YAML reads it."""
    if isinstance(value, list):
        for each in value:
            yield from pinned_in(each)
    if isinstance(value, dict):
        version = str(value.get("version", ""))
        if isinstance(value.get("chart"), str) and version[:1].isdigit():
            yield value["chart"], value.get("repository"), version
        for each in value.values():
            yield from pinned_in(each)


WRITTEN = """\
a: { chart: one, repository: https://charts.example.org/x, version: 1.2.3 }
b: {chart: "two", repository: 'https://charts.example.org', version: "v1.2.3-rc.1", values: {}}
c: { chart: three, version: 1.2.3+lab, repository: "http://198.18.0.4/charts" }
d:
  chart: four
  repository: https://charts.example.org
  version: 0.9.0
  values: { a: 1 }
e: { chart: "oci://registry.example.org/charts/five", version: 5.0.0 }
f:
  chart: oci://registry.example.org/charts/six
  version: 6.0.0
g: { chart: seven, repository: https://charts.example.org, version: … }
h: { chart: ./charts/eight, version: 8.0.0 }
"""


def test_a_chart_is_found_however_it_is_written() -> None:
    found = [each for it in CONFIG["customManagers"] for each in in_text(it, "x", WRITTEN)]
    of = "https://charts.example.org"
    assert Counter((each.name, each.registry, each.value) for each in found) == Counter(
        [
            ("one", f"{of}/x", "1.2.3"),
            ("two", of, "v1.2.3-rc.1"),
            ("three", "http://198.18.0.4/charts", "1.2.3+lab"),
            ("four", of, "0.9.0"),
            ("registry.example.org/charts/five", None, "5.0.0"),
            ("registry.example.org/charts/six", None, "6.0.0"),
        ]
    )


def test_a_chart_moves_everywhere_at_once(all_found: list[Found]) -> None:
    """One group a chart: its pull request has every file that names it."""
    for name in ("cilium", "metallb", "traefik"):
        found = [each for each in all_found if each.name == name]
        assert {each.group for each in found} == {f"chart {name}"}
        assert {"Pulumi.dev.yaml", "Pulumi.prod.yaml", "settings/pinned.py"} <= {
            each.file for each in found
        }
    for kind, traits in MESH_KINDS.items():
        groups = {group_of("helm", chart) for chart in traits.charts.values()}
        assert groups == {f"charts of {kind.capitalize()}"}


def test_what_the_lab_builds_is_left_alone() -> None:
    off = [rule for rule in CONFIG["packageRules"] if rule.get("enabled") is False]
    assert [rule["matchFileNames"] for rule in off] == [["Pulumi.lab.yaml"]]


@pytest.mark.parametrize("path", ["Pulumi.dev.yaml", "Pulumi.prod.yaml"])
def test_kubernetes_and_its_repository_move_together(path: str, all_found: list[Found]) -> None:
    here = [each for each in all_found if each.file == path and each.name == "kubernetes"]
    assert sorted(each.value for each in here) == [minor(KUBERNETES), KUBERNETES]
    assert {each.group for each in here} == {"Kubernetes"}
    [one] = [each for each in all_found if (each.file, each.name) == (path, "containerd.io")]
    assert one.value == CONTAINERD
    assert one.registry == (
        "https://download.docker.com/linux/debian?suite=bookworm&components=stable&binaryArch=amd64"
    )


def test_a_release_is_read_as_the_line_has_it() -> None:
    """`extractVersion`: what of a release's name is its version; others are passed over."""
    whole, short = (
        translated(each["extractVersionTemplate"])
        for each in CONFIG["customManagers"]
        if each.get("depNameTemplate") == "kubernetes"
    )
    for pattern, version in ((whole, "1.37.2"), (short, "1.37")):
        match = pattern.search("v1.37.2")
        assert match is not None
        assert match["version"] == version
        assert pattern.search("v1.37.0-rc.1") is None


def test_no_minor_is_proposed_that_the_settings_refuse() -> None:
    (rule,) = (each for each in CONFIG["packageRules"] if "allowedVersions" in each)
    assert rule["matchDepNames"] == ["kubernetes"]
    allowed = translated(rule["allowedVersions"][1:-1])
    minors = {f"1.{number}" for number in range(1, 100)}
    for version in ("{}", "{}.0", "{}.12"):
        assert {each for each in minors if allowed.search(version.format(each))} == set(MINORS)


def test_new_stacks_pins_of_the_cluster_are_found(all_found: list[Found]) -> None:
    here = {
        each.name: each.value
        for each in all_found
        if each.file == "settings/pinned.py" and each.datasource != "helm"
    }
    assert here == {"kubernetes": KUBERNETES, "containerd.io": CONTAINERD}


def test_every_list_of_python_packages_is_read() -> None:
    """Those whose names Renovate knows by itself ("pip_requirements"), and what is named here."""
    by_itself = r"/(^|/)[\w-]*requirements([-._]\w+)?\.(txt|pip)$/"
    patterns = [by_itself, *CONFIG["pip_requirements"]["managerFilePatterns"]]
    pinning = [
        path
        for path in files()
        if path.endswith(".txt")
        and "/" not in path
        and re.search(r"^[A-Za-z][\w.-]*==\d", (ROOT / path).read_text("utf-8"), re.M)
    ]
    assert set(pinning) == {"constraints.txt", "requirements-lab.txt", "requirements.txt"}
    assert all(matches_path(patterns, path) for path in pinning)


def test_actions_are_pinned_by_digest() -> None:
    assert "helpers:pinGitHubActionDigests" in CONFIG["extends"]
