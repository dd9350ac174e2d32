"""The whole way, as `make run` goes it: one CSV through a real Kafka to tables, counts, charts and a report."""

import json
import re
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import export
import run
from surveylake.errors import ConfigError, InputError, SetupError, StorageError, TopicError
from surveylake.export.manifest import damaged_files
from surveylake.paths import CONF, ROOT

REAL = ROOT.parent / "shared" / "data" / "Food_Preference.csv"
SAMPLE = CONF / "surveys" / "food_preference.sample.csv"
ANSWERS = REAL if REAL.exists() else SAMPLE
SURVEY = CONF / "surveys" / "food_preference.toml"


class Ran:
    """A lake and its exports after one whole run."""

    def __init__(self, folder: Path, kafka: Path) -> None:
        self.lake, self.out, self.kafka = folder / "lake", folder / "out", kafka

    def again(self, *more: str) -> int:
        return run.main(["--input", str(ANSWERS), "--lake", str(self.lake), "--out", str(self.out), *more])

    def versions(self) -> dict[str, int]:
        return {
            path.parent.name: DeltaTable(path.parent).version() for path in self.lake.glob("*/_delta_log")
        }


@pytest.fixture(scope="module")
def ran(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("run")
    patch = pytest.MonkeyPatch()
    patch.setattr(run, "VAR", folder / "var")
    done = Ran(folder, folder / "var")
    assert done.again() == 0
    return done


@pytest.fixture(autouse=True)
def own_kafka(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "VAR", ran.kafka)


def test_every_record_is_there_and_the_impossible_age_is_rejected(ran: Ran) -> None:
    records = (
        DeltaTable(ran.lake / "records")
        .to_pyarrow_table(columns=["accepted", "failed_rules", "age", "topic"])
        .to_pylist()
    )
    assert len(records) == 289
    assert [(row["failed_rules"], row["age"]) for row in records if not row["accepted"]] == [
        (["out_of_range:Age"], 300)
    ]


def test_duckdb_counts_what_the_tables_and_the_csv_say(ran: Ran) -> None:
    by_csv = duckdb.sql(
        f"SELECT gender, count(*) FROM read_csv('{ran.out}/responses.csv') GROUP BY 1 ORDER BY 1"
    ).fetchall()
    responses = DeltaTable(ran.lake / "responses").to_pyarrow_table()
    by_table = duckdb.sql("SELECT gender, count(*) FROM responses GROUP BY 1 ORDER BY 1").fetchall()
    assert by_csv == by_table == [("Female", 165), ("Male", 123)]
    assert responses.num_rows == 288


def test_b11_every_exported_csv_has_a_byte_order_mark_where_the_conf_file_asks_for_it(
    ran: Ran, tmp_path: Path
) -> None:
    conf = tmp_path / "conf.toml"
    conf.write_text("[publish]\ncsv_bom = true\n")
    assert export.main(["--lake", str(ran.lake), "--out", str(tmp_path / "out"), "--conf", str(conf)]) == 0
    files = sorted(path.name for path in (tmp_path / "out").glob("*.csv"))
    assert files == sorted(path.name for path in ran.out.glob("*.csv"))
    for name in files:
        assert (tmp_path / "out" / name).read_bytes() == b"\xef\xbb\xbf" + (ran.out / name).read_bytes()
    assert damaged_files(tmp_path / "out") == []


def test_summary_quant_is_the_table_of_the_original_with_ours_beside_it(ran: Ran) -> None:
    rows = DeltaTable(ran.lake / "summary_quant").to_pyarrow_table().to_pylist()
    seen = [(row["gender"], row["received"], row["accepted"], row["responses"]) for row in rows]
    assert sorted(seen) == [("Female", 166, 165, 165), ("Male", 123, 123, 123)]


def test_no_published_group_is_smaller_than_five_people(ran: Ran) -> None:
    for path in ran.out.glob("summary_*.csv"):
        if path.name != "summary_quant.csv":
            table = duckdb.read_csv(str(path))
            by = ", ".join(table.columns[: table.columns.index("answers")])
            smallest, shown = table.aggregate("min(answers), sum(answers)").fetchall()[0]
            groups = duckdb.read_csv(str(ran.out / "responses.csv")).aggregate(
                f"{by}, count(*) AS people", by
            )
            rare = groups.filter("people < 5").aggregate("coalesce(sum(people), 0)").fetchall()[0][0]
            assert smallest >= 5, path.name
            assert shown == (288 if rare >= 5 else 288 - rare), path.name


def test_charts_report_and_manifest_are_there_and_whole(ran: Ran) -> None:
    names = {str(path.relative_to(ran.out)) for path in ran.out.rglob("*") if path.is_file()}
    wanted = {"bar_gender", "pie_gender", "line_age_group", "scatter_age_gender", "stacked_gender_food"}
    assert {"report.md", "report.html", "manifest.json", "responses.csv", "summary_quant.csv"} <= names
    assert wanted <= {Path(name).stem for name in names if name.endswith(".png")}
    assert damaged_files(ran.out) == []
    manifest = json.loads((ran.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["rows"] == {"received": 289, "accepted": 288, "rejected": 1, "responses": 288}
    assert sum(part["records"] for part in manifest["offsets"]) == 289


def test_the_report_answers_the_questions_with_computed_numbers(ran: Ran) -> None:
    report = (ran.out / "report.md").read_text(encoding="utf-8")
    for number in ("165", "123", "57.3", "289", "288"):
        assert number in report
    assert not re.search(r"\b(nan|None)\b", report)


def test_the_same_again_changes_no_table_and_no_file(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    versions = ran.versions()
    before = {path: path.read_bytes() for path in ran.out.rglob("*") if path.is_file()}
    assert ran.again() == 0
    said = capsys.readouterr().out
    assert "already in the topic: 289 of 289 rows; nothing sent" in said
    assert said.splitlines()[-1].startswith("took: ")
    assert ran.versions() == versions
    assert {path: path.read_bytes() for path in ran.out.rglob("*") if path.is_file()} == before


def test_another_file_on_the_same_lake_is_refused_unless_it_is_to_be_added(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = ran.versions()
    other = tmp_path / "other.csv"
    lines = ANSWERS.read_text(encoding="utf-8").splitlines()[:10]
    other.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code = run.main(["--input", str(other), "--lake", str(ran.lake), "--out", str(ran.out)])
    assert code == InputError.exit_code
    assert "already holds 289 answers that are not from" in capsys.readouterr().err
    assert ran.versions() == versions


def test_an_extra_column_and_other_line_ends_go_through(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ANSWERS.read_text(encoding="utf-8").splitlines()
    changed = tmp_path / "changed.csv"
    changed.write_text(
        "\n".join([lines[0] + ",Remark", *(line + ",x" for line in lines[1:])]) + "\n", encoding="utf-8"
    )
    assert (
        run.main(["--input", str(changed), "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out")])
        == 0
    )
    assert "289 records (accepted 288, rejected 1: out_of_range:Age 1)" in capsys.readouterr().out


def _csv(folder: Path, text: str) -> str:
    path = folder / "answers.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _survey(folder: Path, old: str, new: str) -> list[str]:
    text = SURVEY.read_text(encoding="utf-8")
    assert old in text
    path = folder / "survey.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return ["--survey", str(path), "--input", str(ANSWERS)]


HEADER = "Participant_ID,Gender,Nationality,Age,Food,Juice,Dessert\n"
BROKEN = {
    "a missing file": (lambda d: ["--input", str(d / "none.csv")], InputError, "none.csv"),
    "an empty file": (lambda d: ["--input", _csv(d, "")], InputError, "empty"),
    "only a header": (lambda d: ["--input", _csv(d, HEADER)], InputError, "header"),
    "a wrong header": (lambda d: ["--input", _csv(d, HEADER.replace("Gender", "Sex") + "1,2,3,4,5,6,7\n")], InputError, "Gender"),
    "a typo in the contract": (lambda d: _survey(d, 'required = true\nallowed = ["Female"', 'requird = true\nallowed = ["Female"'), ConfigError, "fields.gender.requird"),
    "an unknown type": (lambda d: _survey(d, 'type = "integer"', 'type = "whole"'), ConfigError, "fields.age.type"),
    "a rule that is not SQL": (lambda d: _survey(d, "[summaries]", '[rules]\nadult = "age is adult"\n\n[summaries]'), ConfigError, "rules.adult"),
    "a rule that is no condition": (lambda d: _survey(d, "[summaries]", '[rules]\nadult = "age + 18"\n\n[summaries]'), ConfigError, "rules.adult"),
    "no broker": (lambda d: ["--input", str(ANSWERS), "--bootstrap", "127.0.0.1:1"], TopicError, "127.0.0.1:1"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_gives_one_message_an_exit_code_and_leaves_nothing(
    ran: Ran, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, error, named = BROKEN[fault]
    lake, out = tmp_path / "lake", tmp_path / "out"
    code = run.main([*arguments(tmp_path), "--lake", str(lake), "--out", str(out)])
    said = capsys.readouterr().err
    assert code == error.exit_code
    assert named in said
    assert said.count("error:") == 1
    assert "Traceback" not in said
    assert not out.exists()
    assert not list(tmp_path.glob("lake/records/_delta_log/*"))


def test_b17_a_short_row_is_refused_with_a_step_that_run_py_and_make_both_understand(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short, lake, out = tmp_path / "short.csv", tmp_path / "lake", tmp_path / "out"
    short.write_text(f"{SAMPLE.read_text(encoding='utf-8').rstrip()}\nP1,Female\n", encoding="utf-8")
    given = ["--input", str(short), "--lake", str(lake), "--out", str(out)]
    assert run.main(given) == InputError.exit_code
    refused = capsys.readouterr().err
    assert "1 line cannot be sent as it is; nothing was sent" in refused
    assert "--skip-bad-lines, or for make run SKIP_BAD=1" in refused and refused.count("error:") == 1
    assert not out.exists() and not list(lake.glob("records/*"))
    assert run.main([*given, "--skip-bad-lines"]) == 0
    said = capsys.readouterr()
    assert "left out 1 line:" in said.err and "stream: 289 records" in said.out
    assert DeltaTable(lake / "records").to_pyarrow_table(columns=["offset"]).num_rows == 289


def test_a_lake_that_cannot_be_written_is_named(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    code = run.main(
        ["--input", str(ANSWERS), "--lake", str(blocked / "lake"), "--out", str(tmp_path / "out")]
    )
    assert code == StorageError.exit_code
    assert f"the lake {blocked / 'lake'} cannot be written" in capsys.readouterr().err


def test_a_machine_without_java_is_told_how_to_get_it(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("surveylake.runtime.java._candidates", lambda: iter(()))
    code = run.main(
        ["--input", str(ANSWERS), "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out")]
    )
    said = capsys.readouterr().err
    assert code == SetupError.exit_code
    assert "Java" in said and "17" in said


def test_another_spark_on_the_path_is_refused_with_both_versions(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "spark-core_2.12-3.5.1.jar").touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    code = run.main(
        ["--input", str(ANSWERS), "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out")]
    )
    said = capsys.readouterr().err
    assert code == SetupError.exit_code
    assert "3.5.1" in said and "4.2.0" in said
