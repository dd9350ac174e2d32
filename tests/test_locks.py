"""FileLock: refused, waited for, inherited, released."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from surveylake.locks import FileLock, HeldError


def test_a_refused_process_reads_the_holders_name(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", "the first"), pytest.raises(HeldError) as error:
        FileLock(tmp_path / "lock", "the second")
    assert error.value.holder == "the first"


def test_a_released_lock_is_free_and_a_shorter_name_replaces_a_longer_one(tmp_path: Path) -> None:
    FileLock(tmp_path / "lock", "a long name").release()
    with FileLock(tmp_path / "lock", "short") as lock:
        assert lock.read() == (tmp_path / "lock").read_text() == "short"


def test_a_waiting_process_has_the_lock_once_it_is_released(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "lock")
    timer = threading.Timer(0.2, first.release)
    timer.start()
    FileLock(tmp_path / "lock", wait_seconds=10).release()
    timer.join()


def test_a_process_waits_no_longer_than_it_was_told(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"), pytest.raises(HeldError):
        FileLock(tmp_path / "lock", wait_seconds=0.1)


def test_a_child_that_inherits_the_lock_keeps_it(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", "the owner")
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=[lock.fileno()]
    ) as child:
        lock.release()
        with pytest.raises(HeldError, match="the owner"):
            FileLock(tmp_path / "lock")
        child.kill()
    FileLock(tmp_path / "lock").release()


@pytest.mark.parametrize("other", [False, True])
def test_a_folder_that_contains_nothing_else_is_removed_when_that_is_wanted(
    tmp_path: Path, other: bool
) -> None:
    lock = FileLock(tmp_path / "new" / "lock")
    if other:
        (tmp_path / "new" / "file").touch()
    lock.release(remove_empty=True)
    assert (tmp_path / "new").exists() == other


def test_a_refused_process_keeps_no_file_open(tmp_path: Path) -> None:
    before = os.listdir("/dev/fd")
    with FileLock(tmp_path / "lock"):
        for _ in range(3):
            with pytest.raises(HeldError):
                FileLock(tmp_path / "lock")
    assert len(os.listdir("/dev/fd")) == len(before)


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        FileLock(tmp_path / "lock", "me")
    assert not (tmp_path / "elsewhere").exists()
