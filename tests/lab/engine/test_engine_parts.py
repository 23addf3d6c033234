"""What the engine is made of, without an engine."""

from __future__ import annotations

import base64
import json
import stat
import sys
import types
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab.engine import checkpoint
from lab.engine import cli as command_line
from lab.engine.compare import difference, markdown
from lab.engine.errors import Diagnostic, EngineError, failure_text, plain
from lab.engine.program import fresh_modules
from lab.engine.secrets import Crypter, _key, passphrase_file
from lab.engine.workdir import WorkDir
from lab.plugins.wire import SECRET_SIGNATURE, SIGNATURE


def step(name: str, inputs: dict, kind: str = "command:remote:Command", **state):
    urn = f"urn:pulumi:dev::layered-cloud::{kind}::{name}"
    return {"op": "create", "urn": urn, "newState": {"type": kind, "inputs": inputs, **state}}


def test_the_difference_of_two_plans_names_what_came_went_and_changed():
    old = {"steps": [step("a", {"x": 1}), step("b", {"x": 1}), step("c", {"f": "1\n2\n3\n"})]}
    new = {"steps": [step("a", {"x": 1}), step("c", {"f": "1\ntwo\n3\n"}), step("d", {})]}
    found = difference(old, new)
    assert [each.name for each in found.added] == ["d"]
    assert [each.name for each in found.removed] == ["b"]
    assert found.same == 1
    text = markdown(found, stack="prod", base="main")
    assert "**1 added, 1 removed, 1 changed**, 1 unchanged" in text
    assert "- `b` (command:remote:Command)" in text
    assert "@@ f @@" in text
    assert "\n-2\n+two\n" in text
    (changed,) = found.as_json()["changed"].values()
    assert changed == [{"path": "f", "old": "1\n2\n3\n", "new": "1\ntwo\n3\n"}]


def test_a_change_of_options_is_a_change_and_a_providers_new_id_is_none():
    provider = "urn:pulumi:dev::p::pulumi:providers:command::default::"
    old = {"steps": [step("a", {}, provider=f"{provider}1"), step("b", {}, protect=True)]}
    new = {"steps": [step("a", {}, provider=f"{provider}2"), step("b", {})]}
    found = difference(old, new)
    assert {found.names[urn].name for urn in found.changed} == {"b"}
    assert [change.path for change in next(iter(found.changed.values()))] == ["options.protect"]


def test_equal_plans_say_so():
    plan = {"steps": [step("a", {"x": [1, {"y": None}]})]}
    found = difference(plan, plan)
    assert found.empty
    assert markdown(found, stack="dev", base="HEAD").endswith(
        "Both revisions declare the same resources."
    )


def test_failures_come_in_their_own_words_each_once_without_the_engines_echo():
    urn = "urn:pulumi:lab::p::layered-cloud:host:Configuration$command:remote:Command::lb-a-base"
    diagnostics = [
        Diagnostic("info", "fine"),
        Diagnostic("error", "<{%reset%}>parsing [x.cfg:3]: unknown keyword<{%reset%}>\n", urn),
        Diagnostic("error", "parsing [x.cfg:3]: unknown keyword", urn),
        Diagnostic("error", "update failed", "urn:pulumi:lab::p::pulumi:pulumi:Stack::p-lab"),
    ]
    assert failure_text(diagnostics, "code 255") == (
        "parsing [x.cfg:3]: unknown keyword\n  in lb-a-base (command:remote:Command)"
    )
    assert failure_text([], "code 255") == "code 255"
    assert plain("<{%fg 1%}>red<{%reset%}>") == "red"


def test_a_failed_commands_own_words_stand_before_the_command():
    text = (
        'Process exited with status 1: running "sh -c \\"x\\"":\n'
        "[ALERT] parsing [haproxy.cfg:3]: unknown keyword\nnext: fix the template\n"
    )
    assert failure_text([Diagnostic("error", text, "")], "") == (
        "[ALERT] parsing [haproxy.cfg:3]: unknown keyword\nnext: fix the template\n"
        '  (Process exited with status 1: "sh -c \\"x\\"")'
    )
    silent = 'Process exited with status 1: running "false":\n'
    assert failure_text([Diagnostic("error", silent, "")], "") == silent.strip()


def test_a_ciphertext_opens_with_the_passphrase_as_pulumi_opens_it(tmp_path):
    path = passphrase_file(tmp_path / "passphrase")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert passphrase_file(path).read_text() == path.read_text()
    salt = b"12345678"
    crypter = Crypter(path.read_text(), salt)
    version, nonce, sealed = crypter.encrypt("hush").split(":")
    key = AESGCM(_key(path.read_text(), salt))
    opened = key.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
    assert (version, opened) == ("v1", b"hush")
    assert crypter.opens(crypter.salt_text())
    assert not Crypter(path.read_text(), b"87654321").opens(crypter.salt_text())


