"""`python -m settings`: no engine, one line an error, exit status for pre-commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings.__main__ import main
from tests.settings.fixtures import BASE

ROOT = Path(__file__).parent.parent.parent


def write(directory: Path, old: str = "", new: str = "") -> Path:
    path = directory / "Pulumi.mine.yaml"
    path.write_text(BASE.read_text("utf-8").replace(old, new) if old else BASE.read_text("utf-8"))
    return path


def test_a_sound_stack_passes_and_says_what_up_still_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        f"{path}: warning: layered-cloud:proxmoxApiToken: is not set (the Proxmox API token, "
        "USER@REALM!NAME=UUID); run: pulumi config set --secret layered-cloud:proxmoxApiToken "
        "-s mine (needed before `pulumi up`)",
        f"{path}: warning: layered-cloud:proxmoxSshKey: is not set (the private SSH key that "
        "uploads snippets to the Proxmox hosts); run: pulumi config set --secret "
        "layered-cloud:proxmoxSshKey -s mine < FILE (needed before `pulumi up`)",
        f"{path}: warning: layered-cloud:cloudflareApiToken: is not set (the Cloudflare API token "
        "for the zone); run: pulumi config set --secret layered-cloud:cloudflareApiToken -s mine "
        "(needed before `pulumi up`)",
    ]


def test_every_error_of_every_file_is_one_line_and_the_status_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "vrid: 71", "vrid: 62")
    assert main(["check", str(BASE), str(path), str(tmp_path / "absent.yaml")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: layered-cloud:balancers.vips[0].vrid: 62 is the VRID of the routers' VIP edge "
        "on lan already (routers.vips[0].lan_vrid); give the balancers' VIP front a VRID of its "
        "own (1 to 255)",
        f"{tmp_path / 'absent.yaml'}: cannot be read: No such file or directory; name a stack file",
    ]


def test_a_blank_checksum_and_a_missing_repository_key_are_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path, "6f1ed002ab5595859014ebf0951522d96f1ed002ab5595859014ebf0951522d9", "0" * 64
    )
    assert main(["check", str(path)]) == 0
    assert (
        f"{path}: warning: layered-cloud:proxmox.image.sha256: is all zeros, a blank to fill in; "
        "write the image's checksum: download https://images.lab.test/debian-12.qcow2, compare it "
        "with the publisher's own sums beside it, then: sha256sum debian-12.qcow2 "
        "(needed before `pulumi up`)"
    ) in capsys.readouterr().err.splitlines()


def test_warnings_are_told_and_are_errors_when_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "suites: [bookworm]", "suites: [trixie]")
    line = (
        "layered-cloud:software.repositories[0].suites[0]: trixie is another release than the "
        "image's (debian-12.qcow2: bookworm); write bookworm"
    )
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[0] == f"{path}: warning: {line}"
    assert main(["check", "--strict", str(path)]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == f"{path}: {line}"
    assert "is not set" in told.out.splitlines()[1]
    assert told.err == ""


def test_documentation_addresses_are_blanks_outside_of_tests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text("utf-8")
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(text)
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr().err
    for key in ("networks.wan.cidr", "networks.wan.gateway", "routers.vips[0].wan[0]"):
        assert f"layered-cloud:{key}: 203.0.113." in told
    path.write_text(text.replace("example.org", "prod.test"))
    assert main(["check", str(path)]) == 0
    assert "RFC 5737" not in capsys.readouterr().err


def test_a_terminal_without_unicode_is_no_reason_to_fail(tmp_path: Path) -> None:
    path = write(tmp_path, "name: edge", "name: \u0435dge")
    ran = subprocess.run(
        [sys.executable, "-B", "-m", "settings", "check", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "U+0435 CYRILLIC SMALL LETTER IE, which looks like e" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_text_that_is_not_utf8_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Pulumi.mine.yaml"
    path.write_bytes(b"config: \xff\xfe\n")
    assert main(["check", str(path)]) == 1
    assert capsys.readouterr().out == (
        f"{path}: line 1: is not UTF-8 text: byte 0xff; save the file as UTF-8\n"
    )


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A stack of layered-cloud"


def test_the_tables_are_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables"]) == 0
    assert capsys.readouterr().out.startswith("## layered-cloud:environment\n")


def test_a_file_that_is_no_stack_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Pulumi.mine.yaml"
    path.write_text("config: [\n")
    assert main(["check", str(path)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{path}: line 2, column 1: not YAML: ")
    assert told.count("\n") == 1


def test_without_a_command_the_usage_is_shown() -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_the_command_never_imports_the_engine() -> None:
    code = (
        "import sys; sys.argv = ['settings', 'check', sys.argv[1]]\n"
        "import settings.__main__ as m\n"
        "status = m.main()\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'pulumi']\n"
        "sys.exit(status)"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, str(BASE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
