"""The whole way of two survey tools' files, a workbook and a CSV of codes: from the file to tables and a report."""

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import run
from surveylake.paths import CONF

EXAMPLES = CONF / "surveys" / "examples"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kafka")


def people(
    kafka: Path, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> dict[Any, dict[str, Any]]:
    """Who answered -> the row of `responses`, after a whole run."""
    monkeypatch.setattr(run, "VAR", kafka)
    (file,) = (path for path in EXAMPLES.glob(f"{name}.*") if path.suffix != ".toml")
    words = [
        "--survey",
        EXAMPLES / f"{name}.toml",
        "--input",
        file,
        "--lake",
        folder / "lake",
        "--out",
        folder / "out",
    ]
    assert run.main([str(word) for word in words]) == 0
    rows = DeltaTable(folder / "lake" / "responses").to_pyarrow_table().to_pylist()
    assert (folder / "out" / "report.html").is_file()
    return {row["id"]: row for row in rows}


def test_a_workbook_of_microsoft_forms(
    spark: SparkSession, kafka: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = people(kafka, tmp_path, "microsoft_forms", monkeypatch)
    assert sorted(found) == [number for number in range(1, 25) if number != 4]
    assert found[6]["started_at"].isoformat() == "2024-05-06T22:00:00+00:00"
    assert found[7]["days"] is None
    assert {row["comes_by_bike"] for row in found.values()} == {True, False}
    assert all(("Bike" in row["ways"]) is row["comes_by_bike"] for row in found.values())


def test_a_csv_of_limesurvey(
    spark: SparkSession, kafka: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = people(kafka, tmp_path, "limesurvey", monkeypatch)
    assert len(found) == 24
    assert found[6]["ways"] is not None and "Other" in found[6]["ways"]
    for row in found.values():
        ticked = [
            way for way, field in {"Bus": "by_bus", "Bike": "by_bike", "Car": "by_car"}.items() if row[field]
        ]
        assert [way for way in row["ways"] or [] if way != "Other"] == ticked
