"""The parts of a baseline. A further daemon for every machine is a file beside this one and a row
here. Pure."""

from __future__ import annotations

from collections.abc import Callable

from components.host.baseline import (
    apt,
    certificates,
    chrony,
    distribution,
    journal,
    journald,
    legs,
    names,
    node_exporter,
    sshd,
)
from components.host.baseline.model import BaselineModel
from components.host.part import Part

PARTS: tuple[Callable[[BaselineModel], Part | None], ...] = (
    distribution.part,
    names.part,
    legs.part,
    journald.part,
    sshd.part,
    chrony.part,
    node_exporter.part,
    certificates.part,
    journal.part,
    apt.part,
)
"""In the order in which units are brought up; None from a part that a machine does without."""


def parts(model: BaselineModel) -> tuple[Part, ...]:
    """The parts of one machine's baseline."""
    made = (part(model) for part in PARTS)
    return tuple(each for each in made if each is not None)
