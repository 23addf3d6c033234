"""`python -m settings init`: a file that passes at once, or nothing."""

from __future__ import annotations

import argparse
import io
import itertools
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from settings.__main__ import main
from settings.checks import pending
from settings.files import examine, load_stack, read_config
from settings.init import command as command_of_init
from settings.init.command import answers
from settings.init.questions import QUESTIONS
from settings.keys import command, required_secrets
from settings.models.stack import Stack

ROOT = Path(__file__).parent.parent.parent
ANSWERS = {
    "endpoint": "https://pve.corp.test:8006/",
    "hosts": "pve1=10.20.0.2,pve2=10.20.0.3,pve3=10.20.0.4",
    "wan": "198.18.3.0/28",
    "gateway": "198.18.3.1",
    "public-vip": "198.18.3.10",
    "names": "www.corp.test,*.corp.test",
}


def flags(**given: str) -> list[str]:
    answers = {**ANSWERS, **{name.replace("_", "-"): each for name, each in given.items()}}
    return [f"--{name}={each}" for name, each in answers.items()]


def run(name: str, *arguments: str) -> int:
    return main(["init", name, *arguments])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(path: Path) -> Stack:
    """The stack in a written file, of which the settings have nothing to say."""
    found = examine(read_config(path.read_text("utf-8"), path.name))
    assert (found.problems, found.warnings) == ([], [])
    assert found.stack is not None
    return found.stack


def test_a_stack_from_flags_is_accepted_at_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("mine", *flags()) == 0
    told = capsys.readouterr().out
    path = here / "Pulumi.mine.yaml"
    assert stat.S_ISREG(path.stat().st_mode)
    stack = checked(path)
    assert load_stack(path) == stack
    assert stack.environment == "mine"
    for each in required_secrets(stack):
        assert f"  {command(each, 'mine')}\n" in told
    blanks = [each.key for each in pending(stack)]
    assert blanks == [
        "layered-cloud:proxmox.image.sha256",
        "layered-cloud:software.kubernetes_repository.signed_by",
        "layered-cloud:software.containerd_repository.signed_by",
    ]
    for blank in pending(stack):
        assert f"  {blank}\n" in told
    assert main(["check", str(path)]) == 0


def test_the_file_has_the_mode_that_the_user_gives_files(here: Path) -> None:
    before = os.umask(0o027)
    try:
        assert run("mine", *flags()) == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((here / "Pulumi.mine.yaml").stat().st_mode) == 0o640


HOSTS = {1: "pve=10.20.0.2", 2: "a=10.20.0.2,b=10.20.0.3", 3: ANSWERS["hosts"]}
MATRIX = list(
    itertools.product(
        (1, 2, 3), ("yes", "no"), ("1", "3"), ("0", "1", "3", "12"), ("cloudflare", "none")
    )
)


@pytest.mark.parametrize("choice", MATRIX, ids=str)
def test_every_sound_choice_is_accepted(here: Path, choice: tuple[int, str, str, str, str]) -> None:
    hosts, pairs, planes, workers, cdn = choice
    given = flags(hosts=HOSTS[hosts], pairs=pairs, control_planes=planes, workers=workers, cdn=cdn)
    assert run("mine", *given) == 0
    stack = checked(here / "Pulumi.mine.yaml")
    both = 2 if pairs == "yes" else 1
    assert (len(stack.routers.machines), len(stack.balancers.machines)) == (both, both)
    assert len(stack.cluster.control_planes) == int(planes)
    assert len(stack.cluster.workers) == int(workers)
    assert (stack.networks.sync is not None) == (pairs == "yes")
    assert stack.cdn.kind == cdn
    assert stack.cdn.zone == ("corp.test" if cdn == "cloudflare" else None)
    assert ("tlsKey" in required_secrets(stack)) == (cdn == "none")


@pytest.mark.parametrize(
    "given",
    [
        {"lan": "10.20.10.0/26"},
        {"lan": "10.20.16.0/20", "management": "10.20.0.0/23", "sync": "10.20.8.0/29"},
        {"lan": "172.16.5.0/24", "lan-bridge": "vmbr1:10", "sync-bridge": "vmbr1:20"},
        {"wan": "198.18.3.0/29", "public-vip": "198.18.3.2"},
        {"ntp": "-", "resolvers": "198.18.9.53"},
        {"domain": "corp.test", "first-vm-id": "90001"},
        {"hosts": "a=10.20.0.11,b=10.20.0.10,c=10.20.0.21"},
    ],
)
def test_other_networks_are_filled_without_a_collision(here: Path, given: dict[str, str]) -> None:
    assert run("mine", *flags(**given)) == 0
    checked(here / "Pulumi.mine.yaml")


