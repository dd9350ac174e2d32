"""One writer per lake; the lock is free again as soon as its holder is gone, however it went."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from surveylake.cli import add_out, lake_folder, survey_parser
from surveylake.errors import ConfigError, LakeLockedError, StorageError
from surveylake.lake.lock import LOCK, one_writer
from surveylake.paths import JOBS

HOLD = """
import sys
sys.path.insert(0, sys.argv[2])
from surveylake.lake.lock import one_writer
with one_writer(sys.argv[1], 'stream.py'):
    print('held', flush=True)
    sys.stdin.read()
"""


@contextmanager
def a_holder(lake: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lake."""
    command = [sys.executable, "-c", HOLD, str(lake), str(JOBS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_at_once_and_told_who_holds_the_lake(tmp_path: Path) -> None:
    with (
        a_holder(tmp_path) as process,
        pytest.raises(LakeLockedError) as error,
        one_writer(str(tmp_path), "aggregate.py"),
    ):
        pass
    assert f"being written by stream.py (process {process.pid})" in error.value.message
    assert error.value.hint


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path, how: signal.Signals) -> None:
    with a_holder(tmp_path) as process:
        process.send_signal(how)
        process.wait(10)
        with one_writer(str(tmp_path), "aggregate.py"):
            said = (tmp_path / LOCK).read_text()
    assert said == f"aggregate.py (process {os.getpid()})"


def test_the_lock_is_free_after_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), one_writer(str(tmp_path), "a"):
        raise ZeroDivisionError
    with one_writer(str(tmp_path), "b"):
        assert (tmp_path / LOCK).exists()


@pytest.mark.parametrize("lake", ["new", "a/new"])
def test_nothing_is_left_of_a_new_lake_into_which_nothing_was_written(tmp_path: Path, lake: str) -> None:
    with one_writer(str(tmp_path / lake), "stream.py"):
        assert (tmp_path / lake / LOCK).exists()
    assert not (tmp_path / lake).exists()


def test_a_lake_that_was_there_or_holds_something_stays(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with one_writer(str(tmp_path / "old"), "stream.py"):
        pass
    with one_writer(str(tmp_path / "new"), "stream.py"):
        (tmp_path / "new" / "records").mkdir()
    assert (tmp_path / "old").is_dir()
    assert (tmp_path / "new" / "records").is_dir()


def test_a_lock_that_was_removed_before_it_was_held_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process finds the lake empty and removes it, just before we have the lock: two writers would each have one."""
    lake, lock, calls = tmp_path / "lake", fcntl.flock, []

    def late(file: object, how: int) -> None:
        if not calls:
            (lake / LOCK).unlink()
            lake.rmdir()
        calls.append(how)
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", late)
    with one_writer(str(lake), "stream.py"):
        assert (lake / LOCK).read_text() == f"stream.py (process {os.getpid()})"
        (lake / "records").mkdir()
        with pytest.raises(LakeLockedError), one_writer(str(lake), "aggregate.py"):
            pass


def test_a_shorter_name_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    with one_writer(str(tmp_path), "a very long name indeed"):
        pass
    with one_writer(str(tmp_path), "b"):
        assert (tmp_path / LOCK).read_text() == f"b (process {os.getpid()})"


def test_the_same_lake_by_another_path_is_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "lake")
    with a_holder(tmp_path / "lake"), pytest.raises(LakeLockedError), one_writer(str(tmp_path / "link"), "b"):
        pass


@pytest.mark.parametrize("given", ["~/lake", "./~/lake", "file://{home}/lake"])
def test_a_home_folder_that_no_shell_expanded_is_the_same_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    home = tmp_path / "home"
    (home / "lake").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    lake = survey_parser("stream", "", "").parse_args([f"--lake={given.format(home=home)}"]).lake
    assert lake == str(home / "lake")
    with one_writer(lake, "stream.py"):
        for same in (home / "lake", "~/lake"):
            with pytest.raises(LakeLockedError), one_writer(str(same), "aggregate.py"):
                pass
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_exports_go_to_the_home_folder_that_no_shell_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    parser = survey_parser("export", "", "")
    add_out(parser, "")
    given = ["~/out", "file:///out", "s3a://bucket/~/out", "out"]
    assert [parser.parse_args([f"--out={out}"]).out for out in given] == [
        f"{tmp_path}/out", "/out", "s3a://bucket/~/out", "out",
    ]  # fmt: skip


def test_the_home_folder_of_nobody_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="leads nowhere"):
        lake_folder("~nobody-of-this-name/lake")
    assert not list(tmp_path.iterdir())


def test_two_lakes_are_two_locks(tmp_path: Path) -> None:
    with one_writer(str(tmp_path / "one"), "a"), one_writer(str(tmp_path / "two"), "b"):
        assert (tmp_path / "one" / LOCK).exists()


def test_a_lake_that_does_not_exist_yet_is_made(tmp_path: Path) -> None:
    with one_writer(str(tmp_path / "not" / "yet"), "a"):
        assert (tmp_path / "not" / "yet").is_dir()


def test_a_lake_that_cannot_be_written_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="cannot be written") as error,
        one_writer(str(tmp_path / "file" / "lake"), "a"),
    ):
        pass
    assert "--lake" in error.value.hint


def test_a_lake_at_a_uri_has_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with one_writer("s3://bucket/lake", "a"):
        assert not list(tmp_path.iterdir())
