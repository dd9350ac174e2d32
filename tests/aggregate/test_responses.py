"""`responses` brought up to date is `responses` made whole, whatever came in between; and nothing new costs nothing."""

import random
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyarrow import parquet
from pyspark.sql import SparkSession

import aggregate
from support import pets_survey
from support.sessions import OPEN
from surveylake.aggregate import people, responses, summary_tables
from surveylake.config import Config, Publish
from surveylake.contract.model import Contract
from surveylake.lake import compaction, records_table, tables
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.quarantine import replay
from surveylake.validate.pipeline import validated

PEOPLE = [f"P{number}" for number in range(12)]
RECORD = (
    "topic string, partition int, offset bigint, timestamp timestamp, epoch int, key string, value binary"
)


class Pond:
    """A lake that is filled without Kafka, by commits that look like a stream's."""

    def __init__(self, spark: SparkSession, folder: Path, seed: int = 1) -> None:
        self.spark, self.folder, self.draw = spark, folder, random.Random(seed)
        self.lake = Lake(str(folder / "lake"))
        self.then, self.now = (
            pets_survey.contract(folder, "pets", most=20),
            pets_survey.contract(folder, "pets", most=30),
        )
        self.epoch, self.ends, self.batches = 1, {}, 0  # type: ignore[var-annotated]
        records_table.create_records(spark, self.lake, self.now, "cluster/topic")

    def stream(self, answers: list[bytes], partition: int = 0, survey: Contract | None = None) -> None:
        """One micro-batch: these values at the end of a partition, judged under the contract as it is, or as it was."""
        begin = self.ends.get((self.epoch, partition), 0)
        self.ends[self.epoch, partition] = begin + len(answers)
        rows = [("pets", partition, begin + n, self.epoch, value) for n, value in enumerate(answers)]
        given = self.spark.createDataFrame(
            rows, "topic string, partition int, offset bigint, epoch int, value binary"
        )
        given = given.selectExpr("*", "timestamp'2026-01-01' AS timestamp", "'k' AS key")
        self.batches += 1
        writer = validated(given, survey or self.now, 1_000).coalesce(1).write.format("delta").mode("append")
        writer.option("txnAppId", "query").option("txnVersion", self.batches).save(self.lake.table(RECORDS))

    def some(self) -> list[bytes]:
        """Answers of people who may have answered before; some are rejected, now or under either contract."""
        pick = self.draw.choice
        return [
            pick([b"{", pets_survey.answer(pick(PEOPLE), pick(["cat", "dog", "cow"]), pick([3, 9, 25, 99]))])
            for _ in range(self.draw.randint(1, 6))
        ]  # fmt: skip

    def step(self) -> None:
        """Something that happens to a lake."""
        what = self.draw.choice(["stream", "stream", "old contract", "new epoch", "compact", "replay"])
        if what == "compact":
            compaction.compact(self.spark, self.lake.table(RECORDS))
        elif what == "replay":
            replay.replay(self.spark, self.lake, self.now, 1_000)
        else:
            self.epoch += what == "new epoch"
            self.stream(self.some(), self.draw.randint(0, 2), self.then if what == "old contract" else None)

    def aggregate(self) -> object:
        return aggregate.aggregate(OPEN, self.lake.root, Config(publish=Publish(smallest_group=2)), self.now)

    def published(self) -> dict[str, list[dict[str, object]]]:
        """Every table made from records, read by delta-rs."""
        names = [RESPONSES, *summary_tables.names(self.now)]
        rows = {name: DeltaTable(self.lake.table(name)).to_pyarrow_table().to_pylist() for name in names}
        return {name: sorted(rows_of_table, key=repr) for name, rows_of_table in rows.items()}

    def forget(self) -> None:
        for name in (RESPONSES, *summary_tables.names(self.now)):
            shutil.rmtree(self.lake.table(name))


@pytest.fixture
def pond(spark: SparkSession, tmp_path: Path) -> Pond:
    return Pond(spark, tmp_path)