REFUSED = [
    (
        {"endpoint": "http://pve.corp.test:8006/"},
        ["layered-cloud:proxmox.endpoint: http://pve.corp.test:8006/ is not https://"],
    ),
    (
        {"gateway": "198.18.4.1"},
        ["layered-cloud:networks.wan.gateway: 198.18.4.1 is outside networks.wan"],
    ),
    ({"wan": "198.18.3.1/28"}, ["layered-cloud:networks.wan.cidr: 198.18.3.1/28 has host bits"]),
    ({"public-vip": "198.18.9.9"}, ["layered-cloud:routers.vips[0].wan[0]: 198.18.9.9 "]),
    ({"hosts": "pve1"}, ["--hosts: pve1 names no address; write each as NAME=ADDRESS"]),
    ({"pairs": "maybe"}, ["--pairs: maybe is no choice; write yes or no"]),
    (
        {"cdn": "akamai"},
        ["--cdn: akamai is no choice; write cloudflare, listed, fastly or none"],
    ),
    ({"workers": "many"}, ["--workers: many is no number; write digits"]),
    ({"workers": "9999"}, ["--workers: 9999 is too many; write 100 at most"]),
    ({"control-planes": "2"}, ["layered-cloud:cluster.control_planes: "]),
    ({"lan": "10.20.10.0/29"}, ["layered-cloud:networks.lan.cidr: has too few addresses"]),
    ({"lan-bridge": "vmbr1:x"}, ['layered-cloud:networks.lan.vlan: "x" is not a whole number']),
    ({"resolvers": "dns"}, ["layered-cloud:networks.resolvers[0]: dns is not an IPv4 address"]),
    ({"names": "www"}, ["layered-cloud:balancers.certificate.names[0]: www is not a host name"]),
    ({"zone": "other.test"}, ["layered-cloud:cdn.records[0]: www.corp.test "]),
    ({"pods": "10.20.0.0/16"}, ["layered-cloud:networks."]),
    ({"lan": "10.20.10.0/31"}, ["layered-cloud:networks.lan.cidr: has too few addresses"]),
    (
        {"sync": "10.20.20.0/30", "hosts": "a=10.20.20.1,b=10.20.0.3"},
        ["layered-cloud:networks.sync.cidr: has too few addresses"],
    ),
]


