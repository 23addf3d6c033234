"""What `init` writes of each choice: accepted at once, whatever is chosen beside it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from settings.__main__ import main
from settings.init.command import answers
from settings.init.ingress import INGRESSES
from settings.init.judge import Judged, by_now, judged
from settings.init.questions import QUESTIONS
from settings.keys import command, lines_of, required_secrets
from settings.models.platform import Ingress
from settings.models.routers import Routers
from settings.models.stack import Stack
from settings.reference import every_key
from settings.shape import choices, hints
from tests.golden_files import assert_golden
from tests.issued import made

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
RECIPIENT = made("backups").pem.strip()
PLACE = {
    "endpoint": "https://pve.corp.test:8006/",
    "hosts": "pve1=10.20.0.2,pve2=10.20.0.3,pve3=10.20.0.4",
    "wan": "198.18.3.0/28",
    "gateway": "198.18.3.1",
    "public-vip": "198.18.3.10",
    "names": "www.corp.test,*.corp.test",
}
ALWAYS = frozenset(("proxmoxApiToken", "proxmoxSshKey"))
LEGS = "layered-cloud:routers.kind: {} gives up its VIPs when the link of a leg is down"
FIGURES = "layered-cloud:routers.kind: {} shows platform.monitoring no figures"


@dataclass(frozen=True)
class Choice:
    """Answers, and the secrets and lines of them that they ask for."""

    given: dict[str, str]
    secrets: frozenset[str] = frozenset()
    lines: tuple[str, ...] = ()


def _routers() -> Iterator[Choice]:
    """Of each kind: a pair with all the BGP that it can have, one router with none and with some.
    Who is there already (the providers' routers, physical ones, the store of backups) has addresses
    that machines would have otherwise."""
    upstream = "isp=198.18.3.1:64500,other=198.18.3.3:64501"
    passwords = frozenset(("bgpPasswords",))
    speaking = [
        Choice({}),
        Choice({"inside-asn": "64513"}),
        Choice({"inside-asn": "64513", "inside-bfd": "no", "pool": "172.20.0.1-172.20.0.9"}),
        Choice({"upstream": upstream, "upstream-bfd": "other", "announce": "192.0.2.0/24"}),
        Choice(
            {
                **{"inside-asn": "64513", "upstream": "isp=198.18.3.1:64500"},
                **{"announce": "192.0.2.0/24", "announced-vip": "192.0.2.10"},
            }
        ),
    ]
    of_linux = [
        Choice({"inside-asn": "64513", "bgp-daemon": "bird"}),
        Choice(
            {"inside-asn": "64513", "inside-password": "yes"},
            *(passwords, ("inside=",)),
        ),
        Choice(
            {
                **{"inside-asn": "64513", "inside-password": "yes", "upstream": upstream},
                **{"upstream-passwords": "other,isp", "bgp-daemon": "bird"},
            },
            *(passwords, ("isp=", "other=", "inside=")),
        ),
    ]
    image = {"routers": "vyos", "routers-image": "https://images.corp.test/vyos-1.4.qcow2"}
    for pairs, count in (("yes", 2), ("no", 1)):
        ones = {
            "linux": ({}, frozenset[str](), [*speaking, *of_linux]),
            "vyos": (image, frozenset[str](), speaking),
            "mikrotik": (
                {
                    "routers": "mikrotik",
                    "router-addresses": ",".join(["10.20.0.21", "10.20.0.31"][:count]),
                    "router-keys": ",".join([HOST_KEY] * count),
                },
                frozenset(("deployKey",)),
                speaking[:1],
            ),
        }
        for own, secrets, spoken in ones.values():
            for each in spoken if count == 2 else spoken[:2]:
                bgp = {"asn": "64512"} if each.given else {}
                whole = {"pairs": pairs, **own, **bgp, **each.given}
                yield Choice(whole, secrets | each.secrets, each.lines)


def _ways() -> Iterator[Choice]:
    """Each CDN with each ingress controller."""
    shown = frozenset(("tlsCertificate", "tlsKey"))
    ranges = "192.0.2.0/24,203.0.113.0/24"
    cdns = [
        Choice({}, frozenset(("cloudflareApiToken",))),
        Choice({"cdn": "none"}, shown),
        Choice({"cdn": "fastly", "cdn-ranges": ranges, "client-header": "Fastly-Client-IP"}, shown),
        Choice({"cdn": "listed", "cdn-ranges": ranges, "client-header": "X-Client"}, shown),
    ]
    for cdn, ingress in itertools.product(cdns, INGRESSES):
        yield Choice({**cdn.given, "ingress": ingress}, cdn.secrets)


def _upkeep() -> Iterator[Choice]:
    """Who is told, where backups go, and how many control planes."""
    mail = {"alerts-to": "ops@corp.test", "alerts-from": "cloud@corp.test"}
    mail |= {"monitoring": "mail", "alerts-server": "smtp.corp.test"}
    hidden = frozenset(("platformSecrets",))
    told = [
        Choice({}),
        Choice(mail),
        Choice(
            {**mail, "alerts-login": "cloud"}, hidden, ("monitoring/alerts-operators/password=",)
        ),
        Choice({"monitoring": "webhook"}, hidden, ("monitoring/alerts-operators/url=",)),
    ]
    store = {"backups": "ssh://backup@10.20.0.41/srv", "backups-keys": HOST_KEY}
    kept = [
        Choice({}),
        Choice({**store, "backups-recipient": RECIPIENT}, frozenset(("backupSshKey",))),
    ]
    for receiver, backups, planes in itertools.product(told, kept, ("1", "3")):
        yield Choice(
            {**receiver.given, **backups.given, "control-planes": planes},
            *(receiver.secrets | backups.secrets, receiver.lines),
        )


ROUTERS, WAYS, UPKEEP = tuple(_routers()), tuple(_ways()), tuple(_upkeep())


def combined(*choices: Choice) -> Choice:
    given: dict[str, str] = {}
    secrets: frozenset[str] = ALWAYS
    lines: tuple[str, ...] = ()
    for each in choices:
        given, secrets, lines = given | each.given, secrets | each.secrets, lines + each.lines
    return Choice(given, secrets, lines)


def combinations() -> Iterator[Choice]:
    """Each of the routers with each of the ways, while the upkeep goes round: since the other two
    tables are longer, it meets each of either, too."""
    assert len(UPKEEP) <= min(len(ROUTERS), len(WAYS))
    for first, routers in enumerate(ROUTERS):
        for second, way in enumerate(WAYS):
            yield combined(routers, way, UPKEEP[(first + second) % len(UPKEEP)])


def made_of(given: dict[str, str]) -> Judged:
    return judged("mine", answers({**PLACE, **given}))


def expected_warnings(given: dict[str, str]) -> list[str]:
    kind = given.get("routers", "linux")
    if kind == "linux":
        return []
    said = [LEGS.format(kind)] if given["pairs"] == "yes" else []
    return [*said, *([FIGURES.format(kind)] if "monitoring" in given else [])]


def judge(choice: Choice) -> None:
    found = made_of(choice.given)
    assert [str(each) for each in found.told] == [], choice
    assert found.stack is not None
    warned = [str(each) for each in found.warnings]
    wanted = expected_warnings(choice.given)
    assert len(warned) == len(wanted), (choice, warned)
    assert all(any(each.startswith(head) for each in warned) for head in wanted), (choice, warned)
    assert set(required_secrets(found.stack)) == choice.secrets, choice
    named = [each for one in choice.secrets for each in lines_of(one, found.stack)]
    assert sorted(named) == sorted(choice.lines), choice


def test_every_two_choices_are_accepted_together() -> None:
    for choice in combinations():
        judge(choice)


def test_every_choice_is_among_the_combinations() -> None:
    seen: dict[str, set[str]] = {}
    for each in combinations():
        for name, answer in answers({**PLACE, **each.given}).items():
            seen.setdefault(name, set()).add(answer)
    assert set(seen) == {each.name for each in QUESTIONS}
    for question in QUESTIONS:
        if question.choices:
            assert seen[question.name] == set(question.choices), question.name


WHOLE = combined(
    next(each for each in ROUTERS if each.given.get("bgp-daemon") == "bird" and each.lines[1:]),
    next(each for each in WAYS if each.given == {"ingress": "nginx"}),
    next(each for each in UPKEEP if "alerts-login" in each.given and "backups" in each.given),
)


def flags(**given: str) -> list[str]:
    return [f"--{name.replace('_', '-')}={each}" for name, each in {**PLACE, **given}.items()]


def test_what_is_left_is_named_with_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "backup.pem").write_text(RECIPIENT + "\n")
    given = {**WHOLE.given, "backups-recipient": "backup.pem"}
    assert main(["init", "mine", *flags(**given)]) == 0
    told = capsys.readouterr().out.splitlines()
    commands = [command(each, "mine") for each in WHOLE.secrets]
    set_by = [line.strip() for line in told if " config set --secret " in line]
    assert sorted(set_by) == sorted(commands)
    assert told[told.index(f"  {command('bgpPasswords', 'mine')}") + 1] == (
        "    a line NAME=PASSWORD for each provider with one, for `inside` and `balancers`: here "
        "isp=, other=, inside="
    )
    assert told[told.index(f"  {command('platformSecrets', 'mine')}") + 1] == (
        "    a line NAMESPACE/NAME/KEY=VALUE for each key of the platform's Secrets: here "
        "monitoring/alerts-operators/password="
    )
    stack = Path("Pulumi.mine.yaml").read_text("utf-8")
    for line in RECIPIENT.splitlines():
        assert f"        {line}\n" in stack
    assert main(["check", "Pulumi.mine.yaml"]) == 0
    checked = capsys.readouterr().err.splitlines()
    for each in commands:
        assert any(each in line for line in checked)
    assert sum(" config set --secret " in line for line in checked) == len(commands)


GOLDEN: dict[str, dict[str, str]] = {
    "pairs": {"control-planes": "3"},
    "single": {"hosts": "pve=10.20.0.2", "workers": "0", "cdn": "none"},
    "bgp": {each: answer for each, answer in WHOLE.given.items() if "backups" not in each}
    | {"announce": "192.0.2.0/24", "announced-vip": "192.0.2.10"},
    "mikrotik": combined(
        next(each for each in ROUTERS if each.given.get("routers") == "mikrotik"),
        next(each for each in WAYS if each.given.get("cdn") == "fastly"),
    ).given
    | {"ingress": "cilium", "monitoring": "webhook"},
    "vyos": next(each for each in ROUTERS if each.given.get("routers") == "vyos").given,
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_whole_file(name: str) -> None:
    """Without a choice it is what it was before there were any: `pairs`, `single`."""
    assert_golden(f"init/{name}.yaml", made_of(GOLDEN[name]).text)


def test_every_section_has_a_comment_whatever_is_chosen() -> None:
    for name, given in GOLDEN.items():
        lines = made_of(given).text.splitlines()
        sections = [at for at, line in enumerate(lines) if line.startswith("  layered-cloud:")]
        assert len(sections) == len(Stack.model_fields), name
        assert [lines[at] for at in sections if not lines[at - 1].startswith("  # ")] == [], name


def test_what_is_not_chosen_is_not_in_the_file() -> None:
    text = made_of({}).text
    for each in ("kind: linux", "bgp", "vrrp", "limits", "sizes", "monitoring", "backups", "null"):
        assert not re.search(rf"^ +[^#\n]*\b{each}", text, re.MULTILINE), each


def test_the_keys_of_a_question_are_keys_of_a_stack() -> None:
    known = {each.replace("[]", "") for each in every_key()}
    for question in QUESTIONS:
        assert question.keys, question.name
        for key in question.keys:
            assert re.sub(r"\[\d+\]", "", key) in known, (question.name, key)


PRIVATE_PLACE = {
    **{"wan": "10.9.0.0/28", "gateway": "10.9.0.1", "public-vip": "10.9.0.10", "cdn": "none"},
    **{"lan": "10.96.4.0/24", "services": "10.97.0.0/16", "workers": "3", "hosts": "pve=10.20.0.2"},
}


@pytest.mark.parametrize(
    "given", [WHOLE.given, GOLDEN["mikrotik"], GOLDEN["vyos"], PRIVATE_PLACE], ids=" ".join
)
def test_no_answer_is_refused_for_what_comes_after_it(given: dict[str, str]) -> None:
    whole = answers({**PLACE, **given})
    for count in range(len(whole) + 1):
        answered = dict(list(whole.items())[:count])
        assert [str(each) for each in by_now("mine", answered)] == [], count


def test_the_ingress_controllers_are_those_of_the_model() -> None:
    assert set(INGRESSES) == set(choices(hints(Ingress)["kind"]))


def test_a_default_is_a_choice_and_the_models_own() -> None:
    """What is not asked for is what a stack without the key has."""
    given = answers(PLACE)
    for question in QUESTIONS:
        if question.choices and question.name in given:
            assert given[question.name] in question.choices, question.name
    default = made_of({}).stack
    assert default is not None
    assert default.routers.kind == Routers.model_fields["kind"].default
    assert default.platform.ingress.kind == Ingress.model_fields["kind"].default
