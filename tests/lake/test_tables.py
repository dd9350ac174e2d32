"""The lake's tables: what is made, what is refused, what is written in one commit; and the second survey all the way."""

import dataclasses
import json
import shutil
from pathlib import Path

import delta
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from support.validation import FOOD, SECOND, VISIT, kafka_rows
from surveylake.aggregate import analysis, responses, summary_tables
from surveylake.config import Publish
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError, LakeLockedError, StorageError
from surveylake.lake import commits, listed_files, records_table, rewrite, small_table, table_history, tables
from surveylake.lake.provenance import Provenance
from surveylake.lake.small_table import SmallTable
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.validate.pipeline import validated


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of the second survey: 60 visits, one bad, one visitor twice."""
    lake = Lake(str(tmp_path_factory.mktemp("lakes") / "a lake, 100 %"))
    records_table.create_records(spark, lake, SECOND, "cluster/topic-id")
    visits = [
        VISIT | {"visit no.": f"V-{n}", "thing": ["bike", "toaster"][n % 2], "paid (EUR)": str(n % 7 * 10),
                 "Was it repaired?": "true" if n % 3 else "false"}
        for n in range(60)
    ]  # fmt: skip
    values = [
        json.dumps(visit if visit["Was it repaired?"] == "true" else visit | {"paid (EUR)": ""}).encode()
        for visit in visits
    ]
    values += [b"hello", json.dumps(visits[1] | {"paid (EUR)": "1.25"}).encode()]
    validated(kafka_rows(spark, values), SECOND, 65_536).write.format("delta").mode("append").save(
        lake.table(RECORDS)
    )
    return lake


def changed(**update: object) -> Contract:
    return SECOND.model_copy(update=update)


def test_records_is_made_with_its_columns_comments_and_identity(spark: SparkSession, lake: Lake) -> None:
    schema = tables.read(spark, lake.table(RECORDS)).schema
    assert [field.name for field in schema] == [*records_table.RECORD_SCHEMA, *SECOND.columns]
    assert schema["paid"].metadata["comment"] == SECOND.fields["paid"].description
    assert tables.properties(spark, lake.table(RECORDS))[f"{records_table.EPOCH}1"] == "cluster/topic-id"


def test_no_answer_goes_into_the_statistics_of_the_log(lake: Lake) -> None:
    """Minimum and maximum of a text column would copy personal data into the log."""
    commits_of = sorted(Path(lake.table(RECORDS), "_delta_log").glob("*.json"))
    actions = [json.loads(line) for path in commits_of for line in path.read_text().splitlines()]
    added = json.dumps([action["add"] for action in actions if "add" in action])
    assert "minValues" in added
    assert "V-59" not in added
    assert "Bicycle" not in added  # the contract that the table keeps names it, as a possible answer


def test_making_records_again_keeps_them(spark: SparkSession, lake: Lake) -> None:
    before = tables.version(spark, lake.table(RECORDS))
    records_table.create_records(spark, lake, SECOND, "cluster/topic-id")
    assert tables.version(spark, lake.table(RECORDS)) == before


def test_a_table_made_anew_has_other_columns_and_properties_in_one_commit(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = str(tmp_path / "anew")
    tables.create(spark, path, {"a": ("int", "")}, {"delta.constraints.a_is_small": "a < 9", "x": "1"}, "")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1)")
    table, version = commits.snapshot(spark, path).metadata().id(), tables.version(spark, path)
    target = rewrite.Target(
        {"b": ("string", "a text")}, {"delta.constraints.b_is_there": "b IS NOT NULL"}, ""
    )
    tables.replace(spark.createDataFrame([], "b string"), path, Provenance(), target)
    now = DeltaTable(path)
    assert (now.version(), now.to_pyarrow_table().num_rows) == (version + 1, 0)
    assert [field.name for field in now.schema().fields] == ["b"]
    assert now.metadata().configuration == {"delta.constraints.b_is_there": "b IS NOT NULL"}
    assert commits.snapshot(spark, path).metadata().id() == table
    with pytest.raises(commits.FAILURES):
        spark.sql(f"INSERT INTO delta.`{path}` VALUES (NULL)")


def test_the_columns_of_another_contract_are_refused_and_other_rules_are_not(
    spark: SparkSession, lake: Lake
) -> None:
    records_table.check_columns(spark, lake, SECOND)
    records_table.check_columns(spark, lake, changed(rules={}))
    with pytest.raises(
        ConfigError,
        match=r"has the columns visit string, .*; the contract food_preference has participant_id",
    ):
        records_table.check_columns(spark, lake, FOOD)
    with pytest.raises(ConfigError):
        records_table.check_columns(spark, lake, changed(derived={}))


def test_a_missing_table_is_an_error_that_names_the_job_that_makes_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="there is no table records") as error:
        tables.require(spark, Lake(str(tmp_path)), RECORDS, "jobs/stream.py")
    assert "jobs/stream.py" in error.value.hint


def test_replace_is_one_commit_that_carries_its_note(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    for number in (1, 2):
        tables.replace(spark.range(number), path, Provenance(records_version=number))
    assert tables.version(spark, path) == 1
    assert table_history.provenance_of(spark, path) == Provenance(records_version=2)
    assert tables.read(spark, path).count() == 2
    assert tables.read(spark, path, 0).count() == 1


def test_a_table_is_made_as_deltas_own_statement_makes_it(spark: SparkSession, tmp_path: Path) -> None:
    columns = {"who": ("string", "whose"), "age": ("int", ""), "why": ("array<string>", "")}
    properties = {"delta.constraints.old": "age > 17", "delta.checkpointInterval": "7", "own": "ä'\""}
    tables.create(spark, str(tmp_path / "ours"), columns, properties, "people")
    builder = delta.DeltaTable.createIfNotExists(spark).location(str(tmp_path / "theirs")).comment("people")
    for name, (kind, comment) in columns.items():
        builder = builder.addColumn(name, kind, comment=comment or None)
    for key, value in properties.items():
        builder = builder.property(key, value)
    builder.execute()
    ours, theirs = (_first_commit(tmp_path / name) for name in ("ours", "theirs"))
    assert ours["protocol"] == theirs["protocol"]
    for unique in ("id", "createdTime"):
        assert ours["metaData"].pop(unique) != theirs["metaData"].pop(unique)
    assert ours == theirs


def _first_commit(table: Path) -> dict[str, dict[str, object]]:
    """Return the actions of a table's first version, except who made it and when."""
    actions = {key: value for action in _actions(table, 0) for key, value in action.items()}
    assert actions.pop("commitInfo")["operation"] == "CREATE TABLE"
    return actions


