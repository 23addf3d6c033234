"""The shared server: secrets, unknowns, diffs, failures, cancelling."""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

import grpc
import pytest

from lab.plugins.diffing import Diff, compare, parse, text
from lab.plugins.resource import Context
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Created,
    PluginError,
    Properties,
    Provider,
    Resource,
    Secret,
)
from tests.lab.plugins.harness import CallFailed, plugin

TOKEN = "demo:index:Thing"


class Thing(Resource):
    """Has one of everything."""

    token = TOKEN
    computed = frozenset({"made", "stamp", "loud"})
    volatile = frozenset({"stamp"})
    derived: ClassVar = {"loud": frozenset({"word"})}
    secrets = frozenset({"password"})
    replace_on = frozenset({"size", "disks[*].store", "nested.fixed"})
    ignore = frozenset({"comment"})
    delete_before_replace = True

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.seen: list[Any] = []

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        if news.get("word") == "bad":
            raise CheckFailed({"word": "is bad; write a good one"})
        return {"comment": "none", **news}

    def create(self, ctx: Context, inputs: Properties) -> Created:
        self.seen.append(inputs)
        match inputs.get("word"):
            case "refuse":
                raise PluginError("the daemon said no")
            case "defect":
                raise ZeroDivisionError("division by zero")
            case "slow":
                self.entered.set()
                for _ in range(600):
                    ctx.pause(0.1)
        return Created(id="1", outputs={"made": "yes", "stamp": 1, "loud": "WORD"})

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        self.seen.append((state, olds, news))
        return {"stamp": state["stamp"] + 1}


class Demo(Provider):
    name = "demo"
    version = "1.0.0"

    def __init__(self) -> None:
        super().__init__()
        self.thing = Thing()

    def resources(self) -> tuple[Resource, ...]:
        return (self.thing,)

    def invokes(self) -> dict[str, Any]:
        return {"demo:index:echo": lambda ctx, arguments: {"said": arguments["word"]}}


@pytest.fixture
def provider() -> Demo:
    return Demo()


@pytest.fixture
def demo(provider: Demo):
    with plugin(provider) as harness:
        yield harness


def test_a_resource_sees_plain_values_and_a_secret_input_stays_secret_in_the_outputs(
    demo, provider
):
    state = demo.create(TOKEN, {"word": Secret("w"), "list": ["a", Secret("b")], "size": 3.0})
    assert provider.thing.seen == [{"word": "w", "list": ["a", "b"], "size": 3, "comment": "none"}]
    assert state.id == "1"
    assert state.outputs["word"] == Secret("w")
    assert state.outputs["list"] == ["a", Secret("b")]
    assert state.outputs["made"] == "yes"


def test_an_output_made_from_a_secret_input_is_secret_and_else_it_is_not(demo):
    assert demo.create(TOKEN, {"word": Secret("w")}).outputs["loud"] == Secret("WORD")
    assert demo.create(TOKEN, {"word": "w"}).outputs["loud"] == "WORD"


def test_a_property_declared_secret_is_marked_by_check_and_in_the_outputs(demo):
    state = demo.create(TOKEN, {"password": "hush"})
    assert state.inputs["password"] == Secret("hush")
    assert state.outputs["password"] == Secret("hush")


def test_a_preview_of_a_creation_shows_computed_outputs_as_unknown_and_calls_nothing(
    demo, provider
):
    state = demo.create(TOKEN, {"word": UNKNOWN, "size": 1}, preview=True)
    assert state.outputs == {
        "word": UNKNOWN, "size": 1, "comment": "none", "made": UNKNOWN, "stamp": UNKNOWN,
        "loud": UNKNOWN,
    }  # fmt: skip
    assert provider.thing.seen == []


def test_a_preview_of_an_update_keeps_what_stays_and_leaves_unknown_what_may_change(demo):
    state = demo.create(TOKEN, {"word": "a"})
    same_word = demo.update(state, {"word": "a", "other": 1}, preview=True)
    assert (same_word.outputs["made"], same_word.outputs["loud"]) == ("yes", "WORD")
    assert same_word.outputs["stamp"] is UNKNOWN
    assert demo.update(state, {"word": "b"}, preview=True).outputs["loud"] is UNKNOWN


def test_an_update_gets_the_old_inputs_and_keeps_outputs_it_does_not_return(demo, provider):
    state = demo.create(TOKEN, {"word": "a"})
    after = demo.update(state, {"word": "b"})
    old_state, olds, news = provider.thing.seen[-1]
    assert (old_state["stamp"], olds["word"], news["word"]) == (1, "a", "b")
    assert after.outputs == {
        "word": "b", "comment": "none", "made": "yes", "stamp": 2, "loud": "WORD"
    }  # fmt: skip


