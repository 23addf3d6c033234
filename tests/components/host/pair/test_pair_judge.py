"""Who yields: two judges that are told the same world, round by round."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from components.host.pair.legwatch.judge import MAINTENANCE, STRANGER, Judge, Leg, Peer, Rules, Said

INTERVAL = 0.2
RULES = Rules(interval=INTERVAL, fall=3, hold=5, rank=0)


@dataclass
class Machine:
    """One of the two: what reaches it, and what it last heard of the other."""

    rank: int
    elects: bool = False
    peer: Peer | None = None
    fit: bool = True
    held: bool = False
    takes: bool = True
    heard: dict[str, float] = field(default_factory=dict)
    history: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.legs = [
            Leg(name="lan", weight=2, elects=self.elects, targets=("n1", "n2")),
            Leg(name="wan", weight=1, elects=False, targets=("gw",)),
        ]
        self.judge = Judge(rules=replace(RULES, rank=self.rank), legs=self.legs)

    def message(self, now: float, hears: set[str]) -> Peer:
        legs = {
            leg.name: Said(last=leg.last, since=leg.since, seen=leg.seen(RULES))
            for leg in self.legs
        }
        return Peer(
            at=now,
            legs=legs,
            fit=self.fit,
            yields=bool(self.judge.why),
            hears=frozenset(hears),
            takes=self.takes and self.fit and not self.judge.why and not self.judge.rules.drains,
        )

    def said(self, since: float = 0.0) -> list[str]:
        """What it decided from then on, each change once."""
        texts = [why for at, why in self.history if at >= since]
        return [why for why, before in zip(texts, [None, *texts], strict=False) if why != before]


class World:
    """Two machines, and time; `lag` is how much later the second one's rounds are."""

    def __init__(self, lag: float = 0.13, *, elects: bool = False) -> None:
        self.a, self.b = Machine(0, elects), Machine(1, elects)
        self.lag, self.now = lag, 100.0
        self.dead: set[tuple[str, str]] = set()
        self.paths = {"lan", "sync"}

    def reaches(self, machine: Machine, target: str) -> bool:
        name = "a" if machine is self.a else "b"
        return not {(name, target), ("both", target)} & self.dead

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            for machine, other, offset in ((self.a, self.b, 0.0), (self.b, self.a, self.lag)):
                self.round(machine, other, self.now + offset)
            self.now += INTERVAL

    def round(self, machine: Machine, other: Machine, now: float) -> None:
        for leg in machine.legs:
            leg.end(RULES)
        why = machine.judge.decide(now, machine.peer, machine.heard, held=machine.held)
        machine.history.append((now, why))
        for leg in machine.legs:
            leg.begin(now)
            leg.answered |= {target for target in leg.targets if self.reaches(machine, target)}
        for path in self.paths:
            other.heard[path] = now
            other.peer = machine.message(now, set(self.paths))


def settled(**how: float | bool) -> World:
    world = World(**how)  # type: ignore[arg-type]
    world.run(20)
    assert (world.a.judge.why, world.b.judge.why) == ("", "")
    return world


def test_who_loses_a_leg_yields_within_a_second_and_returns_when_it_has_held() -> None:
    for target in ("gw", "n1 n2"):
        world = settled()
        cut = world.now
        world.dead = {("a", each) for each in target.split()}
        world.run(2)
        changed = next(at for at, why in world.a.history if why and at > cut)
        assert changed - cut <= 4.01 * INTERVAL
        assert world.b.said(cut) == [""]

        world.dead, back = set(), world.now
        world.run(4.5)
        assert world.a.judge.why
        world.run(2)
        assert world.a.judge.why == ""
        assert world.b.said(back) == [""]


def test_a_loss_that_both_share_moves_nothing_whoever_notices_first() -> None:
    for lag in (0.01, 0.07, 0.13, 0.19):
        world = settled(lag=lag)
        began = world.now
        world.dead = {("both", "gw")}
        world.run(10)
        world.dead = set()
        world.run(10)
        world.dead = {("both", "n1"), ("both", "n2"), ("both", "gw")}
        world.run(10)
        world.dead = set()
        world.run(10)
        assert (world.a.said(began), world.b.said(began)) == ([""], [""]), lag


