"""Where the seconds of a run went."""

import time

import pytest

from surveylake.progress import Stopwatch


def test_a_step_of_several_parts_is_one_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1.0, 3.0, 3.0, 3.5, 4.0, 4.25])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    stopwatch = Stopwatch()
    for step in ("write", "commit", "write"):
        with stopwatch.timed(step):
            pass
    assert stopwatch.seconds == {"write": 2.25, "commit": 0.5}
    assert stopwatch.line() == "took: write 2.2 s, commit 0.5 s"


def test_a_step_that_fails_has_taken_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1.0, 3.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    stopwatch = Stopwatch()
    with pytest.raises(ValueError), stopwatch.timed("write"):
        raise ValueError
    assert stopwatch.line() == "took: write 2.0 s"
