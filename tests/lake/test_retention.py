"""A lake older than a week (rows B2 and B3): the version that is published stays provable, and what is promised to be kept is kept."""

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import export
import maintain
import replay
import verify
from support import pets_survey
from support.sessions import OPEN
from surveylake.aggregate import record_counts
from surveylake.contract.model import Contract
from surveylake.errors import ProofError, StorageError
from surveylake.lake import commits as transactions
from surveylake.lake import compaction, maintenance, retention, table_history, tables
from surveylake.lake.log_files import LOG
from surveylake.lake.provenance import Provenance
from surveylake.lake.tables import RECORDS, RESPONSES, Lake

TOPIC = "kept"
DAY = 86_400.0
GONE = "version 2 of records (which is gone: read from version 4, up to the same offsets)"


def aged(table: Path, days: float, newest_days: float | None = None) -> None:
    """Make a table look so many days old, its newest version perhaps younger: the dates of its log and of its data, and what
    the log says of when files were replaced."""
    now, commits = time.time(), sorted((table / LOG).glob("*.json"))
    for commit in commits:
        age = days if newest_days is None or commit != commits[-1] else newest_days
        text = commit.read_text()
        when = int((now - age * DAY) * 1000)
        then = re.sub(r'"(deletionTimestamp|timestamp)":\d+', rf'"\1":{when}', text)
        if then != text:
            commit.write_text(then)
            commit.with_name(f".{commit.name}.crc").unlink(missing_ok=True)
        for file in (table / LOG).glob(f"*{commit.stem}*"):
            os.utime(file, (now - age * DAY, now - age * DAY))
    for file in table.glob("*.parquet"):
        os.utime(file, (now - days * DAY, now - days * DAY))


def files(table: Path) -> set[str]:
    return {file.name for file in table.glob("*.parquet")}


def forget(spark: SparkSession) -> None:
    """Let Delta read logs anew that were changed under it."""
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def published(spark: SparkSession, broker: str, home: Path, survey: Contract) -> Path:
    """`records` at version 3; responses and summaries are of version 2: two batches, of which one record was rejected."""
    lake, settings = home / "lake", pets_survey.config(broker)
    for batch in ([pets_survey.answer(who) for who in "abcdefg"], [pets_survey.answer("h", "dog"), b"{"]):
        pets_survey.send(settings, TOPIC, batch)
        pets_survey.take_in(lake, settings, survey)
    aggregate.aggregate(OPEN, str(lake), settings, survey)
    pets_survey.send(settings, TOPIC, [pets_survey.answer(who, "dog") for who in "axyz"], partition=1)
    pets_survey.take_in(lake, settings, survey)
    return lake


@pytest.fixture
def lake(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "lake"))


class Verbs:
    """The verbs on one lake, and the output of the last one."""

    def __init__(self, lake: Path, home: Path, broker: str, capfd: pytest.CaptureFixture[str]) -> None:
        self._lake, self._survey, self._broker, self._capfd = lake, home / f"{TOPIC}.toml", broker, capfd
        self.out, self.output = lake.parent / "out", ""

    def run(self, verb: object, *more: str) -> int:
        arguments = ["--lake", str(self._lake), *more]
        if verb is not maintain:
            arguments += ["--survey", str(self._survey)]
        if verb is verify:
            arguments += ["--bootstrap", self._broker]
        code: int = verb.main(arguments)  # type: ignore[attr-defined]
        captured = self._capfd.readouterr()
        self.output = captured.out + captured.err
        return code

    def export(self) -> int:
        return self.run(export, "--out", str(self.out))

    def manifest(self) -> dict[str, object]:
        return dict(json.loads((self.out / "manifest.json").read_text()))


@pytest.fixture
def verbs(lake: Path, home: Path, broker: str, capfd: pytest.CaptureFixture[str]) -> Verbs:
    return Verbs(lake, home, broker, capfd)


def lose_version_2(spark: SparkSession, lake: Path) -> None:
    """As another program's VACUUM does: the files of all records are one now, and only that one is left."""
    table = str(lake / RECORDS)
    compaction.compact(spark, table)
    assert retention.vacuum(spark, table, 0, force=True).removed == 3


def clean_log(spark: SparkSession, lake: Path) -> None:
    """As Delta does after thirty days: what came before the log's newest checkpoint is gone."""
    maintenance.checkpoint(spark, str(lake / RECORDS))
    for commit in (lake / RECORDS / LOG).glob("*00[0-3].*"):
        commit.unlink()
    for commit in (lake / RECORDS / LOG).glob(".*00[0-3].*"):
        commit.unlink()
    forget(spark)


