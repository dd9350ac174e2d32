"""The file that a drafted contract is written to: whole or as it was, and nothing of somebody else's."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import draft
from surveylake.contract.model import load_contract
from surveylake.errors import ConfigError, StorageError


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("id,g\nA1,F\nA2,M\n", encoding="utf-8")
    return path


def full_disk(path: Path, text: str, **_: Any) -> None:
    """As `write_text` on a disk that has room for a part of the text."""
    with path.open("w") as file:
        file.write(text[:20])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("there", ["", "mine"])
def test_a_full_disk_leaves_what_was_there(
    answers: Path, there: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = answers.with_suffix(".toml")
    if there:
        contract.write_text(there)
    monkeypatch.setattr(Path, "write_text", full_disk)
    assert draft.main([str(answers), "--force"]) == StorageError.exit_code
    assert "a.toml cannot be written: No space left on device" in capsys.readouterr().err
    assert (contract.read_text() if contract.exists() else "") == there
    assert {path.name for path in answers.parent.iterdir()} == {"a.csv", *(["a.toml"] if there else [])}


def test_a_folder_that_is_missing_has_the_exit_code_that_help_says(
    answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert draft.main([str(answers), "--out", str(answers.parent / "no" / "a.toml")]) == 6
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    assert "6 the contract cannot be written" in draft.EXAMPLES


def test_a_contract_that_came_while_the_file_was_read_stays(
    answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, text_of = answers.with_suffix(".toml"), draft.contract_text

    def late(*arguments: Any) -> str:
        contract.write_text("mine")
        return text_of(*arguments)

    monkeypatch.setattr(draft, "contract_text", late)
    assert draft.main([str(answers)]) == ConfigError.exit_code
    assert contract.read_text() == "mine"
    assert not list(answers.parent.glob("*.part"))


def test_what_is_no_file_is_written_itself_or_named(
    answers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert draft.main([str(answers), "--out", "/dev/null", "--force"]) == 0
    assert Path("/dev/null").is_char_device()
    (tmp_path / "folder").mkdir()
    assert draft.main([str(answers), "--out", str(tmp_path / "folder"), "--force"]) == StorageError.exit_code
    assert "folder cannot be written: Is a directory" in capsys.readouterr().err


def test_a_file_of_somebodys_that_is_called_alike_stays(answers: Path) -> None:
    part = answers.with_name("a.toml.part")
    part.write_text("mine")
    assert draft.main([str(answers)]) == ConfigError.exit_code
    assert part.read_text() == "mine"


def test_a_link_to_a_contract_stays_a_link(answers: Path, tmp_path: Path) -> None:
    link, contract = answers.with_suffix(".toml"), tmp_path / "kept" / "b.toml"
    contract.parent.mkdir()
    contract.write_text("old")
    link.symlink_to(contract)
    assert draft.main([str(answers), "--force"]) == 0
    assert link.is_symlink() and load_contract(contract).fields.keys() == {"id", "g"}
