"""A preview's events as the steps of the engine's JSON."""

from __future__ import annotations

from types import SimpleNamespace

from lab.engine.recorded import Recorded
from lab.plugins.wire import SECRET_SIGNATURE, SIGNATURE

HIDDEN = {SIGNATURE: SECRET_SIGNATURE, "ciphertext": "[secret]"}


def test_a_secret_is_the_engines_word_for_one_wherever_it_stands() -> None:
    state = SimpleNamespace(
        inputs={"connection": HIDDEN, "list": [HIDDEN, 1], "in": {"it": HIDDEN}}, protect=True
    )
    step = SimpleNamespace(
        op=SimpleNamespace(value="replace"), urn="urn::a", type="t", new=state, old=None,
        keys=["vmId"], diffs=None, detailed_diff={"vmId": object()},
    )  # fmt: skip
    recorded = Recorded()
    recorded.see(SimpleNamespace(resource_pre_event=None))
    recorded.see(SimpleNamespace(resource_pre_event=SimpleNamespace(metadata=step)))
    inputs = {"connection": "[secret]", "list": ["[secret]", 1], "in": {"it": "[secret]"}}
    new = {"urn": "urn::a", "type": "t", "inputs": inputs, "protect": True}
    assert recorded.plan() == {
        "steps": [
            {
                "op": "replace", "urn": "urn::a", "newState": new,
                "replaceReasons": ["vmId"], "detailedDiff": ["vmId"],
            }
        ]
    }  # fmt: skip
