"""jobs/convert.py prints or writes each format, and reads the standard's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import convert
from surveylake.contract.model import load_contract
from surveylake.paths import CONF, ROOT

SURVEY = CONF / "surveys" / "food_preference.toml"


def run(*args: str | Path) -> int:
    return convert.main([str(arg) for arg in args])


def test_a_contract_goes_to_the_standard_and_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, back = tmp_path / "food.odcs.yaml", tmp_path / "food.toml"
    assert run("odcs", "--out", there, "--lake", tmp_path / "lake") == 0
    assert run("from-odcs", there, "--out", back) == 0
    assert load_contract(back) == load_contract(SURVEY)
    assert yaml.safe_load(there.read_text("utf-8"))["servers"][0]["path"] == f"{tmp_path}/lake/{{model}}"
    assert capsys.readouterr().err.splitlines() == [f"wrote {there}", f"wrote {back}"]


def test_what_is_not_taken_over_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(
        "apiVersion: v3.1.0\nname: Orders\nschema:\n- name: t\n  properties:\n"
        "  - {name: id, logicalType: string, primaryKey: true, classification: public}\n",
        encoding="utf-8",
    )
    assert run("from-odcs", path) == 0
    printed = capsys.readouterr()
    assert printed.err == "note: not taken over: id: classification\n"
    assert printed.out.startswith('name = "orders"\ntitle = "Orders"\ntopic = "orders"\nkey = "id"\n')


@pytest.mark.parametrize(("form", "title"), [
    ("record-schema", "Food preference at the snack bar"), ("contract-schema", "The contract of a survey"),
])  # fmt: skip
def test_schemas_are_json(capsys: pytest.CaptureFixture[str], form: str, title: str) -> None:
    assert run(form) == 0
    assert json.loads(capsys.readouterr().out)["title"] == title


def test_a_contract_that_is_there_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, kept = tmp_path / "x.yaml", tmp_path / "mine.toml"
    kept.write_text("# mine\n", encoding="utf-8")
    assert run("odcs", "--out", path) == 0
    assert run("from-odcs", path, "--out", kept) == 2
    assert kept.read_text("utf-8") == "# mine\n"
    assert "is there already" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("odcs", "--out", tmp_path / "no" / "x.yaml") == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_reader_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, ROOT / "jobs" / "convert.py", "contract-schema"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
