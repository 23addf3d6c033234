"""What is tried again while a cluster comes up, for how long, and what is not."""

from __future__ import annotations

import pytest

from lab.plugins.kubernetes import apply, ready
from lab.plugins.kubernetes.client import ApiError, NoSuchKind, Unreachable
from lab.plugins.kubernetes.objects import Gvk, Obj
from lab.plugins.kubernetes.verdict import READY, Verdict, Wait
from lab.plugins.server import Cancelled, Context, PluginError

WEBHOOK = (
    'Internal error occurred: failed calling webhook "v.metallb.io": failed to call webhook: '
    "Post https://webhook.svc:443: dial tcp 198.18.96.7:443: connect: connection refused"
)
UNTRUSTED = (
    'Internal error occurred: failed calling webhook "v.metallb.io": failed to call webhook: '
    "tls: failed to verify certificate: x509: certificate signed by unknown authority"
)


class Time:
    """A clock that only pauses move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(apply, "pause", self.pause)
        monkeypatch.setattr(ready, "pause", self.pause)

    def pause(self, ctx: Context, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


def give_up_after(clock: Time, error: PluginError, seconds: float = 600.0) -> float:
    def attempt() -> None:
        raise error

    with pytest.raises(type(error)):
        apply.patiently(Context(), attempt, seconds=seconds, clock=clock)
    return clock.now


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        (NoSuchKind("no matches"), 15, apply.KIND_SECONDS),
        (ApiError(404, "NotFound", 'namespaces "x" not found'), 15, apply.KIND_SECONDS),
        (ApiError(500, "InternalError", WEBHOOK), 100, apply.STARTING_SECONDS),
        (ApiError(500, "InternalError", UNTRUSTED), 100, apply.STARTING_SECONDS),
        (ApiError(503, "ServiceUnavailable", "starting"), 100, apply.STARTING_SECONDS),
        (Unreachable("connection refused"), 100, apply.STARTING_SECONDS),
        (ApiError(500, "InternalError", "etcdserver: no space"), 0, 0),
        (ApiError(422, "Invalid", "spec.x: Invalid value"), 0, 0),
        (ApiError(403, "Forbidden", "no"), 0, 0),
    ],
)
def test_only_what_passes_by_itself_is_tried_again_and_not_for_ever(
    clock: Time, error: PluginError, least: float, most: float
) -> None:
    assert least <= give_up_after(clock, error) <= most


def test_nothing_is_tried_beyond_the_resources_own_timeout(clock: Time) -> None:
    assert give_up_after(clock, Unreachable("gone"), seconds=5.0) <= 5.0


def test_an_attempt_that_works_at_last_is_the_answer(clock: Time) -> None:
    answers = [NoSuchKind("x"), ApiError(500, "InternalError", WEBHOOK)]

    def attempt() -> str:
        if answers:
            raise answers.pop(0)
        return "made"

    assert apply.patiently(Context(), attempt, seconds=60, clock=clock) == "made"


class Scripted:
    """A cluster that answers with what a test gives it, the last for ever."""

    def __init__(self, *answers: Obj | PluginError | None) -> None:
        self.answers = list(answers)

    def get(self, gvk: Gvk, namespace: str, name: str) -> Obj | None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, PluginError):
            raise answer
        return answer

    def list(self, gvk: Gvk, namespace: str) -> list[Obj]:
        return []


POD = Gvk("", "v1", "Pod")
LIVE: Obj = {"metadata": {"name": "p", "namespace": "n", "uid": "1"}}


def judge(live: Obj, around: object, before: object) -> Verdict:
    return READY if live.get("up") else Verdict(waiting_for="it to be up")


def wait(clock: Time, cluster: Scripted, seconds: float = 10.0) -> Obj:
    return ready.until_ready(
        Context(), cluster, POD, LIVE, Wait(judge), seconds=seconds, clock=clock
    )  # type: ignore[arg-type]


def test_an_api_server_that_restarts_does_not_end_a_wait(clock: Time) -> None:
    live = {**LIVE, "up": True}
    assert wait(clock, Scripted(LIVE, Unreachable("refused"), live)) == live


def test_an_api_server_that_stays_away_is_the_reason(clock: Time) -> None:
    with pytest.raises(ready.NotReady) as failed:
        wait(clock, Scripted(LIVE, Unreachable("https://198.18.0.10:6443: refused")))
    assert failed.value.reasons == [
        "Pod n/p is not ready after 10 s: waiting for it to be up",
        "the API server does not answer: https://198.18.0.10:6443: refused",
    ]


def test_an_object_that_goes_while_it_is_awaited_is_the_reason(clock: Time) -> None:
    with pytest.raises(ready.NotReady, match="Pod n/p was deleted meanwhile"):
        wait(clock, Scripted(LIVE, None))


def test_a_verdict_that_settles_counts_only_while_it_stays_the_same(clock: Time) -> None:
    def settling(live: Obj, around: object, before: object) -> Verdict:
        return Verdict(waiting_for=str(live["n"]), settles=4.0)

    cluster = Scripted({**LIVE, "n": 1}, {**LIVE, "n": 2}, {**LIVE, "n": 3})
    found = ready.until_ready(
        Context(), cluster, POD, LIVE, Wait(settling), seconds=60, clock=clock
    )  # type: ignore[arg-type]
    assert found["n"] == 3
    assert 5.0 <= clock.now <= 8.0


def test_the_limit_is_the_custom_timeout_then_the_annotation_then_ten_minutes() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "7"}}}
    assert ready.time_limit(Context(), {}) == 600
    assert ready.time_limit(Context(), annotated) == 7
    assert ready.time_limit(Context(timeout=3), annotated) == pytest.approx(3, abs=0.1)


def test_a_cancelled_run_ends_a_pause_at_once() -> None:
    ctx = Context(name="web")
    ctx.cancel()
    with pytest.raises(Cancelled, match="web: cancelled"):
        ready.pause(ctx, 60)


def test_an_object_under_another_uid_is_another_object(clock: Time) -> None:
    again = {"metadata": {"name": "p", "namespace": "n", "uid": "2"}}
    ready.until_gone(Context(), Scripted(LIVE, again), POD, LIVE, seconds=60, clock=clock)  # type: ignore[arg-type]
