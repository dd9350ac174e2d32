"""The model of two workers in `make bench ONLY=scale_out`: its arithmetic, and what it reads of an event log."""

import importlib
import itertools
import json
import random
from pathlib import Path
from types import ModuleType

import pytest

from surveylake.paths import ROOT


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("parts.scale_out")


def test_a_stage_of_equal_tasks_takes_half_as_long_on_two_workers(model: ModuleType) -> None:
    assert model.makespan([2.0] * 4, 2) == 4.0
    assert model.makespan([2.0] * 4, 1) == 8.0


def test_a_stage_takes_no_less_than_its_longest_task(model: ModuleType) -> None:
    assert model.makespan([9.0, 1.0, 1.0], 2) == 9.0
    assert model.makespan([], 2) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_order_is_within_a_sixth_of_the_best_for_two(model: ModuleType, seed: int) -> None:
    """Graham's bound for the longest first, 4/3 - 1/(3 m), with m = 2."""
    chance = random.Random(seed)
    tasks = [chance.uniform(1, 10) for _ in range(8)]
    best = min(
        max(sum(task for task, side in zip(tasks, sides, strict=True) if side == worker) for worker in (0, 1))
        for sides in itertools.product((0, 1), repeat=len(tasks))
    )
    assert best - 1e-9 <= model.makespan(tasks, 2) <= best * 7 / 6 + 1e-9


def test_what_is_no_task_takes_as_long_as_it_did(model: ModuleType) -> None:
    run = model.Run(seconds=20.0, stages=[[4.0, 4.0], [6.0]])
    assert model.modelled(run, 1) == 20.0
    assert model.modelled(run, 2) == 16.0


def test_tasks_are_those_between_the_two_times_by_stage(model: ModuleType, tmp_path: Path) -> None:
    def task(stage: int, start: int, end: int) -> str:
        times = {"Launch Time": start * 1000, "Finish Time": end * 1000}
        return json.dumps({"Event": "SparkListenerTaskEnd", "Stage ID": stage, "Task Info": times})

    lines = [
        json.dumps({"Event": "SparkListenerLogStart"}),
        task(1, 5, 9),
        task(2, 10, 12),
        task(2, 10, 13),
        task(3, 13, 14),
    ]
    (tmp_path / "app-1.inprogress").write_text("\n".join(lines) + '\n{"Event": "Spark', "utf-8")
    (tmp_path / ".app-1.crc").touch()
    assert model.stages(tmp_path, 10, 20) == [[2.0, 3.0], [1.0]]
