"""Every doubt is seen to speak: a rule that enrolled itself and has no fixture is named here."""

from __future__ import annotations

from settings.checks import registry
from settings.files import inspect
from tests.settings.fixtures import patched, patches, read_patch


def test_every_doubt_speaks_in_a_fixture() -> None:
    silent = {rule.run.__name__: rule for rule in registry.DOUBTS}
    for path in patches("warn"):
        stack, _ = inspect(patched(read_patch(path)))
        assert stack is not None, path.name
        for name in [name for name, rule in silent.items() if list(rule.run(stack))]:
            del silent[name]
    lacking = [
        f"{name} ({rule.run.__module__}): add a fixture to tests/fixtures/warn"
        for name, rule in silent.items()
    ]
    assert lacking == []
