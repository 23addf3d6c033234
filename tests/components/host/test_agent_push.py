"""The agent's decisions, on a machine whose programs answer in memory."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from components.host import payload
from components.host.agent import __main__ as agent_main
from components.host.agent import actions, dpkg, packages, requests, restore, services
from components.host.agent.errors import Failure
from components.host.agent.store import Store
from components.host.part import Check, ConfirmPolicy, Health, Package, PeerGuard, Service, Step
from tests.components.host.fake_system import OWNER, FakeSystem, Unit, install

SERVICE = Service(name="haproxy", health=Health(argv=("probe",), seconds=0.01, interval=0.001))


class World:
    def __init__(self, system: FakeSystem, directory: Path) -> None:
        self.system = system
        self.store = system.store
        self.etc = directory / "etc"

    def wish(self, layer: str = "base", text: str = "one\n", **over: Any) -> dict[str, Any]:
        files = over.pop("files", {"haproxy.cfg": text})
        secret = over.pop("placeholders", ())
        given: dict[str, Any] = {
            "resource": f"m-{layer}",
            "machine": "m",
            "layer": layer,
            "repositories": (),
            "packages": (),
            "contents": [
                payload.Content(
                    path=str(self.etc / name),
                    text=content,
                    mode="0600" if secret else "0644",
                    owner=OWNER,
                    placeholders=secret,
                )
                for name, content in files.items()
            ],
            "checks": (Check(name="haproxy", argv=("haproxy", "-c")),),
            "steps": (),
            "services": (SERVICE,),
            "confirm": None,
            "owner_guard": None,
            "epoch": "1",
            "seconds": 5,
        }
        return payload.configuration(**{**given, **over})

    def push(self, **over: Any) -> str:
        return requests.apply(self.store, self.wish(**over))[1]

    def refused(self, **over: Any) -> Failure:
        with pytest.raises(Failure) as failed:
            self.push(**over)
        return failed.value

    def text(self, name: str = "haproxy.cfg") -> str | None:
        path = self.etc / name
        return path.read_text() if path.exists() else None


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    system = install(monkeypatch, tmp_path)
    system.units["haproxy"] = Unit()
    (tmp_path / "etc").mkdir()
    return World(system, tmp_path)


def test_a_first_push_enables_and_starts_and_a_second_does_nothing(world: World) -> None:
    assert world.push() == "1 file(s) changed; started haproxy.service"
    assert world.system.units["haproxy"] == Unit(active=True, enabled=True)
    world.system.calls.clear()
    assert world.push() == "unchanged"
    assert not [call for call in world.system.calls if not call.startswith("systemctl show")]


@pytest.mark.parametrize(
    ("on_change", "can_reload", "said"),
    [
        ("reload", True, "reloaded haproxy.service"),
        ("reload", False, "restarted haproxy.service"),
        ("restart", True, "restarted haproxy.service"),
        (("nft", "-f", "/etc/x"), True, "ran nft for haproxy.service"),
        ("none", True, None),
    ],
)
def test_a_change_is_brought_in_the_way_the_service_wants(
    world: World, on_change: Any, can_reload: bool, said: str | None
) -> None:
    service = Service(name="haproxy", on_change=on_change)
    world.system.units["haproxy"] = Unit(active=True, enabled=True, can_reload=can_reload)
    world.push(services=(service,))
    done = world.push(text="two\n", services=(service,))
    assert done == "; ".join(["1 file(s) changed", *([said] if said else [])])


def test_a_change_elsewhere_leaves_a_service_alone(world: World) -> None:
    service = Service(name="haproxy", watches=(str(world.etc / "haproxy.cfg"),))
    files = {"haproxy.cfg": "one\n", "motd": "hello\n"}
    world.push(files=files, services=(service,))
    done = world.push(files={**files, "motd": "bye\n"}, services=(service,))
    assert done == "1 file(s) changed"


def test_a_refusal_has_the_daemons_words_and_changes_nothing(world: World) -> None:
    world.push()
    world.system.checker = lambda staged: "[ALERT] parsing line 1: unknown keyword"
    failure = world.refused(text="two\n")
    assert failure.text().splitlines() == [
        "[ALERT] parsing line 1: unknown keyword",
        "the check 'haproxy' refused the new files (exit status 1)",
        "Nothing was changed on the machine.",
    ]
    assert world.text() == "one\n"
    assert not world.system.did("systemctl reload")


def test_the_checker_sees_the_staged_file(world: World) -> None:
    seen = []
    path = str(world.etc / "haproxy.cfg").lstrip("/")

    def look(staged: Path) -> str:
        seen.append((staged / path).read_text())
        return ""

    world.system.checker = look
    world.push(text="one\n")
    assert seen == ["one\n"]


def test_an_unhealthy_service_brings_the_old_set_back(world: World) -> None:
    world.push()
    world.system.fails["probe"] = "connection refused\n"
    world.system.journal = "no server available\n"
    failure = world.refused(text="two\n", files={"haproxy.cfg": "two\n", "extra": "x\n"})
    assert failure.text().splitlines() == [
        "no server available",
        "connection refused",
        "haproxy.service is not healthy 0.01 s after the change (probe)",
        "The old set is back (2 file(s)).",
    ]
    assert (world.text(), world.text("extra")) == ("one\n", None)
    assert len(world.system.did("systemctl reload")) == 2


def test_a_first_push_that_fails_stops_and_disables_what_it_brought(world: World) -> None:
    world.system.fails["probe"] = "no"
    world.refused()
    assert world.system.units["haproxy"] == Unit()
    assert world.text() is None
    assert world.store.read("base", "manifest") is None


def test_a_reload_that_fails_twice_is_told_twice(world: World) -> None:
    world.push()
    world.system.fails["systemctl reload"] = "Job for haproxy.service failed.\n"
    failure = world.refused(text="two\n")
    assert "haproxy.service did not reload: Job for haproxy.service failed." in failure.text()
    assert "But not all serves again:\nJob for haproxy.service failed." in failure.text()


def test_a_unit_the_machine_lacks_is_named(world: World) -> None:
    failure = world.refused(services=(Service(name="keepalived"),))
    assert failure.what == "this machine has no unit keepalived.service"


def test_a_service_that_ends_right_away_is_not_up(world: World) -> None:
    world.system.fails["systemctl start"] = ""
    failure = world.refused()
    assert failure.what.startswith("haproxy.service did not start")


def test_a_service_another_layer_starts_is_only_reloaded(world: World) -> None:
    follower = (Service(name="haproxy", enable=False),)
    assert world.push(services=follower) == "1 file(s) changed"
    world.system.units["haproxy"] = Unit(active=True, enabled=True)
    assert "reloaded" in world.push(text="two\n", services=follower)


def test_steps_run_around_the_services_and_again_on_the_way_back(world: World) -> None:
    steps = (
        Step(name="sysctl", argv=("sysctl", "--system")),
        Step(name="report", argv=("report",), when="after", watches=("/nowhere",)),
        Step(name="always", argv=("always",), always=True),
    )
    world.push(steps=steps)
    assert len(world.system.did("report")) == 1, "everything runs the first time"
    world.system.fails["probe"] = "no"
    world.system.calls.clear()
    world.refused(text="two\n", steps=steps)
    assert len(world.system.did("sysctl")) == 2
    assert len(world.system.did("always")) == 2
    assert not world.system.did("report")


def test_a_step_that_fails_gives_its_words(world: World) -> None:
    world.system.fails["nft"] = "Error: syntax error\n"
    failure = world.refused(steps=(Step(name="load", argv=("nft", "-f", "x")),))
    assert failure.text().startswith("Error: syntax error\nthe step 'load' failed (nft -f x)")


def test_packages_come_before_files_and_their_daemons_are_held_back(world: World) -> None:
    world.system.offered = {"haproxy": "2.6.12-1"}
    wanted = (Package(name="haproxy", version="2.6.*", hold=True),)
    world.push(packages=wanted)
    assert world.system.packages == {"haproxy": "2.6.12-1"}
    assert world.system.held == {"haproxy"}
    installed = world.system.did("apt-get")[-1]
    assert "haproxy=2.6.*" in installed
    assert "--force-confold" in installed
    world.system.calls.clear()
    assert world.push(packages=wanted) == "unchanged"
    assert not world.system.did("apt-get")
    world.system.offered = {"haproxy": "2.8.1-1"}
    newer = (Package(name="haproxy", version="2.8.*"),)
    assert world.push(packages=newer) == "restarted haproxy.service"
    assert world.system.held == set()


def test_apts_words_are_its_errors(world: World) -> None:
    failure = world.refused(packages=(Package(name="nonsuch"),))
    assert failure.text().splitlines() == [
        "E: Unable to locate package nonsuch",
        "apt could not get the packages (apt-get install)",
        "Nothing was changed on the machine.",
    ]


def test_a_mirror_that_is_coming_up_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        world.system.fails.clear()

    monkeypatch.setattr(packages.time, "sleep", pause)
    world.system.offered = {"haproxy": "1"}
    world.system.fails["apt-get"] = "E: Failed to fetch http://192.0.2.4 No route to host\n"
    assert "started" in world.push(packages=(Package(name="haproxy"),))
    assert pauses == [2]


def test_the_policy_of_a_push_that_was_killed_is_taken_away(world: World) -> None:
    dpkg.POLICY.write_text(f"#!/bin/sh\n{dpkg.MARK}\nexit 101\n")
    assert dpkg.clear_leftovers() == []
    assert not dpkg.POLICY.exists()
    dpkg.POLICY.write_text("#!/bin/sh\nexit 0\n")
    dpkg.clear_leftovers()
    assert dpkg.POLICY.exists(), "somebody else's policy stays"
    with dpkg.daemons_held_back():
        assert dpkg.POLICY.read_text() == "#!/bin/sh\nexit 0\n"


def test_the_owner_of_a_vip_waits_for_its_peer(world: World) -> None:
    guard = PeerGuard(vips=("198.18.10.10",), probe=("ask-peer",), seconds=0.01)
    world.push(owner_guard=guard)
    world.system.fails["ask-peer"] = "no answer from 198.18.10.12\n"
    assert "reloaded" in world.push(text="two\n", owner_guard=guard), "it owns nothing"
    world.system.addresses = ["198.18.10.10"]
    failure = world.refused(text="three\n", owner_guard=guard)
    assert failure.words == "no answer from 198.18.10.12\n"
    assert "owns 198.18.10.10 and its peer is not healthy (ask-peer)" in failure.what
    assert world.text() == "two\n"
    world.system.fails.clear()
    assert "reloaded" in world.push(text="three\n", owner_guard=guard)


def test_a_unit_file_has_systemd_read_its_files_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.host.agent import transaction

    monkeypatch.setattr(transaction, "UNITS", (str(world.etc),))
    world.push()
    assert world.system.did("systemctl daemon-reload")


CONFIRM = ConfirmPolicy(seconds=60)


def test_a_confirmation_is_awaited_given_and_not_needed_again(world: World) -> None:
    wish = world.wish(confirm=CONFIRM)
    _, said = requests.apply(world.store, wish)
    assert said.endswith("awaiting confirmation for 60 s")
    armed = world.system.did("systemd-run")
    assert len(armed) == 2, "before the swap, and anew when the push is done"
    assert "--on-active=60" in armed[0]
    assert world.push(confirm=CONFIRM) == "unchanged, awaiting confirmation"
    assert requests.confirm(world.store, payload.confirmation(wish))[1] == "confirmed"
    assert world.system.calls[-1] == "systemctl stop layered-cloud-restore-base.timer"
    assert world.push(confirm=CONFIRM) == "unchanged"
    manifest = world.store.read("base", "manifest")
    assert manifest is not None
    assert manifest["confirmed"] is True


def test_what_nobody_confirms_goes_with_its_manifest(world: World) -> None:
    world.push()
    old = world.store.read("base", "manifest")
    wish = world.wish(text="two\n", confirm=CONFIRM)
    requests.apply(world.store, wish)
    identity = payload.generation(wish)
    assert restore.timed(world.store, "base", "another") == "nothing to put back"
    assert restore.timed(world.store, "base", identity) == "The old set is back (1 file(s))."
    assert world.text() == "one\n"
    assert world.store.read("base", "manifest") == old
    with pytest.raises(Failure) as late:
        requests.confirm(world.store, payload.confirmation(wish))
    assert late.value.what.endswith("nobody confirmed it over a new connection in time")


def test_another_push_replaces_one_that_awaits_its_confirmation(world: World) -> None:
    world.push()
    world.push(text="two\n", confirm=CONFIRM)
    world.push(text="three\n", confirm=CONFIRM)
    pending = world.store.read("base", "pending")
    assert pending is not None
    assert Path(pending["entries"][0]["backup"]).read_text() == "one\n"


def test_a_restore_that_cannot_be_armed_stops_the_push(world: World) -> None:
    world.push()
    world.system.fails["systemd-run"] = "Failed to connect to bus\n"
    failure = world.refused(text="two\n", confirm=CONFIRM)
    assert failure.text().startswith(
        "Failed to connect to bus\nthe timed restore could not be armed, so nothing is swapped"
    )
    assert world.text() == "one\n"


@pytest.mark.parametrize("booting", [False, True])
def test_a_push_that_was_cut_is_put_back(
    world: World, monkeypatch: pytest.MonkeyPatch, booting: bool
) -> None:
    world.push()

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "await_health", power_cut)
    with pytest.raises(KeyboardInterrupt):
        world.push(text="two\n")
    assert world.text() == "two\n"
    world.system.calls.clear()
    restore.recover(world.store, booting=booting)
    assert world.text() == "one\n"
    assert bool(world.system.did("systemctl reload")) is not booting
    assert world.store.read("base", "pending") is None


def test_at_boot_an_unconfirmed_set_goes_too(world: World) -> None:
    world.push()
    world.push(text="two\n", confirm=CONFIRM)
    restore.recover(world.store)
    assert world.text() == "two\n", "its timer is still running"
    restore.recover(world.store, booting=True)
    assert world.text() == "one\n"


def test_a_file_has_one_owner(world: World) -> None:
    world.push()
    failure = world.refused(layer="routes")
    assert "haproxy.cfg belongs to the layer 'base' on this machine" in failure.what


def test_a_deletion_takes_away_what_it_made_and_reloads_what_others_need(world: World) -> None:
    world.push()
    routes = world.wish(layer="routes", files={"routes.cfg": "r\n"})
    requests.apply(world.store, routes)
    world.system.calls.clear()
    assert requests.delete(world.store, routes)[1] == "1 file(s) removed"
    assert world.system.did("systemctl reload")
    assert world.system.units["haproxy"].active
    base = world.wish()
    assert requests.delete(world.store, base)[1] == "1 file(s) removed"
    assert world.system.units["haproxy"] == Unit()
    assert requests.delete(world.store, base)[1] == "left alone: the set in force is none"
    assert list(world.store.layers()) == []


def test_a_deletion_lets_go_of_held_packages(world: World) -> None:
    world.system.offered = {"haproxy": "1"}
    wish = world.wish(packages=(Package(name="haproxy", hold=True),))
    requests.apply(world.store, wish)
    requests.delete(world.store, wish)
    assert world.system.held == set()


def test_secrets_are_kept_used_renewed_and_dropped(world: World) -> None:
    key = f"{world.etc}/haproxy.cfg#auth"

    def deposit(value: str) -> dict[str, Any]:
        return payload.deposit(layer="base", secrets={key: value}, epoch="1")

    wish = world.wish(text="password @@auth@@\n", placeholders=("auth",))
    assert requests.deposit(world.store, deposit("first"))[1] == "kept"
    requests.apply(world.store, wish)
    assert world.text() == "password first\n"
    assert "reloaded" in requests.deposit(world.store, deposit("second"))[1]
    assert world.text() == "password second\n"
    world.system.checker = lambda staged: "password too plain"
    with pytest.raises(Failure, match="refused"):
        requests.deposit(world.store, deposit("third"))
    assert world.store.read("base", "secrets") == {key: "second"}
    assert "the set in force needs them" in requests.withdraw(world.store, deposit("second"))[1]
    world.system.checker = lambda staged: ""
    world.push(text="no password\n")
    assert world.store.read("base", "secrets") == {}
    world.store.write("base", "secrets", {key: "newer"})
    assert "they have been replaced" in requests.withdraw(world.store, deposit("second"))[1]
    assert requests.withdraw(world.store, deposit("newer"))[1] == "forgotten"


def test_a_directory_in_the_way_is_named_and_nothing_is_lost(world: World) -> None:
    world.push()
    (world.etc / "extra").mkdir()
    failure = world.refused(files={"haproxy.cfg": "two\n", "extra": "x\n"})
    assert "extra is neither a file nor a link; it is left alone" in failure.what
    assert world.text() == "one\n"


def test_the_agent_keeps_itself_for_the_timer_and_the_boot(world: World, tmp_path: Path) -> None:
    program = tmp_path / "program"
    (program / "agent").mkdir(parents=True)
    (program / "push.sh").write_text("#!/bin/bash\n")
    (program / "agent" / "run.py").write_text("")
    (restore.BIN / "agent").mkdir(parents=True)
    restore.install_agent(program)
    assert (restore.BIN / "push.sh").read_text() == "#!/bin/bash\n"
    assert zipfile.ZipFile(restore.BIN / "agent.zip").namelist() == ["agent/run.py"]
    assert not (restore.BIN / "agent").exists(), "where an older program lay"
    assert restore.BOOT_UNIT.read_text() == restore.BOOT_TEXT
    assert world.system.calls == ["systemctl daemon-reload", "systemctl enable recover.service"]
    restore.install_agent(program)
    assert len(world.system.calls) == 2


def action(**over: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "resource": "m-init",
        "name": "init",
        "do": None,
        "guard": None,
        "undo": None,
        "result": None,
        "secrets": {},
        "epoch": "1",
        "seconds": 10,
    }
    return payload.action(**{**given, **over})


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(actions, "RUN", tmp_path / "run")
    return tmp_path


def test_an_action_is_done_once_and_undone_once(world: World, scratch: Path) -> None:
    done = scratch / "done"
    request = action(
        guard=f"test -e {done}",
        do=f'cp "$SECRETS/token" {done}',
        undo=f"rm {done}",
        result=f"cat {done}",
        secrets={"token": "t0k3n"},
    )
    assert actions.act(world.store, request) == ("t0k3n", "done")
    assert actions.act(world.store, request) == ("t0k3n", "already done")
    assert list((scratch / "run").iterdir()) == []
    assert actions.undo(world.store, {**request, "epoch": "2"})[1].startswith("left alone")
    assert actions.undo(world.store, request)[1] == "undone"
    assert not done.exists()
    assert actions.undo(world.store, request)[1].startswith("left alone")


def test_an_action_that_fails_or_lasts_says_so(world: World, scratch: Path) -> None:
    del scratch
    with pytest.raises(Failure) as failed:
        actions.act(world.store, action(do="echo why >&2; false | true"))
    assert failed.value.text() == "why\n'do' of the action 'init' failed (exit status 1)"
    with pytest.raises(Failure, match="exit status 124") as late:
        actions.act(world.store, action(do="sleep 9", seconds=0.2))
    assert "no end within 0.2 s" in late.value.words
    with pytest.raises(Failure, match="its guard does not hold"):
        actions.act(world.store, action(do="true", guard="false"))


def ask(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str, request: Any
) -> int:
    monkeypatch.setattr(agent_main, "Store", lambda: world.store)
    directory = tmp_path / "push"
    (directory / "agent").mkdir(parents=True, exist_ok=True)
    (directory / "push.sh").touch()
    (directory / "request.json").write_text(json.dumps(request))
    status = agent_main.main([verb, str(directory)])
    assert not (directory / "request.json").exists(), "it may hold secrets"
    return status


def test_an_answer_is_the_generation_and_a_failure_the_words(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wish = world.wish()
    assert ask(world, monkeypatch, tmp_path, "apply", wish) == 0
    said = capsys.readouterr()
    assert said.out == f"{payload.generation(wish)}\n"
    assert said.err == "1 file(s) changed; started haproxy.service\n"
    assert ask(world, monkeypatch, tmp_path, "check", {"layers": None}) == 0
    assert json.loads(capsys.readouterr().out)[0]["drift"] == []
    world.system.checker = lambda staged: "bad line hunter22"
    world.store.write("base", "secrets", {"k": "hunter22"})
    assert ask(world, monkeypatch, tmp_path, "apply", world.wish(text="two\n")) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("bad line <secret>\nthe check")
    assert ask(world, monkeypatch, tmp_path, "dance", {}) == 1
    assert "knows no verb 'dance'" in capsys.readouterr().err
    assert ask(world, monkeypatch, tmp_path, "confirm", {"layer": "base"}) == 70
    assert "KeyError: 'generation'" in capsys.readouterr().err


def test_the_timer_and_the_boot_have_verbs_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agent_main, "Store", lambda: world.store)
    world.push()
    wish = world.wish(text="two\n", confirm=CONFIRM)
    requests.apply(world.store, wish)
    assert agent_main.main(["recover"]) == 0
    assert world.text() == "two\n"
    assert agent_main.main(["restore", "base", payload.generation(wish)]) == 0
    assert capsys.readouterr().out == "The old set is back (1 file(s)).\n"
    assert agent_main.main(["recover-at-boot"]) == 0
    assert isinstance(world.store, Store)
