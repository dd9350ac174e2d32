"""Rejected records are counted, shown safely on a terminal, and written to a CSV that is safe in a spreadsheet."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

import quarantine
from surveylake.quarantine.rejects import by_reason, rejects, shown

SCHEMA = (
    "topic string, partition int, offset bigint, timestamp timestamp, epoch int, key string, value binary,"
    " accepted boolean, failed_rules array<string>"
)
WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ROWS = [
    ("t", 0, 0, WHEN, 1, "a", b'{"Age": "20"}', True, []),
    ("t", 0, 1, WHEN, 1, "b", b'{"Age": "300"}', False, ["out_of_range:Age", "blank:Food"]),
    ("t", 1, 0, WHEN, 1, "=1+1", b"=HYPERLINK(1)\x1b[31m\xff", False, ["malformed"]),
    ("t", 1, 1, WHEN, 1, None, None, False, ["tombstone"]),
    ("t", 0, 2, WHEN, 1, "c", b'{"Weight": "9"}', False, ["out_of_range:Weight"]),
]


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quarantine")
    spark.createDataFrame(ROWS, SCHEMA).coalesce(1).write.format("delta").save(str(folder / "records"))
    return folder


@pytest.fixture(scope="module")
def records(spark: SparkSession, lake: Path) -> DataFrame:
    return spark.read.format("delta").load(str(lake / "records"))


def test_rejects_are_counted_by_reason(records: DataFrame) -> None:
    counts = by_reason(rejects(records))
    assert counts == {
        "blank:Food": 1,
        "malformed": 1,
        "out_of_range:Age": 1,
        "out_of_range:Weight": 1,
        "tombstone": 1,
    }


@pytest.mark.parametrize(
    ("rule", "offsets"),
    [
        ("out_of_range:Age", [(0, 1)]),
        ("out_of_range", [(0, 1), (0, 2)]),
        ("out_of", []),
        ("malformed", [(1, 0)]),
        (None, 4),
    ],
)
def test_a_rule_is_a_whole_reason_or_its_kind(records: DataFrame, rule: str | None, offsets: object) -> None:
    found = sorted((row["partition"], row["offset"]) for row in rejects(records, rule).collect())
    assert (found if rule else len(found)) == offsets


def test_a_value_does_nothing_to_the_terminal(records: DataFrame) -> None:
    (row,) = rejects(records, "malformed").collect()
    line = shown(row, 120)
    assert line == "epoch 1 partition 1 offset 0  key =1+1  malformed  =HYPERLINK(1)?[31m\\xff"
    assert shown(row, 5).endswith("malformed  =HYP…")


def test_the_command_lists_with_coordinates_key_reasons_and_text(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarantine.main(["--lake", str(lake), "--all", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'epoch 1 partition 0 offset 1  key b  out_of_range:Age; blank:Food  {"Age": "300"}' in lines
    assert 'epoch 1 partition 0 offset 2  key c  out_of_range:Weight  {"Weight": "9"}' in lines
    assert not any("tombstone" in line for line in lines if line.startswith("epoch"))
    assert lines[-1].startswith("quarantine: 4 rejected records in ")


def test_a_csv_is_safe_to_open_and_never_written_over(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rejects.csv"
    arguments = ["--lake", str(lake), "--csv", str(file)]
    assert quarantine.main(arguments) == 0
    with file.open(encoding="utf-8", newline="") as opened:
        found = {(row["partition"], row["offset"]): row for row in csv.DictReader(opened)}
    assert list(found) == [("0", "1"), ("0", "2"), ("1", "0"), ("1", "1")]
    assert found["1", "0"]["key"] == "'=1+1"
    assert found["1", "0"]["value"] == "'=HYPERLINK(1)\x1b[31m\\xff"
    assert found["1", "1"]["value"] == ""
    assert found["0", "1"]["failed_rules"] == "out_of_range:Age; blank:Food"
    assert found["0", "1"]["timestamp"] == "2026-03-01T12:30:00.000Z"
    assert quarantine.main(arguments) == 2
    assert "there already" in capsys.readouterr().err


def test_b11_a_csv_begins_with_a_byte_order_mark_where_the_conf_file_asks_for_it(
    lake: Path, tmp_path: Path
) -> None:
    conf = tmp_path / "conf.toml"
    conf.write_text("[publish]\ncsv_bom = true\n")
    for name, more in (("plain.csv", []), ("marked.csv", ["--conf", str(conf)])):
        assert quarantine.main(["--lake", str(lake), "--csv", str(tmp_path / name), *more]) == 0
    plain, marked = ((tmp_path / name).read_bytes() for name in ("plain.csv", "marked.csv"))
    assert marked == b"\xef\xbb\xbf" + plain
