"""How large a micro-batch is made: by what the last ones measured."""

import json
from pathlib import Path

from surveylake.stream.batch_size import FEWEST, FILE_BYTES, CommitStats, batches_of, limit, rows_per_second

MOST = 20_000_000


def test_a_batch_takes_what_the_fastest_of_the_last_wrote_in_the_wished_time() -> None:
    batches = [
        CommitStats(1000, 50_000, 0),
        CommitStats(300_000, 15_000_000, 1_000),
        CommitStats(10, 500, 60_000),
    ]
    assert limit(batches, 30, 4, 4, MOST, 0) == 9_000_000


def test_wide_rows_are_limited_by_the_files_they_would_make() -> None:
    batches = [CommitStats(1, 10_000, 0), CommitStats(300_000, 3_000_000_000, 1_000)]
    assert limit(batches, 30, 4, 4, MOST, 0) == 4 * FILE_BYTES // 10_000


def test_a_first_batch_is_guessed_from_the_size_of_a_message() -> None:
    assert limit([], 30, 4, 4, MOST, 150) == 8_000_000
    assert limit([], 30, 4, 4, MOST, 60_000) == FEWEST


def test_b7_a_batch_of_many_partitions_writes_few_files_and_takes_enough_of_each() -> None:
    slow = [CommitStats(1_000, 150_000, 0), CommitStats(1_000, 150_000, 20_000)]
    assert limit(slow, 30, 1_000, 8, MOST, 0) == 500_000
    wide = [CommitStats(1, 10_000, 0), CommitStats(300_000, 3_000_000_000, 1_000)]
    assert limit(wide, 30, 10, 8, MOST, 0) == 8 * FILE_BYTES // 10_000


def test_the_configuration_has_the_last_word() -> None:
    assert limit([], 30, 4, 4, 5_000, 150) == 5_000


def test_waiting_for_records_does_not_pass_for_slowness() -> None:
    idle = [CommitStats(100, 1, at) for at in (0, 60_000, 120_000)]
    busy = [*idle, CommitStats(600_000, 1, 122_000)]
    assert limit(busy, 10, 4, 4, MOST, 0) == 3_000_000
    assert rows_per_second(busy[-2], busy[-1]) == 300_000


def test_only_commits_of_the_stream_are_measured(tmp_path: Path) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()
    metrics = {"numOutputRows": "7", "numOutputBytes": "90"}
    for version, operation in enumerate(("CREATE TABLE", "STREAMING UPDATE", "OPTIMIZE", "STREAMING UPDATE")):
        info = {"operation": operation, "timestamp": version, "operationMetrics": metrics}
        (log / f"{version:020d}.json").write_text(json.dumps({"commitInfo": info}) + "\n")
    assert batches_of(tmp_path) == [CommitStats(7, 90, 1), CommitStats(7, 90, 3)]
    assert batches_of(tmp_path / "nothing") == []
