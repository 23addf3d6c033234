"""What `init` asks, in this order: each question is a flag too, for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settings.init.questions.places import PLACES, REST
from settings.init.questions.platform import BACKUPS, PLATFORM
from settings.init.questions.question import Question
from settings.init.questions.routers import BGP, KIND
from settings.init.questions.service import CLUSTER, SERVICE

TOPICS: Final[Mapping[str, tuple[Question, ...]]] = {
    "Proxmox and the networks": PLACES,
    "the routers": KIND,
    "BGP (docs/routers.md)": BGP,
    "the cluster": CLUSTER,
    "the service": SERVICE,
    "on the cluster": PLATFORM,
    "backups of the cluster": BACKUPS,
    "the rest": REST,
}
"""By the heading of a help."""

QUESTIONS: Final = tuple(question for asked in TOPICS.values() for question in asked)
