"""b6: Spark's Java ends, or runs out of memory, under a running verb: one line says so, and nothing is left half written."""

import re
import signal
from pathlib import Path

import pytest

from support import shell
from support.survey_env import SurveyEnv
from support.waiting import until
from surveylake.errors import JavaError, StorageError
from surveylake.runtime import java_exit

TASK = "length(repeat(substr(food, 1, 1), 1900000000)) > 0"
"""A rule whose value does not fit into the heap: a task evaluates it, and Spark then ends its Java."""
PLAN = "length(repeat('x', 2000000000)) > 0"
"""The same for the planner, which evaluates what does not depend on a row: Java lives on."""
VERBS = {
    "run": ["--lake", "lake", "--out", "out"], "aggregate": ["--lake", "lake"], "export": ["--lake", "lake", "--out", "out"],
    "verify": ["--lake", "lake"], "maintain": ["--lake", "lake"], "quarantine": ["--lake", "lake"],
    "replay": ["--lake", "lake"],
}  # fmt: skip


def assert_one_java_error(code: int | None, err: str) -> str:
    """The one message of a verb whose Java ended: what happened, and what to do next."""
    assert code == JavaError.exit_code == 8, err
    first, second = err.splitlines()[-2:]
    assert shell.strangers(err) == [] and err.count("error: ") == 1, err
    assert first.startswith("error: Spark's Java ") and "it had spark.driver.memory 2g" in first, err
    assert (
        second.startswith("  next: Run the same command again")
        and "spark.driver.memory in conf/spark-defaults.conf" in second
    )
    return first


def ruled(env: SurveyEnv, rule: str) -> None:
    """Give the env's survey one rule more."""
    text = env.survey.read_text(encoding="utf-8")
    assert "\n[summaries]\n" in text
    env.survey.write_text(
        text.replace("\n[summaries]\n", f'\n[rules]\nbig = "{rule}"\n\n[summaries]\n'), encoding="utf-8"
    )


@pytest.mark.integration
@pytest.mark.parametrize("verb", VERBS)
def test_b6_a_java_killed_while_it_starts_is_said_by_every_verb(verb: str, tmp_path: Path) -> None:
    (tmp_path / "lake" / "records" / "_delta_log").mkdir(parents=True)
    (tmp_path / "lake" / "records" / "_delta_log" / f"{0:020d}.json").write_text(
        '{"commitInfo":{}}\n', encoding="utf-8"
    )
    places = [str(tmp_path / word) if word in ("lake", "out") else word for word in VERBS[verb]]
    with shell.started(shell.command(verb, *places), tmp_path / "var") as process:
        until(lambda: len(shell.spark_of(process)) > 0 or process.poll() is not None)
        for java in shell.spark_of(process):
            java.kill()
        _, err = process.communicate(timeout=120)
    assert "SIGKILL" in assert_one_java_error(process.returncode, err)
    assert not (tmp_path / "out").exists()


def test_b6_a_java_killed_in_the_middle_of_a_batch_is_said_and_the_next_run_goes_on(env: SurveyEnv) -> None:
    env.send(600)
    conf, third = env.with_limit(50), env.lake / "records" / "_delta_log" / f"{3:020d}.json"
    with shell.started(env.command("--conf", str(conf)), env.folder / "var") as process:
        until(third.is_file)
        shell.spark_of(process)[0].send_signal(signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert "it was killed (SIGKILL)" in assert_one_java_error(process.returncode, err)
    assert "a heap of" in err
    env.take()
    env.assert_every_offset_once(600)


def test_b6_a_task_that_runs_out_of_memory_is_said_and_the_next_run_goes_on(env: SurveyEnv) -> None:
    env.send(20)
    ruled(env, TASK)
    done = shell.run(env.command(), env.folder / "var")
    assert "OutOfMemoryError" in assert_one_java_error(done.returncode, done.stderr)
    (log,) = (env.folder / "var" / "log").glob("stream-*.log")
    assert str(log) in done.stderr and "OutOfMemoryError" in log.read_text(encoding="utf-8")
    env.take()
    env.assert_every_offset_once(20)


def test_b6_a_java_that_runs_out_of_memory_and_lives_is_said_alike(env: SurveyEnv) -> None:
    env.send(20)
    ruled(env, PLAN)
    done = shell.run(env.command(), env.folder / "var")
    assert "had too little memory: OutOfMemoryError" in assert_one_java_error(done.returncode, done.stderr)
    env.take()
    env.assert_every_offset_once(20)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "it was killed (SIGKILL)"), (143, "it was ended (SIGTERM)"), (-6, "it crashed (SIGABRT)"), (134, "it crashed (SIGABRT)"),
        (52, "it ran out of memory"), (1, "exit code 1"), (200, "exit code 200"),
    ],
)  # fmt: skip
def test_b6_an_exit_code_is_said_in_words(code: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java_exit.process_log, "tail", lambda: "")
    monkeypatch.setattr(java_exit, "_memory", java_exit.Memory("2g", 0, 0))
    assert words in java_exit._cause(code)


def test_b6_a_process_killed_for_want_of_memory_is_told_from_one_killed_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(java_exit.process_log, "tail", lambda: "")
    monkeypatch.setattr(java_exit, "_memory", java_exit.Memory("2g", 0, killed=3))
    monkeypatch.setattr(java_exit.limits, "killed_by_system", lambda: 3)
    assert "by somebody" in java_exit._cause(-9)
    monkeypatch.setattr(java_exit.limits, "killed_by_system", lambda: 4)
    assert "by the system, whose memory had run out" in java_exit._cause(-9)


@pytest.mark.parametrize("word", ["StackOverflowError", "OutOfMemoryError: unable to create native thread"])
def test_b6_what_helps_depends_on_what_there_was_too_little_of(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java_exit, "_memory", java_exit.Memory("2g", 0, 0))
    known = java_exit.as_java_error(StorageError(f"the stream stopped: {word}"))
    assert known is not None and re.search("-Xss" if "Stack" in word else "ulimit -u", known.hint)


def test_b6_a_failure_that_java_has_no_part_in_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java_exit, "_memory", java_exit.Memory("2g", 0, 0))
    monkeypatch.setattr(java_exit, "_end_words", lambda error: "")
    assert java_exit.as_java_error(StorageError("the lake cannot be written")) is None
    assert java_exit.as_java_error(ValueError("OutOfMemoryError is a word in somebody's answer")) is None