def test_b2_a_lake_older_than_a_week_is_exported_and_proved(lake: Path, verbs: Verbs) -> None:
    for table in (lake / RECORDS, lake / RESPONSES):
        aged(table, 10)
    assert verbs.export() == 0, verbs.output
    assert verbs.manifest()["records_version"] == 2
    assert verbs.run(verify, "--out", str(verbs.out)) == 0, verbs.output
    assert "as in version 2 of records, all within" in verbs.output
    assert "records is at version 3 since" in verbs.output


@pytest.mark.parametrize("removed", ["files", "log", "both"])
def test_b2_where_the_published_version_is_gone_its_offsets_prove_it_and_it_is_said(
    spark: SparkSession, lake: Path, verbs: Verbs, removed: str
) -> None:
    if removed == "log":
        compaction.compact(spark, str(lake / RECORDS))
    else:
        lose_version_2(spark, lake)
    newest = DeltaTable(lake / RECORDS).version()
    if removed != "files":
        clean_log(spark, lake)
    gone = GONE.replace("version 4", f"version {newest}")
    assert verbs.export() == 0, verbs.output
    assert f"export: from {gone}" in verbs.output
    assert verbs.manifest()["records_version"] == 2
    assert '"received": 9' in (verbs.out / "manifest.json").read_text()
    assert "ERROR" not in verbs.output, "no trace for what is foreseen"
    assert verbs.run(verify, "--out", str(verbs.out)) == 0, verbs.output
    assert f"8 participants, each once, as in {gone}" in verbs.output
    assert "the same computed anew from " + gone in verbs.output.replace(
        "version 2 (", "version 2 of records ("
    )
    assert "exports" in verbs.output


def test_b2_records_judged_again_since_are_not_taken_for_those_that_were_published(
    spark: SparkSession, lake: Path, verbs: Verbs, home: Path
) -> None:
    strict = home / "strict.toml"
    strict.write_text((home / f"{TOPIC}.toml").read_text().replace("max = 30", "max = 2"))
    assert replay.main(["--lake", str(lake), "--survey", str(strict)]) == 0
    compaction.compact(spark, str(lake / RECORDS))
    retention.vacuum(spark, str(lake / RECORDS), 0, force=True)
    assert verbs.export() == StorageError.exit_code
    assert "was judged again since responses was made from it" in verbs.output
    assert "next: Run jobs/aggregate.py" in verbs.output
    assert verbs.run(verify) == ProofError.exit_code
    assert "8 rows, and version 2 of records (which is gone" in verbs.output


def test_b2_a_version_that_is_gone_and_asked_for_is_named(
    spark: SparkSession, lake: Path, verbs: Verbs
) -> None:
    lose_version_2(spark, lake)
    assert verbs.run(aggregate, "--version", "1") == StorageError.exit_code
    assert f"version 1 of {lake / RECORDS} cannot be read" in verbs.output


# --- what maintain.py promises


@pytest.mark.parametrize("forgotten", [False, True], ids=["remembered", "forgotten"])
def test_b3_a_file_replaced_ten_days_ago_stays_when_thirty_are_promised(
    spark: SparkSession, lake: Path, verbs: Verbs, forgotten: bool
) -> None:
    table = lake / RECORDS
    for name in (RESPONSES, "summary_pet", "summary_quant"):
        shutil.rmtree(lake / name)  # nothing is published, so nothing is kept for that
    replaced = files(table)
    compaction.compact(spark, str(table))
    aged(table, 40 if forgotten else 25, newest_days=10)
    forget(spark)
    if forgotten:
        # A log checkpoint drops what was replaced over seven days ago, and commits over thirty days old go with it.
        maintenance.checkpoint(spark, str(table))
        assert len(list((table / LOG).glob("*.json"))) == 1
    assert verbs.run(maintain, "--keep-days", "30") == 0
    assert "0 files replaced over 30 days ago removed" in verbs.output
    assert replaced < files(table)
    if not forgotten:
        assert len(DeltaTable(table, version=2).to_pyarrow_table()) == 9
    assert verbs.run(maintain, "--keep-days", "7") == 0
    assert f"{len(replaced)} files replaced over 7 days ago removed" in verbs.output
    assert not replaced & files(table)


def test_b3_what_was_promised_stands_in_the_tables_and_leaves_responses_as_they_are(
    lake: Path, verbs: Verbs
) -> None:
    assert verbs.run(maintain, "--keep-days", "45") == 0
    for table in (RECORDS, RESPONSES):
        configuration = DeltaTable(lake / table).metadata().configuration
        assert (
            configuration[retention.FILES_KEPT] == configuration[retention.LOG_KEPT] == "interval 1080 hours"
        )
    version = DeltaTable(lake / RECORDS).version()
    assert verbs.run(maintain, "--keep-days", "45") == 0
    assert DeltaTable(lake / RECORDS).version() == version, "promised already"
    assert verbs.run(aggregate) == 0
    operations = [str(commit["operation"]) for commit in DeltaTable(lake / RESPONSES).history()]
    assert operations.count("CREATE OR REPLACE TABLE") + operations.count("CREATE TABLE") == 1, operations