@pytest.mark.parametrize(("given", "lines"), REFUSED, ids=lambda each: str(each)[:40])
def test_a_wrong_answer_is_refused_and_nothing_written(
    here: Path, given: dict[str, str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("mine", *flags(**given)) == 1
    told = capsys.readouterr()
    for each in lines:
        assert any(line.startswith(each) for line in told.out.splitlines()), told.out
    assert told.err == "nothing was written\n"
    assert list(here.iterdir()) == []


def test_all_that_is_wrong_is_told_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = flags(endpoint="pve", gateway="198.18.4.1", names="www", workers="many")
    assert run("mine", *wrong) == 1
    told = capsys.readouterr().out
    for key in ("--workers", "proxmox.endpoint", "networks.wan.gateway", "certificate.names[0]"):
        assert key in told
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["Prod", "../prod", "a b", "x: y"])
def test_a_name_that_is_none_is_refused(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, *flags()) == 1
    assert "layered-cloud:environment: " in capsys.readouterr().out
    assert list(here.iterdir()) == []


def test_a_file_that_is_there_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = here / "Pulumi.mine.yaml"
    path.write_text("mine")
    assert run("mine", *flags()) == 1
    assert capsys.readouterr().out == (
        "Pulumi.mine.yaml: is there already; choose another name, or move it away\n"
    )
    assert path.read_text() == "mine"


def test_a_link_that_leads_nowhere_is_not_followed(here: Path) -> None:
    (here / "Pulumi.mine.yaml").symlink_to(here / "elsewhere")
    assert run("mine", *flags()) == 1
    assert not (here / "elsewhere").exists()


def test_a_script_that_leaves_answers_out_is_told_which(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("mine", "--endpoint=https://pve.corp.test:8006/", "--wan=198.18.3.0/28") == 2
    assert capsys.readouterr().err == (
        "no answer to --hosts, --gateway, --public-vip, --names; nobody is there to ask, so give "
        "each as a flag\n"
    )
    assert list(here.iterdir()) == []


def on_a_terminal(folder: Path, typed: str, *arguments: str) -> tuple[int, str]:
    """Exit status and everything on the terminal of `init mine`, where somebody types."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-B", "-m", "settings", "init", "mine", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    ) as process:
        os.close(end)
        os.write(terminal, typed.encode())
        seen = b""
        try:
            while piece := os.read(terminal, 4096):
                seen += piece
        except OSError:
            pass  # EIO: the other end was closed
        status = process.wait(timeout=60)
    os.close(terminal)
    return status, seen.decode()


def test_questions_are_asked_on_a_terminal(here: Path) -> None:
    applied = answers(ANSWERS)
    typed = "".join(f"{ANSWERS.get(each, '')}\n" for each in applied)
    status, seen = on_a_terminal(here, typed)
    assert status == 0, seen
    for each in QUESTIONS:
        assert (each.text in seen) == (each.name in applied or "its bridge" in each.text)
    assert "routers and balancers in pairs, on different hosts (yes or no) [yes]: " in seen
    stack = checked(here / "Pulumi.mine.yaml")
    assert len(stack.cluster.workers) == 3


def test_what_a_flag_says_is_not_asked(here: Path) -> None:
    rest = len([each for each in QUESTIONS if each.name not in ANSWERS]) - 2
    status, seen = on_a_terminal(here, "\n" * rest, *flags(pairs="no"))
    assert status == 0, seen
    assert "Proxmox hosts, as NAME" not in seen
    assert "link between the two routers" not in seen
    checked(here / "Pulumi.mine.yaml")


def test_an_empty_answer_without_a_default_is_asked_again(here: Path) -> None:
    del_endpoint = [each for each in flags() if not each.startswith("--endpoint")]
    typed = f"\n\n{ANSWERS['endpoint']}\n" + "\n" * len(QUESTIONS)
    status, seen = on_a_terminal(here, typed, *del_endpoint)
    assert status == 0, seen
    assert seen.count("Proxmox' API") == 3


def test_the_end_of_the_input_writes_nothing(here: Path) -> None:
    status, seen = on_a_terminal(here, "\x04")
    assert status == 1
    assert "nothing was written" in seen
    assert list(here.iterdir()) == []


def test_every_section_has_a_comment(here: Path) -> None:
    assert run("mine", *flags()) == 0
    lines = (here / "Pulumi.mine.yaml").read_text("utf-8").splitlines()
    sections = [at for at, line in enumerate(lines) if line.startswith("  layered-cloud:")]
    assert len(sections) == len(Stack.model_fields)
    assert [lines[at] for at in sections if not lines[at - 1].startswith("  # ")] == []


def test_no_module_of_the_engine_is_loaded(here: Path) -> None:
    code = (
        "import sys, settings.__main__ as m\n"
        "status = m.main(['init', 'mine', *sys.argv[1:]])\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'pulumi']\n"
        "sys.exit(status)"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, *flags()],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


EARLIER = {
    **{"pairs": "yes", "management": "10.20.0.0/24", "management-bridge": "vmbr0"},
    **{"lan": "10.20.10.0/24", "lan-bridge": "vmbr1", "wan-bridge": "vmbr2", "routers": "linux"},
    **{"sync": "10.20.20.0/28", "sync-bridge": "vmbr3"},
}
"""Answers to all that is asked before the AS number."""


def test_a_refused_answer_is_told_at_its_question_and_asked_again(here: Path) -> None:
    typed = ["ours", "23456", "64512", "-", "isp=198.18.9.1:64500", "isp=198.18.3.1:64500"]
    status, seen = on_a_terminal(here, "\n".join(typed) + "\n" * len(QUESTIONS), *flags(**EARLIER))
    assert status == 0, seen
    said = [
        "--asn: ours is no AS number; write your own in digits",
        "layered-cloud:routers.bgp.asn: 23456 is the placeholder for longer numbers",
        "layered-cloud:routers.bgp.upstream[0].address: 198.18.9.1 is outside networks.wan",
    ]
    places = [seen.index(f"  {each}") for each in said]
    assert places == sorted(places)
    assert seen.count("the routers' own AS number") == 3
    assert seen.count("the providers' routers") == 2
    stack = checked(here / "Pulumi.mine.yaml")
    assert stack.routers.bgp is not None
    assert [each.asn for each in stack.routers.bgp.upstream] == [64500]


def test_a_refused_flag_is_asked_for_on_a_terminal(here: Path) -> None:
    given = flags(**EARLIER, gateway="198.18.4.1", zone="corp.test", cdn="none")
    status, seen = on_a_terminal(here, "198.18.3.1\n" + "\n" * len(QUESTIONS), *given)
    assert status == 0, seen
    assert "  layered-cloud:networks.wan.gateway: 198.18.4.1 is outside networks.wan" in seen
    assert seen.count("the provider's router on the WAN: ") == 1
    assert "  --zone: corp.test is of no use here" in seen
    assert str(checked(here / "Pulumi.mine.yaml").networks.wan.gateway) == "198.18.3.1"


def test_a_name_that_is_none_is_told_before_anything_is_asked(here: Path) -> None:
    terminal = io.StringIO()
    options = argparse.Namespace(name="Mine", **{each.name: None for each in QUESTIONS})
    out = io.StringIO()
    assert command_of_init.init(options, here, io.StringIO("x\n"), terminal, out) == 1
    assert "layered-cloud:environment: Mine " in out.getvalue()
    assert terminal.getvalue() == "nothing was written\n"