def test_a_diff_names_each_changed_property_by_its_path_and_whether_it_replaces(demo):
    old = {
        "size": 1, "word": "a", "comment": "x", "gone": True,
        "disks": [{"store": "fast", "gb": 1}], "nested": {"free": 1, "fixed": 1},
    }  # fmt: skip
    state = demo.create(TOKEN, old)
    assert demo.diff(state, old).nothing
    new = {
        "size": 1, "word": "b", "comment": "y", "fresh": "n",
        "disks": [{"store": "slow", "gb": 2}, {"gb": 5}], "nested": {"free": 2, "fixed": 1},
    }  # fmt: skip
    seen = demo.diff(state, new)
    assert seen.changes == {
        "word": "update",
        "gone": "delete",
        "fresh": "add",
        "disks[0].store": "update-replace",
        "disks[0].gb": "update",
        "disks[1]": "add-replace",
        "nested.free": "update",
    }
    assert sorted(seen.replaces) == ["disks[0].store", "disks[1]"]
    assert seen.delete_before_replace


def test_a_change_in_place_does_not_delete_first(demo):
    state = demo.create(TOKEN, {"word": "a"})
    assert not demo.diff(state, {"word": "b"}).delete_before_replace


def test_a_value_that_becomes_unknown_counts_as_changed(demo):
    state = demo.create(TOKEN, {"size": 1, "word": "a"})
    assert demo.diff(state, {"size": UNKNOWN, "word": "a"}).changes == {"size": "update-replace"}


def test_wrong_inputs_are_failures_that_name_the_property(demo):
    _, failures = demo.check(TOKEN, {"word": "bad"})
    assert failures == {"word": "is bad; write a good one"}


def test_a_refusal_is_shown_in_its_own_words_and_leaves_the_engine_sure_of_its_state(demo):
    with pytest.raises(CallFailed, match=r"^the daemon said no$") as failed:
        demo.create(TOKEN, {"word": "refuse"})
    assert failed.value.code is grpc.StatusCode.FAILED_PRECONDITION


def test_a_defect_names_its_kind(demo, capfd):
    with pytest.raises(CallFailed, match=r"^ZeroDivisionError: division by zero$"):
        demo.create(TOKEN, {"word": "defect"})
    assert "Traceback" in capfd.readouterr().err


def test_cancel_ends_what_is_under_way_and_refuses_what_comes_after(demo, provider):
    found: list[CallFailed] = []

    def create() -> None:
        with pytest.raises(CallFailed) as failed:
            demo.create(TOKEN, {"word": "slow"})
        found.append(failed.value)

    thread = threading.Thread(target=create)
    thread.start()
    assert provider.thing.entered.wait(10)
    demo.cancel()
    thread.join(5)
    assert found[0].code is grpc.StatusCode.CANCELLED
    assert str(found[0]) == "thing: cancelled"
    with pytest.raises(CallFailed, match="cancelled"):
        demo.create(TOKEN, {"word": "slow"})


def test_a_custom_timeout_bounds_a_wait_and_says_what_did_not_come(demo):
    started = time.monotonic()
    with pytest.raises(CallFailed, match=r"not done in 0\.3 s") as failed:
        demo.create(TOKEN, {"word": "slow"}, timeout=0.3)
    assert failed.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 5


def test_an_unknown_type_or_function_is_named(demo):
    with pytest.raises(CallFailed, match=r"demo:index:Other: the stand-in plugin for demo lacks"):
        demo.check("demo:index:Other", {})
    with pytest.raises(CallFailed, match=r"demo:index:shout: .* it has demo:index:echo"):
        demo.invoke("demo:index:shout")
    assert demo.invoke("demo:index:echo", {"word": Secret("w")}) == {"said": "w"}


def test_a_component_to_build_is_refused_by_name(demo):
    with pytest.raises(CallFailed, match=r"demo:index:Group: the stand-in plugin for demo lacks"):
        demo.construct("demo:index:Group")
    with pytest.raises(CallFailed, match=f"{TOKEN}: not a component") as failed:
        demo.construct(TOKEN)
    assert failed.value.code is grpc.StatusCode.FAILED_PRECONDITION


def test_read_keeps_the_state_by_default(demo):
    state = demo.create(TOKEN, {"word": Secret("w")})
    assert demo.read(state) == state


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("a", "b", 0, "c"), "a.b[0].c"),
        (("labels", "kubernetes.io/name"), 'labels["kubernetes.io/name"]'),
        (("a", 'quo"te'), 'a["quo\\"te"]'),
    ],
)
def test_property_paths_are_written_as_pulumi_writes_them_and_read_back(path, written):
    assert text(path) == written
    assert parse(written) == path


def test_a_list_that_shrinks_loses_its_last_items():
    assert compare({"a": [1, 2, 3]}, {"a": [1, 2]}) == Diff({"a[2]": "delete"})


def test_true_is_not_one():
    assert compare({"a": True}, {"a": 1}).changes == {"a": "update"}
    assert compare({"a": 1}, {"a": 1.0}).changes == {}


def test_an_action_registered_after_the_cancel_runs_at_once():
    ctx, done = Context(), []
    ctx.cancel()
    ctx.on_cancel(lambda: done.append(1))
    assert done == [1]
