"""A file is there when it is whole, or not at all; the CSV of rejected records is one."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import quarantine
from surveylake.errors import ConfigError
from surveylake.paths import new_file
from surveylake.signals import Terminated

ROW = {"topic": "t", "offset": 1}


def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with new_file(path) as part:
        part.write_text("a\n1\n")
        assert not path.exists()
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [Terminated, KeyboardInterrupt, RuntimeError])
def test_rows_that_break_off_leave_nothing_and_may_be_written_again(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    def breaking() -> Iterator[dict[str, object]]:
        yield ROW
        raise failure

    path = tmp_path / "rejects.csv"
    with pytest.raises(failure):
        quarantine._write(path, breaking(), False)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert quarantine._write(path, iter([ROW]), False) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["rejects.csv", "rejects.csv.part"])
def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=f"{name} is there already"):
        quarantine._write(tmp_path / "rejects.csv", iter([ROW]), False)
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_that_another_takes_meanwhile_stays_with_it(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with pytest.raises(FileExistsError, match=r"rejects\.csv"), new_file(path) as part:
        part.write_text("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_may_be_replaced_is_replaced_as_a_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "contract.toml"
    path.write_text("old")
    path.chmod(0o600)
    with pytest.raises(RuntimeError), new_file(path, over=True) as part:
        part.write_text("ne")
        raise RuntimeError
    assert path.read_text() == "old"
    with new_file(path, over=True) as part:
        part.write_text("new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "contract.toml.part").write_text("mine")
    with pytest.raises(FileExistsError, match="part"), new_file(path, over=True):
        pass
    assert (tmp_path / "contract.toml.part").read_text() == "mine"


def test_where_a_file_cannot_be_named_no_empty_one_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(PermissionError), new_file(tmp_path / "a.csv") as part:
        part.write_text("a")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_hard_links_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "rejects.csv"
    assert quarantine._write(path, iter([ROW]), False) == 1
    assert path.read_text().splitlines()[1].startswith("t,")
    assert list(tmp_path.iterdir()) == [path]