def _actions(table: Path, version: int) -> list[dict[str, dict[str, object]]]:
    """Return the actions of a table's version."""
    lines = (table / "_delta_log" / f"{version:020d}.json").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_no_table_is_made_among_files_that_may_be_those_of_one(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    tables.create(spark, str(tmp_path / "table"), {"id": ("int", "")}, {}, "an empty folder is none")
    shutil.rmtree(tmp_path / "table" / "_delta_log")
    (tmp_path / "table" / "part-0.parquet").touch()
    with pytest.raises(StorageError, match=r"has files in it and no log: part-0\.parquet") as caught:
        tables.create(spark, str(tmp_path / "table"), {"id": ("int", "")}, {}, "")
    assert "Choose another lake" in caught.value.hint
    assert [path.name for path in (tmp_path / "table").iterdir()] == ["part-0.parquet"]


def test_a_table_that_another_process_makes_meanwhile_is_left_to_it(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, make = str(tmp_path / "table"), rewrite.make

    def be_late(spark: SparkSession, path: str, target: rewrite.Target, description: str) -> None:
        make(spark, path, target, "the other's")
        make(spark, path, target, description)

    monkeypatch.setattr(rewrite, "make", be_late)
    tables.create(spark, path, {"id": ("int", "")}, {}, "ours")
    assert DeltaTable(path).metadata().description == "the other's"


def test_replace_removes_what_was_there_without_a_job_over_the_log(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = str(tmp_path / "table")
    tables.create(spark, path, {"id": ("bigint", "which")}, {}, "numbers")
    tables.replace(spark.range(5).repartition(3), path, Provenance())
    assert len(DeltaTable(path).file_uris()) > 1
    first = _newest_job(spark)
    tables.replace(spark.range(2).coalesce(1), path, Provenance(other={"made": "anew"}))
    assert _newest_job(spark) - first == 1, "what is written is all that Spark runs"
    assert sorted(DeltaTable(path).to_pyarrow_table()["id"].to_pylist()) == [0, 1]
    assert len(DeltaTable(path).file_uris()) == 1
    assert table_history.provenance_of(spark, path) == Provenance(other={"made": "anew"})
    assert tables.read(spark, path).schema["id"].metadata == {"comment": "which"}


def test_replace_removes_what_another_writer_added(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    tables.replace(spark.range(3), path, Provenance())
    write_deltalake(path, pa.table({"id": [7]}), mode="append")
    assert listed_files.rows(spark, path) is None, "it left no list of files"
    tables.replace(spark.range(2), path, Provenance())
    assert sorted(DeltaTable(path).to_pyarrow_table()["id"].to_pylist()) == [0, 1]


def test_a_small_table_is_read_without_a_job_over_the_log(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    tables.replace(spark.range(3).repartition(2), path, Provenance())
    tables.replace(spark.range(5).repartition(2), path, Provenance())
    first = _newest_job(spark)
    rows = tables.read(spark, path)
    assert sorted(row["id"] for row in rows.collect()) == [0, 1, 2, 3, 4]
    assert _newest_job(spark) - first == 1, "what is read is all that Spark runs"
    assert rows.schema == spark.read.format("delta").load(path).schema
    assert sorted(row["id"] for row in tables.read(spark, path, 1).collect()) == [0, 1, 2, 3, 4]
    assert sorted(row["id"] for row in tables.read(spark, path, 0).collect()) == [0, 1, 2]


def test_rows_that_a_deletion_vector_takes_away_are_not_read(spark: SparkSession, tmp_path: Path) -> None:
    """As where somebody deletes with another tool: the file stays, and the log says which of its rows are gone."""
    path = str(tmp_path / "table")
    tables.create(spark, path, {"id": ("bigint", "")}, {"delta.enableDeletionVectors": "true"}, "")
    spark.range(5).coalesce(1).write.format("delta").mode("append").save(path)
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 3")
    (added,) = [action["add"] for action in _actions(tmp_path / "table", 2) if "add" in action]
    assert added["deletionVector"]
    assert sorted(row["id"] for row in tables.read(spark, path).collect()) == [0, 1, 2, 4]
    assert tables.read(spark, path).count() == 4


def test_a_checksum_of_another_commit_is_not_believed(spark: SparkSession, tmp_path: Path) -> None:
    """As where a log was put back from a copy: the checksum of a version of the same number lists other files."""
    path, log = str(tmp_path / "table"), tmp_path / "table" / "_delta_log"
    tables.replace(spark.range(3), path, Provenance())
    tables.replace(spark.range(5), path, Provenance())
    assert listed_files.rows(spark, path) is not None
    shutil.copy(log / f"{0:020d}.crc", log / f"{1:020d}.crc")
    (log / f".{1:020d}.crc.crc").unlink(missing_ok=True)
    commits.log_of(spark, path).clearCache()
    assert commits.snapshot(spark, path).checksumOpt().isDefined()
    assert listed_files.rows(spark, path) is None
    assert tables.read(spark, path).count() == 5
    tables.replace(spark.range(2), path, Provenance())
    assert sorted(DeltaTable(path).to_pyarrow_table()["id"].to_pylist()) == [0, 1]


def test_replace_gives_the_table_other_columns(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    tables.replace(spark.range(3), path, Provenance())
    tables.replace(spark.range(2).selectExpr("CAST(id AS string) AS id", "1 AS more"), path, Provenance())
    assert tables.read(spark, path).dtypes == [("id", "string"), ("more", "int")]
    assert DeltaTable(path).to_pyarrow_table()["more"].to_pylist() == [1, 1]


def test_replace_fails_when_another_writer_adds_meanwhile(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "table")
    tables.replace(spark.range(3), path, Provenance())
    begin = commits.begin

    def begin_and_be_late(java: object, before: object) -> object:
        transaction = begin(java, before)
        write_deltalake(path, pa.table({"id": [7]}), mode="append")
        return transaction

    monkeypatch.setattr(commits, "begin", begin_and_be_late)
    with pytest.raises(LakeLockedError, match=r"another process changed .*; nothing was changed here"):
        tables.replace(spark.range(2), path, Provenance())
    assert sorted(DeltaTable(path).to_pyarrow_table()["id"].to_pylist()) == [0, 1, 2, 7]


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize("way", ["by Spark", "by the driver"])
def test_of_two_that_replace_a_table_at_once_the_slower_is_refused(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, way: str
) -> None:
    """An empty table too: what only adds files would join what the other added, and everybody would be there twice."""
    path, begin, at_work = str(tmp_path / "table"), commits.begin, list[int]()
    few = SmallTable({"id": "bigint"}, [{"id": 0}, {"id": 1}])

    def replace() -> None:
        if way == "by Spark":
            tables.replace(spark.range(2), path, Provenance())
        else:
            small_table.replace(spark, path, few, Provenance())

    def begin_and_be_late(java: SparkSession, before: object) -> object:
        transaction = begin(java, before)
        at_work.append(1)
        if len(at_work) == 1:
            replace()
        return transaction

    tables.create(spark, path, {"id": ("bigint", "")}, {}, "")
    if rows:
        tables.replace(spark.range(rows), path, Provenance())
    monkeypatch.setattr(commits, "begin", begin_and_be_late)
    with pytest.raises(LakeLockedError, match="another process changed"):
        replace()
    assert len(at_work) == 2
    assert sorted(DeltaTable(path).to_pyarrow_table()["id"].to_pylist()) == [0, 1]


@pytest.mark.parametrize("late", ["begin", "snapshot"])
def test_of_two_that_make_a_table_at_once_the_rows_of_one_are_stored(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    path, before = str(tmp_path / "table"), getattr(commits, late)
    few, other = (SmallTable({"id": "bigint"}, [{"id": number}]) for number in (0, 1))

    def be_late(*arguments: object) -> object:
        monkeypatch.setattr(commits, late, before)
        if late == "snapshot":
            small_table.replace(spark, path, other, Provenance())
        found = before(*arguments)
        if late == "begin":
            small_table.replace(spark, path, other, Provenance())
        return found

    monkeypatch.setattr(commits, late, be_late)
    if late == "begin":
        with pytest.raises(LakeLockedError, match="another process changed"):
            small_table.replace(spark, path, few, Provenance())
    else:
        small_table.replace(spark, path, few, Provenance())
    assert DeltaTable(path).to_pyarrow_table()["id"].to_pylist() == [1 if late == "begin" else 0]


def test_a_table_gets_its_columns_and_properties_in_the_commit_that_fills_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = str(tmp_path / "table")
    tables.create(
        spark, path, {"old": ("string", ""), "id": ("bigint", "")}, {"delta.constraints.old": "id > 5"}, ""
    )
    table_id, version = DeltaTable(path).metadata().id, tables.version(spark, path)
    target = rewrite.Target({"id": ("bigint", "which")}, {"delta.constraints.new": "id < 5"}, "")
    with pytest.raises(Exception, match="CHECK constraint new"):
        tables.replace(spark.range(9), path, Provenance(), target)
    assert tables.version(spark, path) == version
    assert tables.replace(spark.range(2), path, Provenance(), target) == version + 1
    assert tables.read(spark, path).schema["id"].metadata == {"comment": "which"}
    assert tables.columns(spark, path) == {"id": "bigint"}
    assert tables.properties(spark, path) == {"delta.constraints.new": "id < 5"}
    assert DeltaTable(path).metadata().id == table_id
    assert sorted(DeltaTable(path).to_pyarrow_table()["id"].to_pylist()) == [0, 1]


def test_what_was_seen_last_is_asked_anew_only_when_it_is_gone(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    tables.replace(spark.range(3), path, Provenance())
    tables.replace(spark.range(2), path, Provenance())
    assert commits.last_seen(spark, path).version() == 1
    write_deltalake(path, pa.table({"id": [7]}), mode="append")
    assert commits.last_seen(spark, path).version() == 1, "another writer's commit is not looked for"
    assert commits.snapshot(spark, path).version() == commits.last_seen(spark, path).version() == 2
    for name in (f"{2:020d}.json", f".{2:020d}.json.crc"):
        (tmp_path / "table" / "_delta_log" / name).unlink(missing_ok=True)
    assert commits.last_seen(spark, path).version() == 1


def test_a_property_with_quotes_is_kept_as_it_is(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "it's a `table`")
    tables.replace(spark.range(1), path, Provenance())
    tables.set_property(spark, path, "surveylake.loss.1.0.5-9", "it's \\ accepted")
    assert tables.properties(spark, path)["surveylake.loss.1.0.5-9"] == "it's \\ accepted"


def test_the_second_survey_goes_all_the_way(spark: SparkSession, lake: Lake) -> None:
    version = tables.version(spark, lake.table(RECORDS))
    wanted = responses.new_provenance(spark, lake, SECOND, version)
    assert responses.change(spark, lake, responses.read_provenance(spark, lake), wanted) == "other"
    seen, at = responses.refresh(spark, lake, SECOND, "other", Provenance(), wanted)
    assert at == tables.version(spark, lake.table(RESPONSES))
    made = responses.read_provenance(spark, lake)
    assert made == dataclasses.replace(wanted, ends={1: {0: 62}})
    assert responses.change(spark, lake, made, wanted) == "same", "made from the same version twice"
    published = analysis.analyse(spark, lake, SECOND, Publish(), seen, at)
    found = published.findings
    assert (found.received, found.accepted, found.responses) == (62, 61, 60)
    assert found.rejected_by_rule == {"malformed": 1}
    assert (found.points, found.group_counts) == ((), {})
    lines = {line.groups: line.people for line in found.summaries[("thing",)].lines}
    assert lines == {("Bicycle",): 30, ("Toaster",): 30}
    assert [line.groups for line in found.summaries[("month",)].lines] == [("2024-02",)]
    assert {(line.group, line.received, line.accepted, line.responses) for line in found.received_by} == {
        ("Bicycle", 30, 30, 30), ("Toaster", 31, 31, 30), (None, 1, 0, 0),
    }  # fmt: skip
    assert sorted(published.tables) == sorted(summary_tables.names(SECOND))
    assert not summary_tables.are_made(spark, lake, SECOND, wanted)
    summary_tables.write(spark, lake, published.tables, wanted)
    assert summary_tables.are_made(spark, lake, SECOND, wanted)
    kept = tables.read(spark, lake.table("summary_thing_repaired"))
    assert {row["records_version"] for row in kept.collect()} == {version}
    assert sum(row["answers"] for row in kept.collect()) == 60


def test_responses_refuses_what_the_contract_forbids(spark: SparkSession, lake: Lake) -> None:
    wanted = responses.new_provenance(spark, lake, SECOND, tables.version(spark, lake.table(RECORDS)))
    responses.refresh(spark, lake, SECOND, "other", Provenance(), wanted)
    bad = (
        tables.read(spark, lake.table(RESPONSES))
        .limit(1)
        .selectExpr("* EXCEPT (paid)", "CAST(-5 AS decimal(10,2)) AS paid")
    )
    with pytest.raises(Exception, match=r"CHECK constraint paid_is_acceptable"):
        bad.write.format("delta").mode("append").save(lake.table(RESPONSES))


def test_no_answer_goes_into_the_statistics_of_responses(spark: SparkSession, lake: Lake) -> None:
    wanted = responses.new_provenance(spark, lake, SECOND, tables.version(spark, lake.table(RECORDS)))
    responses.refresh(spark, lake, SECOND, "other", Provenance(), wanted)
    log = "".join(path.read_text() for path in Path(lake.table(RESPONSES), "_delta_log").glob("*.json"))
    assert "minValues" in log
    assert "V-59" not in log
    assert "Bicycle" not in log


def _newest_job(spark: SparkSession) -> int:
    """The number of the last job that Spark ran."""
    jobs = spark.sparkContext._jsc.sc().statusStore().jobsList(None)  # type: ignore[union-attr]
    return max(int(jobs.apply(at).jobId()) for at in range(jobs.size()))