@pytest.fixture
def small_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful of records takes the ways of millions: three are many, and so many new people are few enough to be added."""
    monkeypatch.setattr(responses, "MANY", 3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_brought_up_to_date_is_made_whole(
    spark: SparkSession, tmp_path: Path, seed: int, small_is_many: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pond = Pond(spark, tmp_path, seed)
    pond.stream([*pond.some(), pets_survey.answer("P0")])
    pond.aggregate()
    for _ in range(3):
        for _ in range(2):
            pond.step()
        pond.aggregate()
    pond.stream(
        [pets_survey.answer("P1", "dog"), pets_survey.answer("P99"), pets_survey.answer("P1", age=99)],
        partition=1,
    )
    pond.aggregate()
    assert "(added to)" in capsys.readouterr().out.splitlines()[-1]
    up_to_date = pond.published()
    pond.forget()
    pond.aggregate()
    assert "(added to)" not in capsys.readouterr().out.splitlines()[-1]
    assert pond.published() == up_to_date


def test_a_later_answer_replaces_an_earlier_one_and_an_earlier_one_that_comes_late_does_not(
    pond: Pond, small_is_many: None
) -> None:
    pond.stream([pets_survey.answer("x"), pets_survey.answer("a", age=1)], partition=0)
    pond.stream(
        [pets_survey.answer("y"), pets_survey.answer("z"), pets_survey.answer("b", age=1)], partition=1
    )
    pond.aggregate()
    pond.stream([pets_survey.answer("a", age=2), pets_survey.answer("b", age=99)], partition=0)
    pond.stream([pets_survey.answer("c")], partition=2)
    pond.stream([pets_survey.answer("b", age=2)], partition=2)
    pond.aggregate()
    rows = {row["who"]: (row["age"], row["partition"], row["offset"]) for row in pond.published()[RESPONSES]}
    assert rows["a"] == (2, 0, 2)
    assert rows["b"] == (1, 1, 2), "offset 1 of partition 2 came later, and is not later"
    assert set(rows) == set("abcxyz")


def test_what_was_added_is_one_commit_with_the_note_of_its_version(
    spark: SparkSession, pond: Pond, small_is_many: None
) -> None:
    pond.stream([pets_survey.answer("a"), pets_survey.answer("b")])
    pond.aggregate()
    before = DeltaTable(pond.lake.table(RESPONSES)).version()
    pond.stream([pets_survey.answer("a", age=2), pets_survey.answer("c")], partition=1)
    pond.aggregate()
    assert DeltaTable(pond.lake.table(RESPONSES)).version() == before + 1
    provenance = responses.read_provenance(spark, pond.lake)
    assert (provenance.records_version, provenance.ends) == (2, {1: {0: 2, 1: 2}})


def test_new_people_are_added_and_nothing_is_written_anew(pond: Pond, small_is_many: None) -> None:
    pond.stream([pets_survey.answer("a"), pets_survey.answer("b")])
    pond.aggregate()
    before = set(DeltaTable(pond.lake.table(RESPONSES)).file_uris())
    pond.stream([pets_survey.answer("c"), pets_survey.answer("d"), pets_survey.answer("c", age=2)])
    pond.aggregate()
    after = set(DeltaTable(pond.lake.table(RESPONSES)).file_uris())
    assert (before < after, len(after - before)) == (True, 1)
    assert [(row["who"], row["age"]) for row in pond.published()[RESPONSES] if row["who"] in "cd"] == [
        ("c", 2),
        ("d", 3),
    ]


def test_only_new_records_are_looked_at_when_answers_are_added(
    spark: SparkSession, pond: Pond, small_is_many: None
) -> None:
    """A row of `responses` that the records do not explain stays, because the records before it are not read again."""
    pond.stream([pets_survey.answer("a"), pets_survey.answer("b")])
    pond.aggregate()
    path = pond.lake.table(RESPONSES)
    provenance = responses.read_provenance(spark, pond.lake)
    tables.replace(tables.read(spark, path).where("who = 'a'"), path, provenance)
    pond.stream([pets_survey.answer("c")])
    pond.aggregate()
    assert {row["who"] for row in pond.published()[RESPONSES]} == {"a", "c"}


def test_nothing_new_is_said_and_writes_nothing_and_runs_no_job(
    spark: SparkSession, pond: Pond, capsys: pytest.CaptureFixture[str]
) -> None:
    pond.stream([pets_survey.answer("a")])
    assert pond.aggregate() is not None
    versions = {
        path.parent.name: DeltaTable(path.parent).version()
        for path in Path(pond.lake.root).glob("*/_delta_log")
    }
    jobs = len(spark.sparkContext.statusTracker().getJobIdsForGroup())
    assert pond.aggregate() is None
    assert len(spark.sparkContext.statusTracker().getJobIdsForGroup()) == jobs
    assert "nothing new in" in capsys.readouterr().out.splitlines()[-1]
    compaction.compact(spark, pond.lake.table(RECORDS))
    assert pond.aggregate() is None
    assert versions == {
        path.parent.name: DeltaTable(path.parent).version()
        for path in Path(pond.lake.root).glob("*/_delta_log")
    }


def test_a_lost_summary_is_made_again_and_responses_left_alone(
    pond: Pond, capsys: pytest.CaptureFixture[str]
) -> None:
    pond.stream([pets_survey.answer("a"), pets_survey.answer("b")])
    pond.aggregate()
    before, version = pond.published(), DeltaTable(pond.lake.table(RESPONSES)).version()
    shutil.rmtree(pond.lake.table("summary_pet"))
    pond.aggregate()
    assert "(unchanged)" in capsys.readouterr().out.splitlines()[-1]
    assert (pond.published(), DeltaTable(pond.lake.table(RESPONSES)).version()) == (before, version)


def test_another_smallest_group_is_another_summary(pond: Pond) -> None:
    pond.stream(
        [
            pets_survey.answer("a"),
            pets_survey.answer("b"),
            pets_survey.answer("c", "dog"),
            pets_survey.answer("d", "dog"),
        ]
    )
    pond.aggregate()
    assert {row["pet"] for row in pond.published()["summary_pet"]} == {"cat", "dog"}
    aggregate.aggregate(OPEN, pond.lake.root, Config(publish=Publish(smallest_group=3)), pond.now)
    assert {row["pet"] for row in pond.published()["summary_pet"]} == {"Other (fewer than 3 each)"}


def test_records_made_anew_in_the_same_place_are_another_table(pond: Pond, spark: SparkSession) -> None:
    pond.stream([pets_survey.answer("a")])
    pond.aggregate()
    shutil.rmtree(pond.lake.table(RECORDS))
    again = Pond(spark, pond.folder)
    again.stream([pets_survey.answer("b")])
    assert again.aggregate() is not None
    assert [row["who"] for row in again.published()[RESPONSES]] == ["b"]


@pytest.mark.parametrize("collide", [False, True])
def test_who_answered_once_is_passed_on_and_who_answered_twice_is_looked_at(
    pond: Pond, spark: SparkSession, small_is_many: None, monkeypatch: pytest.MonkeyPatch, collide: bool
) -> None:
    """Also where the hashes of all keys collide."""
    pond.stream([pets_survey.answer(who, age=age) for age, who in enumerate("abacbad")] + [b"{"])
    records = tables.read(spark, pond.lake.table(RECORDS))
    if collide:
        monkeypatch.setattr(people, "_hash", lambda _: people.F.lit(7).alias(people.HASH))
    twice = people.answered_twice(records, pond.now, 2)
    assert twice.count() == (1 if collide else 2)
    newest = people.latest_but_for(records, pond.now, twice)
    whole = people.latest(records, pond.now)
    assert newest.columns == whole.columns
    assert sorted(newest.collect()) == sorted(whole.collect())
    assert {row["who"]: row["age"] for row in whole.collect()} == {"a": 5, "b": 4, "c": 3, "d": 6}


@pytest.mark.parametrize("collide", [False, True])
def test_who_answered_again_is_found_with_the_file_of_the_old_answer(
    pond: Pond, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, collide: bool
) -> None:
    """Also where the hashes of all keys collide; the later answer may be the old one."""
    if collide:
        monkeypatch.setattr(people, "_hash", lambda _: people.F.lit(7).alias(people.HASH))
    pond.stream([pets_survey.answer(who) for who in "ab"], partition=1)
    pond.stream([pets_survey.answer("c")], partition=2)
    path = pond.lake.table(RECORDS)
    old = tables.read(spark, path, pond.batches)
    pond.stream([pets_survey.answer(who) for who in "cbd"], partition=1)
    new = people.latest(tables.read(spark, path).where("partition = 1 AND offset >= 2"), pond.now)
    again = people.answered_again(old, new, pond.now).collect()
    assert {row["who"]: row[people.IS_LATER] for row in again} == {"b": True, "c": True}
    assert len({row[people.FILE] for row in again}) == 2
    older = new.selectExpr(*(f"0 AS {c}" if c == "offset" else c for c in new.columns))
    again = people.answered_again(old, older, pond.now).collect()
    assert {row["who"]: row[people.IS_LATER] for row in again} == {"b": False, "c": False}


def test_only_files_with_an_answer_that_was_replaced_are_written_anew(
    pond: Pond, small_is_many: None
) -> None:
    pond.stream([pets_survey.answer(who) for who in "abc"])
    pond.aggregate()
    pond.stream([pets_survey.answer(who) for who in "de"])
    pond.aggregate()
    first, second = (set(files_of(pond, who)) for who in ("a", "d"))
    assert first.isdisjoint(second)
    pond.stream([pets_survey.answer(who, age=9) for who in "ef"])
    pond.aggregate()
    assert set(files_of(pond, "a")) == first
    assert set(files_of(pond, "d")).isdisjoint(second)
    ages = {row["who"]: row["age"] for row in pond.published()[RESPONSES]}
    assert (set(ages), ages["e"], ages["d"], ages["f"]) == (set("abcdef"), 9, 3, 9)


def files_of(pond: Pond, who: str) -> list[str]:
    """Return the live files of `responses` that have a participant's answer."""
    files = DeltaTable(pond.lake.table(RESPONSES)).file_uris()
    return [file for file in files if who in parquet.read_table(file, columns=["who"])["who"].to_pylist()]


def test_many_who_answered_twice_are_sorted_instead(pond: Pond, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MANY", 2)
    pond.stream([pets_survey.answer(who) for who in "abcabcd"])
    pond.aggregate()
    assert [row["who"] for row in pond.published()[RESPONSES]] == list("abcd")