def test_outputs_are_read_from_the_state_itself_and_secrets_within_are_opened(tmp_path):
    work = WorkDir(base=tmp_path, stack="lab")
    assert (checkpoint.outputs(work), checkpoint.opened(work, {})) == ({}, {})
    crypter = Crypter(passphrase_file(work.passphrase).read_text(), b"12345678")

    def sealed(value: object) -> dict[str, str]:
        return {SIGNATURE: SECRET_SIGNATURE, "ciphertext": crypter.encrypt(json.dumps(value))}

    lying = {"plain": ["a"], "key": sealed("hush"), "within": {"list": [1, sealed({"deep": 2})]}}
    latest = {
        "secrets_providers": {"type": "passphrase", "state": {"salt": crypter.salt_text()}},
        "resources": [{"urn": "u", "type": "pulumi:pulumi:Stack", "outputs": lying}],
    }
    path = work.backend / ".pulumi" / "stacks" / "layered-cloud" / "lab.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    found = checkpoint.outputs(work)
    assert {name for name, each in found.items() if checkpoint.holds_secret(each)} == {
        "key",
        "within",
    }
    assert checkpoint.opened(work, found) == {
        "plain": ["a"],
        "key": "hush",
        "within": {"list": [1, {"deep": 2}]},
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: layered-cloud\nruntime: python\n")
    (tmp_path / "Pulumi.lab.yaml").write_text(
        "config:\n  layered-cloud:networks:\n    lan: 198.18.10.0/24\n  layered-cloud:a: b\n"
    )
    return tmp_path


def test_the_stack_file_is_copied_with_values_laid_over_and_the_tree_stays_as_it_was(
    tree, tmp_path
):
    before = {path: path.read_text() for path in tree.glob("*.yaml")}
    work = WorkDir(base=tmp_path / "engine", stack="lab")
    work.prepare(tree, config={"layered-cloud:a": {"deep": 1}}, secrets={"layered-cloud:s": "hush"})
    written = yaml.safe_load((work.path / "Pulumi.lab.yaml").read_text())
    assert written["config"]["layered-cloud:networks"] == {"lan": "198.18.10.0/24"}
    assert written["config"]["layered-cloud:a"] == {"deep": 1}
    assert written["config"]["layered-cloud:s"]["secure"].startswith("v1:")
    assert "hush" not in (work.path / "Pulumi.lab.yaml").read_text()
    assert {path: path.read_text() for path in tree.glob("*.yaml")} == before
    salt = written["encryptionsalt"].split(":")[1]
    work.prepare(tree)
    again = yaml.safe_load((work.path / "Pulumi.lab.yaml").read_text())
    assert again["encryptionsalt"].split(":")[1] == salt
    assert "layered-cloud:s" not in again["config"]


def test_what_is_thrown_away_has_one_key_and_what_lasts_its_own(tree, tmp_path):
    def key_of(name: str, throw_away: bool) -> tuple[str, bytes]:
        work = WorkDir(base=tmp_path / name, stack="lab", throw_away=throw_away)
        work.prepare(tree)
        return work.passphrase.read_text(), (work.path / "salt").read_bytes()

    assert key_of("one", True) == key_of("other", True)
    lasting = [key_of("first", False), key_of("second", False), key_of("one", True)]
    for part in (0, 1):
        assert len({each[part] for each in lasting}) == 3


def test_secrets_of_another_passphrase_are_refused_for_up_and_left_out_of_a_plan(tree, tmp_path):
    foreign = (
        "encryptionsalt: v1:AAAAAAAAAAA=:v1:x:y\nconfig:\n  layered-cloud:t:\n    secure: v1:a:b\n"
    )
    (tree / "Pulumi.prod.yaml").write_text(foreign)
    work = WorkDir(base=tmp_path / "engine", stack="prod")
    with pytest.raises(EngineError, match=r"another passphrase locks \(layered-cloud:t\)"):
        work.prepare(tree)
    work.prepare(tree, keep_ciphertext=False)
    assert yaml.safe_load((work.path / "Pulumi.prod.yaml").read_text())["config"] == {}


def test_a_stack_that_is_not_there_is_named_with_those_that_are(tree, tmp_path):
    with pytest.raises(EngineError, match=r"Pulumi.x.yaml is missing; stacks here: lab"):
        WorkDir(base=tmp_path / "engine", stack="x").prepare(tree)


def test_an_old_command_line_on_path_is_passed_over(tmp_path, monkeypatch):
    def put(version: str) -> None:
        script = tmp_path / "pulumi"
        script.write_text(f"#!/bin/sh\necho v{version}\n")
        script.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "cache"))
    put("3.100.0")
    assert command_line.find_cli() is None
    put("3.270.1")
    found = command_line.find_cli()
    assert found is not None
    assert (found.version, found.path) == ("3.270.1", tmp_path / "pulumi")
    assert (found.root / "bin" / "pulumi").resolve() == tmp_path / "pulumi"


def test_the_programs_modules_are_fresh_inside_and_back_as_they_were_outside(tmp_path, monkeypatch):
    for tree, word in (("one", "first"), ("two", "second")):
        package = tmp_path / tree / "programpart"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"WORD = {word!r}\n")
    standing = types.ModuleType("programpart")
    standing.__file__ = str(tmp_path / "one" / "programpart" / "__init__.py")
    monkeypatch.setitem(sys.modules, "programpart", standing)
    seen = []
    for tree in ("one", "two"):
        with fresh_modules(tmp_path / tree):
            import programpart  # type: ignore[import-not-found]

            seen.append(programpart.WORD)
        del programpart
        if tree == "one":
            assert sys.modules["programpart"] is standing
    assert seen == ["first", "second"]
    assert str(tmp_path / "two") not in sys.path
