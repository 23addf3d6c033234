"""Whether a machine of a pair must leave the addresses to its peer. Pure.

Each machine probes neighbours on its legs, and tells the peer over every network they share what
it sees. Who sees less yields (keepalived puts its groups into FAULT); who sees as much as the peer
never does, so that a loss which both share moves nothing. All times are seconds of one monotonic
clock, the machine's own: messages carry ages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

STEADY_ROUNDS = 5
"""What has been seen for so long counts as seen, when the other machine does not see it."""
SILENT_ROUNDS = 4
"""A peer that sent nothing for so long is not heard."""
TOGETHER = 3.0
"""Seconds within which losing the peer and losing the neighbours is one loss: an island's."""
PATIENCE = 3.0
"""Seconds that two machines which both see neighbours, but not each other, may both go on; and that
a stranger may be without the addresses while its keepalived is reloaded."""
STRANGER = "another machine holds the addresses, and is not heard as the peer"
"""A machine alone that is becoming a pair, or a pair that is becoming one: it serves, and its VRRP
is not for us to hear."""
MAINTENANCE = "in maintenance: the peer, which can, is to hold the addresses"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """`interval` of the rounds and `hold` (how long a leg must be back) in seconds; `fall` rounds
    without an answer make a leg blind. `rank` orders the two machines where they are equal. One
    that `drains` leaves the addresses to a peer that can hold them."""

    interval: float
    fall: int
    hold: float
    rank: int
    drains: bool = False


@dataclass(kw_only=True)
class Leg:
    """What is known of one leg: the rounds of probes since somebody answered.

    `weight` says what the leg is worth; a leg on which the two elect a master `elects`.
    """

    name: str
    weight: int
    elects: bool
    targets: Sequence[str]
    misses: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    lost_at: float = 0.0
    last: float | None = None
    since: float | None = None
    answered: set[str] = field(default_factory=set)
    sent: float = 0.0

    def begin(self, now: float) -> None:
        """A round of probes leaves."""
        self.answered.clear()
        self.sent = now

    def end(self, rules: Rules) -> None:
        """The round is over: whoever has not answered will not."""
        for target in self.targets:
            self.misses[target] = 0 if target in self.answered else self.misses.get(target, 0) + 1
        if self.answered:
            self.unanswered, self.last = 0, self.sent
            self.since = self.sent if self.since is None else self.since
            return
        if self.unanswered == 0:
            self.lost_at = self.sent
        self.unanswered += 1
        if self.unanswered >= rules.fall:
            self.since = None

    @property
    def blind(self) -> bool:
        """Nobody answers."""
        return self.since is None

    def seen(self, rules: Rules) -> int:
        """How many targets answer."""
        return sum(self.misses.get(target, rules.fall) < rules.fall for target in self.targets)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the peer says of its leg: the last answer, since when there is no gap, how many
    answer."""

    last: float | None
    since: float | None
    seen: int


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The peer's last message: `fit` to take over as far as the rest of it goes, `yields` now,
    `hears` us on these networks, `takes` the addresses at once if we leave them."""

    at: float
    legs: Mapping[str, Said]
    fit: bool
    yields: bool
    hears: Collection[str]
    takes: bool = False


@dataclass(kw_only=True)
class Judge:
    """Remembers what was decided, for a leg that is back must hold for a while.

    `why` is what keeps this machine from holding addresses; empty when nothing does.
    """

    rules: Rules
    legs: Sequence[Leg]
    why: str = ""
    waits: bool = False
    apart_since: float | None = None

    def decide(
        self, now: float, peer: Peer | None, heard: Mapping[str, float], *, held: bool
    ) -> str:
        """What keeps this machine from holding addresses now.

        `heard` is when the peer was last heard on each network, `held` whether a machine that does
        not speak VRRP with us answers for one of the addresses.
        """
        listening = peer if peer is not None and not self._silent(now, peer.at) else None
        self._note_partition(now, listening, heard)
        if held:
            self._settle(STRANGER, waits=False)
        elif listening is None:
            why = self._cut_off(None if peer is None else peer.at)
            self._settle(why, waits=bool(why))
        else:
            due = self._compared(now, listening)
            if due or not self._holds_back(now, listening):
                self._settle(due, waits=bool(due) and self.apart_since is None)
        return self.why

    def _settle(self, why: str, *, waits: bool) -> None:
        self.why, self.waits = why, waits

    def _silent(self, now: float, at: float) -> bool:
        return now - at > SILENT_ROUNDS * self.rules.interval

    def _cut_off(self, last: float | None) -> str:
        """Alone, or cut off from everybody? A peer that went long before the neighbours is dead."""
        first = max(self.legs, key=lambda leg: leg.weight, default=None)
        if first is not None and first.blind and (last is None or last > first.lost_at - TOGETHER):
            return f"cut off: neither the peer nor anybody on {first.name} answers"
        return ""

    def _compared(self, now: float, peer: Peer) -> str:
        if not peer.fit:
            return ""
        ours, theirs = self._scores(peer)
        if ours < theirs:
            blind = ", ".join(leg.name for leg in self.legs if leg.blind)
            return f"nobody answers on {blind}, and the peer sees more"
        if self.rules.drains and peer.takes:
            return MAINTENANCE
        apart = self.apart_since is not None and now - self.apart_since > PATIENCE
        if ours == theirs and apart and not peer.yields:
            return self._apart(peer)
        return ""

    def _scores(self, peer: Peer) -> tuple[int, int]:
        ours = sum(leg.weight for leg in self.legs if not leg.blind)
        return ours, sum(leg.weight for leg in self.legs if self._sees(peer, leg))

    def _sees(self, peer: Peer, leg: Leg) -> bool:
        """Whether the peer sees what we do not: answers that are newer than our first miss. The
        one whose probes happen to fail first must not take a common loss for its own."""
        said = peer.legs.get(leg.name)
        if said is None or said.last is None or said.since is None:
            return False
        if not leg.blind:
            return True
        steady = peer.at - said.since > STEADY_ROUNDS * self.rules.interval
        return steady and said.last > leg.lost_at + self.rules.interval / 2

    def _note_partition(self, now: float, peer: Peer | None, heard: Mapping[str, float]) -> None:
        """Heard, but not where a master is elected: both may hold the addresses."""
        apart = peer is not None and any(
            leg.name not in peer.hears or self._silent(now, heard.get(leg.name, float("-inf")))
            for leg in self.legs
            if leg.elects and leg.name in heard
        )
        if not apart:
            self.apart_since = None
        elif self.apart_since is None:
            self.apart_since = now

    def _apart(self, peer: Peer) -> str:
        """Both see neighbours, though not each other: who sees fewer yields, else the second."""
        ours = sum(leg.seen(self.rules) for leg in self.legs if leg.elects)
        theirs = sum(
            peer.legs[leg.name].seen for leg in self.legs if leg.elects and leg.name in peer.legs
        )
        if ours < theirs or (ours == theirs and self.rules.rank > 0):
            return "the peer is not heard where a master is elected, and sees no less"
        return ""

    def _holds_back(self, now: float, peer: Peer) -> bool:
        """Whether a machine that yielded goes on yielding, though no longer worse."""
        if not self.waits or not peer.fit:
            return False
        ours, theirs = self._scores(peer)
        better = ours > theirs or (ours == theirs and peer.yields)
        needed = STEADY_ROUNDS * self.rules.interval if better else self.rules.hold
        since = [leg.since for leg in self.legs]
        if better:
            return any(each is not None and now - each < needed for each in since)
        return any(each is None or now - each < needed for each in since)
