"""A session as a daemon tells of it, and what node_exporter's textfile collector reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

METRIC = "layered_cloud_bgp"
TOLD = "/var/lib/prometheus/node-exporter/layered-cloud-bgp.prom"
"""Where the collector looks (Debian's default)."""


@dataclass(frozen=True)
class Session:
    """One session, up or not.

    `peer` is the neighbour's address, `name` what the configuration calls it, `state` the daemon's
    word of RFC 4271, 8.2.2. `received` and `announced` count prefixes, `changed` is when it came up
    or went down (Unix time; None: it never was up). `bfd` says whether BFD sees the neighbour;
    None: nobody asks it to.
    """

    peer: str
    name: str
    state: str
    received: int
    announced: int
    changed: float | None
    bfd: bool | None

    @property
    def up(self) -> bool:
        return self.state == "Established"


@dataclass(frozen=True)
class Daemon:
    """How a daemon is asked. `read` gives the sessions in the answer to `sessions` and, where BFD
    is on, to `bfd`, at a moment (Unix time); it raises `ValueError` or `KeyError` for what is no
    answer of this daemon's."""

    sessions: Sequence[str]
    bfd: Sequence[str]
    read: Callable[[str, str | None, float], Iterable[Session]]


def text(daemon: str, sessions: Iterable[Session] | None) -> str:
    """The figures (Prometheus' text format); None: the daemon did not answer."""
    told = f"{METRIC}_answers{_labels(daemon=daemon)} {int(sessions is not None)}\n"
    return told + "".join(line for each in sessions or () for line in _lines(each))


def _lines(session: Session) -> Iterator[str]:
    whose = _labels(peer=session.peer, name=session.name)
    figures: Mapping[str, float | None] = {
        "up": int(session.up),
        "prefixes_received": session.received,
        "prefixes_announced": session.announced,
        "changed_timestamp_seconds": session.changed,
        "bfd_up": None if session.bfd is None else int(session.bfd),
    }
    for name, value in figures.items():
        if value is not None:
            yield f"{METRIC}_session_{name}{whose} {value}\n"
    labels = _labels(peer=session.peer, name=session.name, state=session.state)
    yield f"{METRIC}_session_state{labels} 1\n"


def _labels(**labels: str) -> str:
    return "{" + ", ".join(f'{name}="{_quoted(value)}"' for name, value in labels.items()) + "}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
