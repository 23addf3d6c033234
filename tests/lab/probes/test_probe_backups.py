"""How old the last backup may be."""

from __future__ import annotations

import time

import pytest

from components.cluster.backup import METRIC, TOLD
from lab.probes import backups
from lab.probes.result import Broken
from settings.models import Backups
from tests.lab.probes.test_well import STACK, world

WITH = STACK.model_copy(
    update={
        "cluster": STACK.cluster.model_copy(
            update={"backups": Backups.model_construct(every_hours=6)}
        )
    }
)


def told(hours: float | None, failed: int = 0) -> dict[str, str]:
    last = 0 if hours is None else int(time.time() - hours * 3600)
    text = f"{METRIC}_last_success_timestamp_seconds {last}\n{METRIC}_last_failed {failed}\n"
    return {f"cp-1: cat {TOLD}": text}


def test_a_stack_without_backups_promises_none() -> None:
    assert backups.young(world()) == "the stack has none"


def test_a_young_one_is_well() -> None:
    assert backups.young(world(stack=WITH, words=told(5))) == "cp-1 5.0 h"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (told(13), "cp-1: its last backup is 13 hours old"),
        (told(None), "cp-1 has shipped no backup yet"),
        (told(1, failed=1), "cp-1: its last backup failed"),
    ],
)
def test_an_old_a_failed_or_none_is_told(words: dict[str, str], wrong: str) -> None:
    with pytest.raises(Broken, match=wrong):
        backups.young(world(stack=WITH, words=words))
