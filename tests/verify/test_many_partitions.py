"""A topic of many partitions (row B7): no partition costs a term of its own, a file or a line of the proof."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from support import pets_survey
from support.sessions import generated_code
from support.survey_env import SURVEY, SurveyEnv, answers
from surveylake.aggregate import responses
from surveylake.contract.model import load_contract
from surveylake.lake import commits, end_offsets
from surveylake.lake.records_table import OffsetRange
from surveylake.stream.sink import not_in_table
from surveylake.validate.pipeline import validated
from surveylake.verify import broker as proof_broker
from surveylake.verify import coverage
from surveylake.verify import offsets as proof_offsets
from surveylake.verify.broker import reach
from surveylake.verify.checks import NOT_PROVED, PROVED, Check, Proof
from surveylake.verify.offsets import Claim
from surveylake.wording import SHOWN

MANY = 1_000
FALLBACK = "spark.sql.codegen.fallback"


@pytest.fixture
def generated_only(spark: SparkSession) -> Iterator[None]:
    """Spark fails where the code it generates outgrows Java's limit, instead of interpreting the rows and printing the plan."""
    with generated_code(spark):
        spark.conf.set(FALLBACK, "false")
        yield
        spark.conf.unset(FALLBACK)


def arriving(spark: SparkSession, count: int) -> DataFrame:
    """One row of each of so many partitions, at offset 5."""
    (value,) = answers(1)
    rows = spark.createDataFrame(
        [(partition, value) for partition in range(count)], "partition int, value binary"
    )
    rest = ("'t' AS topic", "5L AS offset", "timestamp'2026-01-01' AS timestamp", "1 AS epoch", "'k' AS key")
    return rows.selectExpr("*", *rest)


def test_b7_the_rows_held_of_a_thousand_partitions_are_left_out_by_generated_code(
    spark: SparkSession, generated_only: None
) -> None:
    held = {partition: 5 + partition % 2 for partition in range(MANY)}
    rows = validated(not_in_table(arriving(spark, MANY + 2), held), load_contract(SURVEY), 65_536)
    partitions = [row["partition"] for row in rows.where("accepted").select("partition").collect()]
    assert sorted(partitions) == [*range(0, MANY, 2), MANY, MANY + 1]


def test_b7_records_that_came_since_are_found_in_a_thousand_partitions_by_generated_code(
    spark: SparkSession, generated_only: None
) -> None:
    known = {1: {partition: 5 + partition % 2 for partition in range(MANY)}}
    offsets = tuple(OffsetRange("t", 1, partition, 0, 5, 6) for partition in range(MANY + 2))
    since = arriving(spark, MANY + 2).where(responses._beyond(known, offsets))
    assert sorted(row["partition"] for row in since.collect()) == [*range(0, MANY, 2), MANY, MANY + 1]


@pytest.mark.parametrize("seed", range(4))
def test_b7_offsets_are_compared_with_the_ends_of_their_own_partition(spark: SparkSession, seed: int) -> None:
    draw = random.Random(seed)
    held = {partition: draw.choice([0, 1, 3, 7]) for partition in draw.sample(range(60), 40)}
    rows = spark.range(60 * 8).selectExpr("CAST(id DIV 8 AS int) AS partition", "id % 8 AS offset")
    every = {(partition, offset) for partition in range(60) for offset in range(8)}
    early = {(p, o) for p, o in every if o < held.get(p, 0)}
    assert {tuple(row) for row in rows.where(end_offsets.before(held)).collect()} == early
    assert {tuple(row) for row in not_in_table(rows, held).collect()} == every - early
    some = draw.sample(sorted(held), 30)
    late = {(p, o) for p, o in every if p in some and o >= held[p]}
    begins = {**held, **{p: 8 for p in range(60) if p not in some}}  # the others have nothing new
    assert {tuple(row) for row in rows.where(end_offsets.from_on(begins, some)).collect()} == late


def test_b7_nothing_held_and_nothing_new_need_no_comparison(spark: SparkSession) -> None:
    rows = arriving(spark, 3)
    assert not_in_table(rows, {}) is rows
    assert not_in_table(rows, {0: 0}) is rows
    assert rows.where(end_offsets.from_on({0: 9}, [])).count() == 0
    assert rows.where(end_offsets.before_by_epoch({})).count() == 0
    assert rows.where(end_offsets.before_by_epoch({1: {0: 6, 1: 5}, 2: {2: 9}})).count() == 1


