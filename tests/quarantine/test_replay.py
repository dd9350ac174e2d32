"""A corrected contract reaches the records that are stored already, in one commit, and nothing else changes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import replay
from support import pets_survey
from surveylake.contract.model import Contract
from surveylake.errors import ProofError, StorageError
from surveylake.lake.lock import one_writer
from surveylake.lake.tables import RECORDS, Lake
from surveylake.quarantine import judgement
from surveylake.quarantine.comparison import Change, changes
from surveylake.validate.pipeline import validated

Output = Callable[[], str]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    return lambda: capsys.readouterr().out


def run(lake: Path, survey: Path, *more: str) -> int:
    return replay.main(["--lake", str(lake), "--survey", str(survey), *more])


def stored(lake: Path) -> dict[int, dict[str, object]]:
    """offset -> row, read by delta-rs."""
    rows = DeltaTable(str(lake / RECORDS)).to_pyarrow_table().to_pylist()
    found = {row["offset"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_a_corrected_contract_reaches_stored_records_and_the_stream_goes_on(
    spark: SparkSession, broker: str, tmp_path: Path, output: Output
) -> None:
    lake, settings = tmp_path / "lake", pets_survey.config(broker, 1)
    old = pets_survey.contract(tmp_path, "replayed")
    values = [
        pets_survey.answer("a"),
        pets_survey.answer("b", "Kat"),
        pets_survey.answer("c", age=35),
        b"{",
        pets_survey.answer("d", Town=""),
    ]
    pets_survey.send(settings, "replayed", values)
    pets_survey.take_in(lake, settings, old)
    before = stored(lake)
    assert [before[n]["accepted"] for n in range(5)] == [True, False, False, False, True]

    survey = pets_survey.contract_file(tmp_path, "replayed", '{ cat = ["Kat"] }', 40)
    version = DeltaTable(str(lake / RECORDS)).version()
    output()
    assert run(lake, survey, "--dry-run") == 0
    printed = output()
    assert "not_allowed:Pet -> accepted  (values: pet)" in printed
    assert "out_of_range:Age -> accepted\n" in printed
    assert "2 records would change" in printed
    assert DeltaTable(str(lake / RECORDS)).version() == version

    assert run(lake, survey) == 0
    assert "2 records changed" in output()
    after = stored(lake)
    assert [after[n]["accepted"] for n in range(5)] == [True, True, True, False, True]
    assert after[1]["pet"] == "cat"
    assert after[1]["failed_rules"] == []
    assert after[3]["failed_rules"] == ["malformed"]
    untouched = ("topic", "partition", "offset", "timestamp", "epoch", "key", "value")
    assert all(after[n][c] == before[n][c] for n in after for c in untouched)
    assert [after[n] for n in (0, 3, 4)] == [before[n] for n in (0, 3, 4)]
    newest = DeltaTable(str(lake / RECORDS))
    assert newest.version() == version + 1
    assert json.loads(newest.history(1)[0]["userMetadata"])["records"] == 2

    assert run(lake, survey) == 0
    assert "no new version" in output()
    assert DeltaTable(str(lake / RECORDS)).version() == version + 1

    pets_survey.send(settings, "replayed", [pets_survey.answer("e", "Kat"), pets_survey.answer("f")])
    pets_survey.take_in(lake, settings, pets_survey.load_contract(survey))
    assert sorted(stored(lake)) == list(range(7))
    assert DeltaTable(str(lake / RECORDS)).transaction_version(_query(lake)) == 1


def _query(lake: Path) -> str:
    return str(json.loads((lake / "_checkpoints" / RECORDS / "epoch-1" / "metadata").read_text())["id"])


def rows(spark: SparkSession, values: list[bytes], tmp_path: Path) -> DataFrame:
    """What the stream would store of some values, under the contract as it was."""
    rows_before = [("rows", 0, n, 1, "k", value) for n, value in enumerate(values)]
    frame = spark.createDataFrame(
        rows_before, "topic string, partition int, offset bigint, epoch int, key string, value binary"
    )
    return validated(
        frame.selectExpr("*", "timestamp'2026-01-01' AS timestamp"),
        pets_survey.contract(tmp_path, "rows"),
        1000,
    )


def kinds(was: DataFrame, now: Contract) -> list[Change]:
    """How some stored records would change, their data files apart: they are in none."""
    names = {name: name for name in now.columns}
    stored = was.withColumn(judgement.FILE, F.lit("a file"))
    return changes(judgement.compared(stored, now, names, 1000), names)


def test_a_value_that_becomes_null_is_a_change_and_null_to_null_is_none(
    spark: SparkSession, tmp_path: Path
) -> None:
    was = rows(spark, [pets_survey.answer("a"), pets_survey.answer("b", Town="")], tmp_path)
    now = pets_survey.contract(tmp_path, "rows")
    assert kinds(was, now) == []
    stale = was.withColumn("town", was["town"]).replace("Ulm", "Bonn", ["town"])
    missing = was.selectExpr(
        *(c if c != "town" else "IF(offset = 0, CAST(NULL AS string), town) AS town" for c in was.columns)
    )
    for other in (stale, missing):
        (kind,) = kinds(other, now)
        assert (kind.before, kind.after, kind.columns, kind.records) == ((), (), ("town",), 1)


def test_an_accepted_record_can_become_rejected(spark: SparkSession, tmp_path: Path) -> None:
    was = rows(spark, [pets_survey.answer("a", age=20), pets_survey.answer("b", age=5)], tmp_path)
    now = pets_survey.contract(tmp_path, "rows", most=10)
    (kind,) = kinds(was, now)
    assert kind.line().split() == ["1", "accepted", "->", "out_of_range:Age"]


def test_a_doubled_offset_is_refused(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    twice = rows(spark, [pets_survey.answer("a", age=20)], tmp_path)
    for _ in range(2):
        twice.write.format("delta").mode("append").save(lake.table(RECORDS))
    assert (
        run(tmp_path / "lake", pets_survey.contract_file(tmp_path, "rows", most=10)) == ProofError.exit_code
    )
    assert "offset 0 is in records 2 times" in capsys.readouterr().err
    assert DeltaTable(lake.table(RECORDS)).version() == 1


def test_a_lake_that_is_being_written_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with one_writer(str(tmp_path / "lake"), "stream.py"):
        assert run(tmp_path / "lake", pets_survey.contract_file(tmp_path, "rows")) == StorageError.exit_code
    assert "stream.py (process" in capsys.readouterr().err
