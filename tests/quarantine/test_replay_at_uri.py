"""A replay beside a stream, where the lake is at a URI and has no lock: the stream stops with the replay's name."""

from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import replay
from support import pets_survey
from support.uri_lake import mounted
from surveylake.errors import LakeLockedError
from surveylake.lake import commits, writer_token
from surveylake.lake.tables import RECORDS

TOPIC = "replayed-at-a-uri"


def test_a_stream_that_runs_beside_a_replay_stops_with_its_name(
    spark: SparkSession, broker: str, tmp_path: Path
) -> None:
    (tmp_path / "lakes").mkdir()
    lake = f"{mounted(spark, 'replayed', tmp_path / 'lakes')}/lake"
    path = f"{lake}/{RECORDS}"
    config, contract = pets_survey.config(broker, 1), pets_survey.contract(tmp_path, TOPIC)
    pets_survey.send(config, TOPIC, [pets_survey.answer("a"), pets_survey.answer("b", "Kat")])
    pets_survey.take_in(lake, config, contract)
    token = writer_token.take(spark, path, "stream.py")
    survey = pets_survey.contract_file(tmp_path, TOPIC, '{ cat = ["Kat"] }', 40)

    assert replay.main(["--lake", lake, "--survey", str(survey), "--dry-run"]) == 0
    of_the_stream = commits.begin(spark, commits.snapshot(spark, path))
    writer_token.require(of_the_stream, spark, path, token)  # nothing was written: the stream goes on

    assert replay.main(["--lake", lake, "--survey", str(survey)]) == 0
    with pytest.raises(commits.FAILURES, match=writer_token.CONFLICT):
        commits.commit_numbered(spark, of_the_stream, commits.no_files(spark), "a stream", 7, "{}")
    late = commits.begin(spark, commits.snapshot(spark, path))
    with pytest.raises(LakeLockedError, match=r"is being written by replay\.py on "):
        writer_token.require(late, spark, path, token)
    rows = (
        DeltaTable(tmp_path / "lakes" / "lake" / RECORDS)
        .to_pyarrow_table(columns=["offset", "accepted"])
        .to_pylist()
    )
    assert sorted((row["offset"], row["accepted"]) for row in rows) == [(0, True), (1, True)]
