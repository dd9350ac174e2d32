"""When a query is made for another layout: where most messages have it, and not again and again."""

import json

import pytest

from support.clock import Clock
from support.survey_env import answers
from support.validation import FOOD
from surveylake.errors import TopicError
from surveylake.stream import layout_watch
from surveylake.stream.layout_watch import LOOK_SECONDS, LayoutWatch


def turned(value: bytes) -> bytes:
    """The answer with its fields in another order."""
    return json.dumps(dict(reversed(json.loads(value).items()))).encode()


def framed(value: bytes) -> bytes:
    """The answer with a field more."""
    return json.dumps({"session": "s", **json.loads(value)}).encode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(layout_watch, "time", clock)
    return clock


def test_few_messages_in_another_layout_change_nothing() -> None:
    watch = LayoutWatch(FOOD)
    own, others = answers(100), [turned(value) for value in answers(49)]
    watch.learn(own)
    assert not watch.has_changed([*own[:51], *others])
    assert not watch.has_changed([b"rubbish"] * 100)
    assert not watch.has_changed([])
    assert watch.has_changed([*own[:40], *others])


def test_of_writers_of_whom_none_has_most_messages_each_is_waited_for_longer(clock: Clock) -> None:
    """Each time the newest messages are another writer's: a query that starts anew at every look only compiles."""
    watch, value = LayoutWatch(FOOD), answers(1)[0]
    writers = [[value] * 2, [turned(value)] * 2, [framed(value)] * 2]
    watch.learn(writers[0])
    waits = []
    for number in range(12):
        began = clock.now
        while not watch.is_due():
            clock.now += 1
        waits.append(clock.now - began)
        newest = [*writers[number % 3][:1], *writers[(number + 1) % 3], *writers[(number + 2) % 3][:1]]
        if watch.has_changed(newest):
            watch.learn(newest)
    assert waits == [LOOK_SECONDS * 2 ** min(number, 6) + 1 for number in range(12)]
    watch.has_changed(newest)
    clock.now += LOOK_SECONDS + 1
    assert watch.is_due(), "the present layout was met again"


def test_a_look_that_kafka_does_not_answer_changes_nothing(clock: Clock) -> None:
    """The look is for speed only."""

    class Silent:
        asked = 0

        def bounds(self) -> None:
            self.asked += 1
            raise TopicError("nothing listens there", "")

    watch, topic = LayoutWatch(FOOD), Silent()
    assert not watch.sees_another(topic)  # type: ignore[arg-type]
    assert topic.asked == 0, "it is not time yet"
    clock.now += LOOK_SECONDS + 1
    assert not watch.sees_another(topic)  # type: ignore[arg-type]
    assert not watch.sees_another(topic)  # type: ignore[arg-type]
    assert topic.asked == 1
