"""16: the terminal has our lines; those of Spark, Java and libraries are in a file, which a failure names."""

import logging
import os
import time
from pathlib import Path

import pytest

from support import shell
from support.survey_env import SurveyEnv
from surveylake.errors import StorageError
from surveylake.runtime import process_log


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log folder of the test's own, for a process that has not written yet."""
    monkeypatch.setattr(process_log, "VAR", tmp_path)
    monkeypatch.delenv("SURVEYLAKE_LOG_FILE", raising=False)
    for name in ("path", "_start_size"):
        monkeypatch.setattr(process_log, name, getattr(process_log, name).__wrapped__)
    return tmp_path / "log"


@pytest.mark.integration
def test_16_a_whole_run_prints_our_lines_only(tmp_path: Path) -> None:
    words = shell.command("run", "--lake", tmp_path / "lake", "--out", tmp_path / "out")
    done = shell.run(words, tmp_path / "var")
    assert done.returncode == 0, done.stderr
    assert shell.strangers(done.stdout + done.stderr) == []
    (log,) = (tmp_path / "var" / "log").glob("run-*.log")
    assert "jdk.incubator.vector" in log.read_text(encoding="utf-8")


@pytest.mark.integration
@pytest.mark.parametrize("level", ["warn", "info"])
def test_16_the_file_and_how_much_is_in_it_can_be_chosen(tmp_path: Path, level: str) -> None:
    words, file = shell.command("quarantine", "--lake", tmp_path / "lake"), tmp_path / "it is here.log"
    done = shell.run(words, tmp_path / "var", SURVEYLAKE_LOG_FILE=str(file), SURVEYLAKE_LOG_LEVEL=level)
    assert done.returncode == StorageError.exit_code
    assert shell.strangers(done.stdout + done.stderr) == []
    assert ("INFO" in file.read_text(encoding="utf-8")) == (level == "info")


def test_16_a_batch_that_fails_is_one_message_and_the_trace_is_in_the_file(env: SurveyEnv) -> None:
    env.send(10)
    text = env.survey.read_text(encoding="utf-8")
    rule = '\n[rules]\nodd = "age / (age - age) > 0"\n\n[summaries]\n'
    env.survey.write_text(text.replace("\n[summaries]\n", rule), encoding="utf-8")
    done = shell.run(env.command(), env.folder / "var")
    assert done.returncode == StorageError.exit_code, done.stderr
    assert "DIVIDE_BY_ZERO" in done.stderr and done.stderr.count("error: ") == 1
    assert shell.strangers(done.stdout + done.stderr) == []
    (log,) = (env.folder / "var" / "log").glob("stream-*.log")
    assert log.read_text(encoding="utf-8").count("\tat org.apache.spark") > 20


def test_16_what_nobody_foresaw_is_one_line_and_the_name_of_the_file(tmp_path: Path) -> None:
    broken = tmp_path / "survey.toml"
    broken.mkdir()
    done = shell.run(shell.command("verify", "--survey", broken), tmp_path / "var")
    assert done.stderr.count("\n") == 2 and shell.strangers(done.stderr) == []


def test_16_ours_is_told_from_theirs() -> None:
    def of(name: str) -> bool:
        return process_log._is_ours(logging.LogRecord(name, logging.INFO, "", 0, "", None, None))

    assert all(map(of, ("surveylake.stream.query", "__main__", "stream", "run")))
    assert not any(
        map(of, ("root", "py4j.clientserver", "matplotlib.font_manager", "py.warnings", "streams"))
    )


def test_16_the_newest_files_of_ended_processes_are_kept(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_log, "MOST_FILES", 3)
    monkeypatch.setattr(process_log, "_is_alive", lambda process: process == 7)
    book.mkdir()
    for day, process in enumerate((7, 8, 9, 10, 11, 12), 1):
        (book / f"stream-2026010{day}-000000-{process}.log").touch()
    (book / "setup.log").touch()
    process_log.path()
    assert sorted(file.name.rpartition("-")[2] for file in book.iterdir()) == [
        "10.log",
        "11.log",
        "12.log",
        "7.log",
        "setup.log",
    ]


def test_16_a_file_that_was_there_is_added_to_and_its_past_is_not_this_processs(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.log"
    mine.write_text("OutOfMemoryError of last week\n", encoding="utf-8")
    monkeypatch.setenv("SURVEYLAKE_LOG_FILE", str(mine))
    began = process_log._start_size()
    monkeypatch.setattr(process_log, "_start_size", lambda: began)
    assert process_log.write_trace(ValueError("of today")) == mine
    assert "last week" not in process_log.tail() and "ValueError: of today" in process_log.tail()
    assert "last week" in mine.read_text(encoding="utf-8")


def test_16_where_no_log_can_be_written_a_trace_goes_to_a_temporary_file(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.write_text("a file, not a folder")
    monkeypatch.setattr(process_log.tempfile, "tempdir", str(tmp_path))
    file = process_log.path()
    assert file.parent == tmp_path and file.stat().st_mode & 0o777 == 0o600


def test_16_a_name_tells_the_verb_the_time_and_the_process(book: Path) -> None:
    match = process_log.NAME.fullmatch(process_log.path().name)
    assert match and int(match[1]) == os.getpid()
    assert time.strftime("%Y%m%d") in process_log.path().name