def test_b7_statistics_are_asked_of_single_partitions_while_they_are_few() -> None:
    few = end_offsets.from_on({p: 10 + p for p in range(16)}, range(16))
    assert few.count("BETWEEN") == 16
    assert "partition BETWEEN 3 AND 3 AND offset >= 13" in few
    many = end_offsets.from_on(dict.fromkeys(range(MANY), 7), range(MANY))
    assert many.count("BETWEEN") == end_offsets.MOST_RANGES


def test_b7_a_short_batch_of_many_partitions_writes_few_files(
    broker: str,
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(commits, "most_tasks", lambda spark: 3)
    env = SurveyEnv("many-partitions", broker, tmp_path, partitions=40)
    for start in (0, 200):
        env.send(200, start=start)
        with caplog.at_level("INFO"):
            env.take()
    assert len(DeltaTable(env.lake / "records").file_uris()) <= 2 * 3
    env.assert_every_offset_once(400)
    (message,) = [text for text in caplog.messages if "going on from" in text] or [""]
    assert message == ""  # the checkpoint agreed
    assert len({partition for _, partition, _ in env.rows()}) == 40
    # Without the checkpoint, the table's offsets decide: a few of them are named.
    for file in env.checkpoint.rglob("*"):
        if file.is_file():
            file.unlink()
    env.send(40, start=400)
    with caplog.at_level("INFO"):
        env.take()
    (message,) = [text for text in caplog.messages if "going on from" in text]
    assert message.endswith("and 35 more")
    env.assert_every_offset_once(440)


def test_b7_a_proof_of_a_thousand_partitions_is_a_few_lines_and_one_conclusion() -> None:
    proof = Proof(claim="all of it")
    proof.add(Check("offsets", f"partition {number}", PROVED, "each once") for number in range(MANY))
    proof.add(Check("offsets", f"partition {number}", NOT_PROVED, "a hole", "Look.") for number in range(40))
    lines = proof.lines()
    assert len(lines) < 2 * (SHOWN + 1) + 6
    assert any("and 995 more" in line and "proved" in line for line in lines)
    assert any("and 35 more" in line and "NOT proved" in line for line in lines)
    assert proof.as_json().count('"what": "offsets"') == MANY + 40


def test_b7_the_holes_of_many_partitions_are_looked_up_in_one_job_and_asked_of_one_consumer(
    broker: str, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = pets_survey.config(broker, 30)
    sent = {partition: [b"{}"] * (5 if partition else 6) for partition in range(30)}
    pets_survey.send_each(settings, "holes", sent)
    kafka = reach(settings.kafka, "holes")
    consumers = []
    monkeypatch.setattr(proof_broker, "Consumer", lambda options: consumers.append(1) or Consumer(options))
    offsets = [(1, p, o) for p in range(30) for o in range(5) if (p, o) not in ((3, 1), (3, 2), (29, 3))]
    records = spark.createDataFrame(offsets, "epoch int, partition int, offset bigint").coalesce(1)
    coverages = coverage.partition_coverage(records)
    assert coverage.holes(records, coverages) == {(1, 3): [(1, 2)], (1, 29): [(3, 3)]}
    checks = proof_offsets.checks(records, [Claim(cover, (), kafka) for cover in coverages])
    assert len(consumers) == 1
    bad = {check.where: check.detail for check in checks if check.status == NOT_PROVED}
    assert bad == {
        "epoch 1 partition 3": "2 records in the topic and not in the table: 2 offsets (1 to 2)",
        "epoch 1 partition 29": "1 record in the topic and not in the table: 1 offset (3)",
    }


def test_b7_more_holes_than_are_looked_into_are_not_called_explained(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MOST_HOLES", 2)
    records = spark.range(0, 20, 2).selectExpr("1 AS epoch", "0 AS partition", "id AS offset")
    (cover,) = coverage.partition_coverage(records)
    (check,) = proof_offsets.checks(records, [Claim(cover, [(0, 99)])])
    assert check.status == NOT_PROVED
    assert "not all of them were looked into" in check.detail
