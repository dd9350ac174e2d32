"""CSV files: cells that no spreadsheet runs, every published table, and the manifest's facts."""

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pyspark.sql import functions as F

from support.findings_sample import PLAIN, SAMPLE
from surveylake.export.csv_files import (
    NEUTRALISE_PATTERN,
    csv_cell,
    facts_of,
    neutralised,
    write_csv,
    write_summaries,
)


@pytest.mark.parametrize(("value", "cell"), [
    ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"),
    ("\rx", '"\'\rx"'), ("\nx", '"\'\nx"'), ("＝1", "'＝1"), ("＋1", "'＋1"), ("－1", "'－1"), ("＠1", "'＠1"),
    (-1, "-1"), (-1.5, "-1.5"), (0.1 + 0.2, "0.3"), (None, ""), (float("nan"), ""), ("", '""'), (True, "true"),
    ('a "b", c', '"a ""b"", c"'), ("a=b", "a=b"),
])  # fmt: skip
def test_a_cell_is_written_so_that_nothing_runs(value, cell):
    assert csv_cell(value) == cell


@pytest.mark.parametrize(("text", "cell"), [
    ("x;=cmd|' /C calc'!A0;", "x;'=cmd|' /C calc'!A0;"), ("a;-1", "a;'-1"), ("a;+1;@x", "a;'+1;'@x"), ("a;＝1", "a;'＝1"),
    ("a\t=1", "a\t'=1"), ("a\n=1", '"a\n\'=1"'), ("a\r=1", '"a\r\'=1"'), ("a\r\n=1", '"a\r\n\'=1"'), ("\t=1", "'\t'=1"),
    ("a; =1", "a;' =1"), (" =1", "' =1"), ('a;"=1"', '"a;\'""=1"""'), ('a\n"" -1', '"a\n\'"""" -1"'),
    ("a;b=1", "a;b=1"), ("a -1", "a -1"), ("a,=1", '"a,=1"'), ("a;'=1", "a;'=1"), (";", ";"), ("a; b\tc", "a; b\tc"),
])  # fmt: skip
def test_no_part_of_a_cell_runs_where_a_spreadsheet_begins_a_cell_at_it(text, cell):
    assert csv_cell(text) == cell


HOSTILE = some.text(alphabet="=-+@＝;\t\r\n\"', ab")


@given(some.one_of(some.text(), HOSTILE))
def test_a_csv_reader_gets_a_text_back_but_for_the_marks(text):
    (row,) = csv.reader(io.StringIO(f"1,{csv_cell(text)},2", newline=""), strict=True)
    assert row == ["1", neutralised(text), "2"]
    assert neutralised(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(text=HOSTILE, other=HOSTILE)
def test_no_cell_begins_a_formula_whatever_separates_the_cells(separator, text, other):
    """Read as spreadsheets do, which take a quote in the middle of a cell for a letter, and close what is left open."""
    lines = "".join(f"{csv_cell(one)},1,{csv_cell(two)}\n" for one, two in ((text, other), (other, text)))
    cells = [cell for row in csv.reader(io.StringIO(lines, newline=""), delimiter=separator) for cell in row]
    assert [cell for cell in cells if cell.strip(" ")[:1] in set("=-+@＝")] == []


def test_spark_puts_the_marks_where_python_does(spark):
    texts = [
        "=1", " -1", "x;=cmd|' /C calc'!A0;", 'a;"=1";\t@x', "a\r\n+1\n-1", "\t=1", "\n", "", ";", "a;b", "é;＝1", "😀;＋1", "a;'=1",
    ]  # fmt: skip
    rows = spark.createDataFrame([(at, text) for at, text in enumerate(texts)], "at int, text string")
    marked = rows.select("at", F.regexp_replace("text", NEUTRALISE_PATTERN, "'").alias("marked")).collect()
    assert [row["marked"] for row in sorted(marked)] == list(map(neutralised, texts))


def test_a_csv_has_a_header_lf_line_ends_and_its_columns_in_order(tmp_path):
    rows = [{"b": 1, "a": "x"}, {"a": "é"}]
    assert write_csv(tmp_path / "t.csv", ["a", "b"], rows) == 2
    assert (tmp_path / "t.csv").read_bytes() == "a,b\nx,1\né,\n".encode()


def test_every_published_table_is_a_csv(tmp_path):
    written = write_summaries(SAMPLE, tmp_path)
    assert written["summary_gender_dessert.csv"] == 6
    assert (tmp_path / "summary_gender.csv").read_text().splitlines() == [
        "gender,answers,share,people,age_mean,age_median,age_sd,age_min,age_max",
        "Female,165,0.572916666667,288,33.157576,32.0,11.075105,8,80",
        "Male,123,0.427083333333,288,27.162602,25.0,10.412299,9,74",
    ]
    assert (tmp_path / "summary_quant.csv").read_text() == (
        "gender,received,accepted,responses\nFemale,166,165,165\nMale,123,123,123\n"
    )


def test_b11_every_csv_begins_with_one_byte_order_mark_where_the_conf_file_asks_for_it(tmp_path):
    for kind in ("plain", "marked"):
        (tmp_path / kind).mkdir()
    write_summaries(SAMPLE, tmp_path / "plain", bom=False)
    write_summaries(SAMPLE, tmp_path / "marked", bom=True)
    names = sorted(path.name for path in (tmp_path / "marked").iterdir())
    assert "summary_quant.csv" in names and "summary_gender_food.csv" in names
    for name in names:
        marked, plain = ((tmp_path / kind / name).read_bytes() for kind in ("marked", "plain"))
        assert marked == b"\xef\xbb\xbf" + plain


def test_a_contract_without_summaries_writes_none(tmp_path):
    assert write_summaries(replace(SAMPLE, contract=PLAIN, summaries={}), tmp_path) == {}


def test_the_manifests_facts_are_json_without_a_clock():
    facts = facts_of(SAMPLE)
    assert json.loads(json.dumps(facts)) == facts
    assert facts["rows"] == {"received": 289, "accepted": 288, "rejected": 1, "responses": 288}
    assert facts["replaced"] == 0
    assert facts["offsets"][1] == {
        "topic": "Food",
        "epoch": 1,
        "partition": 1,
        "first": 0,
        "last": 77,
        "records": 78,
    }
