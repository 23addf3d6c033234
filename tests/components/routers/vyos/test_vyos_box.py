"""The texts of a VyOS router, run by a real shell on a router of the tests' own: one commit, its
way back, and everything that is looked at before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from components.routers.texts import ARMED, CONFIRMED, DONE, Texts
from components.routers.vyos.script import READER
from settings.models import Stack
from tests.components import stacks
from tests.components.routers.vyos import rendered
from tests.components.routers.vyos.box import Box

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk"),
]


def box(folder: Path, stack: Stack, name: str = "router-a") -> Box:
    """A router that nobody has told anything but its management address and who logs in."""
    legs = rendered.interfaces(stack, name)
    return Box(folder, {each: str(at) for each, at in legs.items()}, ["198.18.20.2", "198.18.20.3"])


def push(to: Box, texts: Texts) -> tuple[str, str]:
    return to.run(READER, texts.script), to.run(READER, texts.confirmation)


THEIRS = ["service ssh port 22", "system login user layered"]


def test_a_text_is_one_commit_that_a_confirmation_keeps(tmp_path: Path) -> None:
    made, name = stacks.vyos(), "router-a"
    texts, to = rendered.script(made, name), box(tmp_path, made, name)

    said = to.run(READER, texts.script)
    assert said.splitlines()[0] == ARMED
    assert said.splitlines()[-1] == DONE
    assert (to.folder / "timer").read_text() == "2\n", "minutes"
    assert to.lines("saved") == sorted(THEIRS), "nothing is saved before it is confirmed"
    assert to.lines() == sorted({*rendered.lines(texts), "system login user layered"})

    assert to.run(READER, texts.confirmation).splitlines()[-1] == CONFIRMED
    assert (to.waits, to.history()) == (False, ["committed", "confirmed"])
    assert to.lines("saved") == to.lines()

    # Again: nothing is committed.
    said, confirmed = push(to, texts)
    assert said.splitlines() == [DONE]
    assert confirmed.splitlines()[-1] == CONFIRMED
    assert to.history() == ["committed", "confirmed", "confirmed"]

    # Another one leaves nothing of the one before.
    other = rendered.script(made, name, cdn=["192.0.2.0/28"])
    assert push(to, other)[1].splitlines()[-1] == CONFIRMED
    assert to.lines() == sorted({*rendered.lines(other), "system login user layered"})
    assert "198.51.100.0/24" not in (to.folder / "active").read_text()


def test_without_a_confirmation_everything_is_as_it_was(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    before = to.lines()
    to.run(READER, rendered.script(stack, "router-a").script)
    assert to.lines() != before
    to.restart()
    assert to.lines() == before
    # The old text's confirmation finds nothing to keep.
    said = to.run(READER, rendered.script(stack, "router-a").confirmation)
    assert said.splitlines() == ["layered: not this change is in force"]


def test_half_a_text_does_nothing(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to, text = box(tmp_path, stack), rendered.script(stack, "router-a").script
    before = to.lines()
    for end in (text.index("delete firewall"), text.index("commit-confirm"), len(text) - 20):
        assert DONE not in to.run(READER, text[:end]).splitlines()
        assert (to.lines(), to.waits) == (before, False)
        assert not (to.folder / "session").exists()


REFUSED = {
    "no release": ("version", "Version:          VyOS 1.3.4\n", "this is no VyOS 1.4 or 1.5"),
    "address": (
        "addresses",
        "2: eth1    inet 198.18.0.11/24 scope global eth1\n",
        "eth0 does not have 198.18.0.11/24, by which this router is reached",
    ),
    "unsaved": (
        "active",
        "system\tlogin\tuser\tsomebody\n",
        "this router has changes that were never saved, and a way back would lose them: save or "
        "undo them",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_hold_is_told_before_anything_is_changed(tmp_path: Path, case: str) -> None:
    name, text, why = REFUSED[case]
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    to.write(name, text)
    before = to.lines()
    said = to.run(READER, rendered.script(stack, "router-a").script)
    assert said.splitlines() == [f"layered: {why}"]
    assert (to.lines(), to.waits) == (before, False)


def test_an_interface_that_is_not_there_is_told(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    (to.folder / "net/eth3").unlink()
    said = to.run(READER, rendered.script(stack, "router-a").script)
    assert said.splitlines() == ["layered: there is no interface eth3"]


def test_the_owner_is_left_alone_while_its_peer_does_not_answer(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    script = rendered.script(stack, "router-a").script
    held = (to.folder / "addresses").read_text()
    to.write("addresses", f"{held}3: eth2    inet 203.0.113.10/32 scope global eth2\n")
    to.write("answers", "")
    assert to.run(READER, script).splitlines() == [
        "layered: this router has VIPs, and its peer does not answer at 198.18.20.3"
    ]
    to.write("addresses", held)
    assert to.run(READER, script).splitlines()[-1] == DONE


def test_a_command_that_vyos_refuses_ends_it_before_the_commit(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    to.write("refuses", "nat source rule 30\n")
    before = to.lines()
    said = to.run(READER, rendered.script(stack, "router-a").script).splitlines()
    assert said == [
        "layered: set nat source rule 30 description outbound_snat: Configuration path: [nat "
        "source rule 30 description outbound_snat] is not valid"
    ]
    assert (to.lines(), to.waits) == (before, False)


def test_a_commit_that_fails_is_told_and_taken_back(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    to.write("refuses-commit", "[[high-availability]] failed\n")
    said = to.run(READER, rendered.script(stack, "router-a").script).splitlines()
    assert said == [
        *(ARMED, "[[high-availability]] failed", "Commit failed", "layered: the commit failed"),
    ]
    assert to.waits, "half of it may be in force"


def test_a_change_without_its_firewall_is_not_confirmed(tmp_path: Path) -> None:
    """By the same program that keepalived asks, which is there and can be run."""
    stack = stacks.vyos()
    to, texts = box(tmp_path, stack), rendered.script(stack, "router-a")
    to.run(READER, texts.script)
    health = to.folder / "config/scripts/layered-health"
    assert health.stat().st_mode & 0o111
    to.write("no-firewall", "")
    said = to.run(READER, texts.confirmation)
    assert said.splitlines() == ["layered: the firewall is not in force"]
    assert to.waits


def test_a_configuration_that_cannot_be_saved_is_not_done(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    to.write("refuses-save", "")
    _, said = push(to, rendered.script(stack, "router-a"))
    assert said.splitlines()[-1] == "layered: the configuration cannot be saved"


def test_another_text_waits_until_the_old_configuration_is_back(tmp_path: Path) -> None:
    stack = stacks.vyos()
    to = box(tmp_path, stack)
    to.run(READER, rendered.script(stack, "router-a").script)
    force = to.lines()
    other = rendered.script(stack, "router-a", cdn=["192.0.2.0/28"])
    said = to.run(READER, other.script).splitlines()
    assert said[1:] == ["Another confirm is pending", "layered: the commit failed"]
    assert to.lines() == force
    to.restart()
    assert push(to, other)[1].splitlines()[-1] == CONFIRMED