def test_the_one_that_yielded_takes_over_at_once_when_the_other_loses_more() -> None:
    world = settled()
    world.dead = {("a", "gw")}
    world.run(5)
    world.dead = {("b", "n1"), ("b", "n2")}
    world.run(2)

    assert world.a.judge.why == ""
    assert world.b.judge.why


def test_the_loss_of_both_one_after_the_other_leaves_the_second_in_charge() -> None:
    world = settled()
    world.dead = {("a", "gw")}
    world.run(5)
    world.dead = {("both", "gw")}
    world.run(20)

    assert world.a.judge.why
    assert world.b.judge.why == ""


def test_the_lan_is_worth_more_than_the_wan() -> None:
    world = settled()
    world.dead = {("a", "gw"), ("b", "n1"), ("b", "n2")}
    world.run(8)

    assert world.a.judge.why == ""
    assert world.b.judge.why


def test_nobody_yields_to_a_peer_that_cannot_serve_or_is_dead() -> None:
    world = settled()
    world.b.fit = False
    world.dead = {("a", "gw")}
    world.run(3)
    assert world.a.judge.why == ""

    world = settled()
    world.paths = set()
    world.run(10)
    world.dead = {("a", "gw"), ("a", "n1"), ("a", "n2")}
    world.run(5)
    assert world.a.judge.why == ""


def test_cut_off_from_everybody_at_once_a_machine_yields() -> None:
    world = settled()
    world.paths = set()
    world.dead = {("a", "gw"), ("a", "n1"), ("a", "n2")}
    world.run(2)

    assert "cut off" in world.a.judge.why
    assert world.b.judge.why == ""


def test_one_of_two_that_see_neighbours_but_not_each_other_yields_in_the_end() -> None:
    world = settled(elects=True)
    world.paths = {"sync"}
    world.run(2)
    assert (world.a.judge.why, world.b.judge.why) == ("", "")
    world.run(4)
    assert world.a.judge.why == ""
    assert "master is elected" in world.b.judge.why

    world.dead = {("a", "n1")}
    world.run(3)
    assert "master is elected" in world.a.judge.why
    assert world.b.judge.why == ""

    world.paths, world.dead = {"lan", "sync"}, set()
    world.run(3)
    assert (world.a.judge.why, world.b.judge.why) == ("", "")


def test_a_stranger_that_holds_the_addresses_is_left_alone_until_it_is_none() -> None:
    world = settled()
    world.b.held = True
    world.run(1)
    assert world.b.judge.why == STRANGER
    world.b.held = False
    world.run(1)
    assert world.b.judge.why == ""


def test_one_in_maintenance_yields_at_once_to_a_peer_that_would_take_over() -> None:
    world = settled()
    world.a.judge.rules = replace(RULES, drains=True)
    began = world.now
    world.run(10)

    assert world.a.said(began)[-1] == MAINTENANCE
    assert next(at for at, why in world.a.history if why and at >= began) - began <= 2 * INTERVAL
    assert world.b.said(began) == [""]


def test_it_holds_the_addresses_while_its_peer_would_not_and_yields_again_after() -> None:
    for how in ("takes", "fit"):
        world = settled()
        world.a.judge.rules = replace(RULES, drains=True)
        world.run(5)
        setattr(world.b, how, False)
        world.run(1)
        assert world.a.judge.why == "", how
        setattr(world.b, how, True)
        world.run(1)
        assert world.a.judge.why == MAINTENANCE, how


def test_a_peer_that_sees_less_or_is_not_heard_is_not_left_the_addresses() -> None:
    world = settled()
    world.a.judge.rules = replace(RULES, drains=True)
    world.run(5)
    world.dead = {("b", "n1"), ("b", "n2")}
    world.run(3)
    assert (world.a.judge.why, bool(world.b.judge.why)) == ("", True)

    world.dead, world.paths = set(), set()
    world.run(12)
    assert world.a.judge.why == ""


def test_two_in_maintenance_at_once_leave_nothing_to_nobody() -> None:
    world = settled()
    for machine in (world.a, world.b):
        machine.judge.rules = replace(RULES, rank=machine.rank, drains=True)
    world.run(10)

    assert (world.a.judge.why, world.b.judge.why) == ("", "")