def test_b3_seven_days_are_deltas_own_and_need_no_commit(lake: Path, verbs: Verbs) -> None:
    version = DeltaTable(lake / RECORDS).version()
    assert verbs.run(maintain) == 0
    assert [str(c["operation"]) for c in DeltaTable(lake / RECORDS).history()][: -version - 1] == ["OPTIMIZE"]


def test_b2_files_of_the_published_version_stay_however_old_they_are(
    spark: SparkSession, lake: Path, verbs: Verbs
) -> None:
    table = lake / RECORDS
    compaction.compact(spark, str(table))
    aged(table, 20)
    aged(lake / RESPONSES, 20)
    forget(spark)
    assert verbs.run(maintain) == 0
    line = next(line for line in verbs.output.splitlines() if line.startswith("records: "))
    assert line.endswith("1 files replaced over 7 days ago removed, 2 kept for what is published")
    assert verbs.export() == 0
    assert "which is gone" not in verbs.output
    assert verbs.run(verify, "--out", str(verbs.out)) == 0, verbs.output
    assert "which is gone" not in verbs.output
    assert verbs.run(aggregate) == 0
    assert verbs.run(maintain) == 0
    assert "2 files replaced over 7 days ago removed" in verbs.output, "once it is published no longer"
    assert len(files(table)) == 1


def test_files_that_no_commit_has_named_yet_stay_at_a_uri(
    spark: SparkSession, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a writer may begin at any time, and write files for a commit to come; replaced files are nobody's any more."""
    table, to_come = lake / RECORDS, lake / RECORDS / "part-00000-to-come.parquet"
    compaction.compact(spark, str(table))
    to_come.write_bytes(b"the first task's")
    monkeypatch.setattr(retention, "is_local", lambda _: False)
    assert retention.vacuum(spark, str(table), 0, force=True).removed == 3
    assert to_come.exists()
    os.utime(to_come, (time.time() - 8 * DAY,) * 2)
    assert retention.vacuum(spark, str(table), 0, force=True).removed == 1
    assert not to_come.exists()


def test_what_is_exported_is_of_one_version_though_another_process_aggregates_meanwhile(
    spark: SparkSession, lake: Path, broker: str, survey: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, count = pets_survey.config(broker), record_counts.at_provenance

    def count_and_be_late(*arguments: Any) -> record_counts.RecordCounts:
        counts = count(*arguments)
        aggregate.aggregate(OPEN, str(lake), settings, survey)
        return counts

    monkeypatch.setattr(record_counts, "at_provenance", count_and_be_late)
    found = export._aggregated(spark, Lake(str(lake)), settings, survey).findings
    assert (found.version, found.received, found.responses) == (2, 9, 8)
    monkeypatch.undo()
    found = export._aggregated(spark, Lake(str(lake)), settings, survey).findings
    assert (found.version, found.received, found.responses) == (3, 13, 11)


def test_b2_the_provenance_of_responses_outlives_the_log_it_was_written_in(
    spark: SparkSession, lake: Path, verbs: Verbs
) -> None:
    path = lake / RESPONSES
    note = table_history.provenance_of(spark, str(path))
    tables.set_property(spark, str(path), "a.property", "b")
    aged(path, 40)
    forget(spark)
    assert verbs.run(maintain, "--keep-days", "8") == 0
    assert not list((path / LOG).glob("*00.json")), "Delta cleaned the log"
    assert table_history.provenance_of(spark, str(path)) == note
    assert verbs.export() == 0, verbs.output
    assert verbs.run(verify) == 0
    assert "8 participants, each once" in verbs.output


def test_b2_a_note_that_is_gone_is_said_and_is_no_fault_of_the_lake(
    spark: SparkSession, lake: Path, verbs: Verbs
) -> None:
    path = lake / RESPONSES
    tables.set_property(spark, str(path), "a.property", "b")
    maintenance.checkpoint(spark, str(path))
    for commit in (path / LOG).glob("*[01].json"):
        commit.unlink()
    forget(spark)
    assert verbs.export() == StorageError.exit_code
    assert "does not say which version of records it was made from" in verbs.output
    assert verbs.run(verify) == 0, verbs.output
    assert "that commit was cleaned away, so nothing was compared" in verbs.output


def test_b2_another_programs_note_is_no_note(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    spark.range(3).write.format("delta").option("userMetadata", "by hand").save(path)
    assert table_history.provenance_of(spark, path) == Provenance()
    assert retention.published_versions(spark, Lake(str(tmp_path))) == set()
    assert transactions.version_at(spark, path, transactions.now(spark)) == 0
