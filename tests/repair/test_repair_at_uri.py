"""A lake at a URI is mended as one on a disk, and a stream that still runs does not commit to what is mended.

The URI is Hadoop's own `viewfs://`, whose files lie in a folder of the test.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import repair
from support import pets_survey
from support.sessions import OPEN
from support.uri_lake import mounted
from surveylake.contract.model import Contract
from surveylake.errors import ProofError
from surveylake.lake import commits, log_files, writer_token
from surveylake.lake.log_files import LOG
from surveylake.lake.tables import RECORDS, RESPONSES
from surveylake.verify.proof import prove

TOPIC, HOST = "repaired-at-a-uri", "repaired"
Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sound(spark: SparkSession, broker: str, home: Path, survey: Contract) -> Path:
    """A store with a lake of 30 records in three batches, versions 2 to 4 of `records` (1 is the writer's token)."""
    (home / "lakes").mkdir()
    mounted(spark, HOST, home / "lakes")
    config = pets_survey.config(broker)
    for batch in range(3):
        people = [f"p{batch * 10 + n}" for n in range(10)]
        pets_survey.send(config, survey.topic, [pets_survey.answer(who) for who in people])
        pets_survey.take_in(root("sound"), config, survey)
    aggregate.aggregate(OPEN, root("sound"), config, survey)
    return home / "lakes" / "sound"


def root(name: str) -> str:
    return f"viewfs://{HOST}/lakes/{name}"


@pytest.fixture
def lake(sound: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the sound lake, without the checksums that Hadoop keeps on a disk only."""
    folder = sound.with_name("".join(c for c in request.node.name if c.isalnum()))
    shutil.copytree(sound, folder, ignore=shutil.ignore_patterns(".*.crc"))
    return folder


def run(lake: Path, home: Path, bootstrap: str, *more: str) -> int:
    return repair.main(
        ["--lake", root(lake.name), "--survey", str(home / f"{TOPIC}.toml"), "--bootstrap", bootstrap, *more]
    )


def newest(lake: Path) -> Path:
    return max((lake / RECORDS / LOG).glob("*.json"))


def empty(lake: Path) -> None:
    newest(lake).write_bytes(b"")


def torn(lake: Path) -> None:
    newest(lake).write_bytes(newest(lake).read_bytes()[:-40])


def gone_but_for_its_checksum(lake: Path) -> None:
    newest(lake).unlink()


def data_lost_and_its_commit_not(lake: Path) -> None:
    for action in log_files.actions(newest(lake)) or []:
        if "add" in action:
            (lake / RECORDS / action["add"]["path"]).unlink()


def assert_all_30_once(lake: Path) -> None:
    """By a reader that is not Spark."""
    rows = DeltaTable(lake / RECORDS).to_pyarrow_table(columns=["partition", "offset"]).to_pylist()
    assert sorted((row["partition"], row["offset"]) for row in rows) == [(0, n) for n in range(30)]


@pytest.mark.parametrize("fault", [empty, torn, gone_but_for_its_checksum, data_lost_and_its_commit_not])
def test_after_repair_and_stream_all_are_there_once(
    lake: Path, home: Path, broker: str, survey: Contract, capsys: Output, fault: Callable[[Path], None]
) -> None:
    fault(lake)
    broken = {path.relative_to(lake): path.read_bytes() for path in lake.rglob("*") if path.is_file()}
    assert run(lake, home, broker, "--dry-run") == ProofError.exit_code
    assert {p.relative_to(lake): p.read_bytes() for p in lake.rglob("*") if p.is_file()} == broken
    assert run(lake, home, broker) == 0
    assert "next: jobs/stream.py" in capsys.readouterr().out
    aside = lake / "_repair" / "1"
    moved = {path.relative_to(aside): path.read_bytes() for path in aside.rglob("*") if path.is_file()}
    visible = {path: content for path, content in moved.items() if not path.name.startswith(".")}
    assert visible
    assert visible.items() <= broken.items()
    pets_survey.take_in(root(lake.name), pets_survey.config(broker), survey)
    assert_all_30_once(lake)
    aggregate.aggregate(OPEN, root(lake.name), pets_survey.config(broker), survey)
    assert prove(OPEN, root(lake.name), pets_survey.config(broker), survey).proved


@pytest.mark.parametrize("what", ["a version", "a table made from it"])
def test_a_stream_that_has_read_the_log_before_the_repair_commits_nothing_after_it(
    spark: SparkSession, lake: Path, home: Path, broker: str, what: str
) -> None:
    path = f"{root(lake.name)}/{RECORDS}"
    streams = commits.begin(spark, commits.snapshot(spark, path))
    streams.txnVersion(writer_token.WRITER)
    before = len(DeltaTable(lake / RECORDS).to_pyarrow_table())
    if what == "a version":
        torn(lake)
        before = 20
    else:
        max((lake / RESPONSES / LOG).glob("*.json")).write_bytes(b"")
    assert run(lake, home, broker) == 0
    with pytest.raises(commits.FAILURES, match=writer_token.CONFLICT):
        commits.commit_numbered(spark, streams, commits.no_files(spark), "a stream", 7, "{}")
    assert len(DeltaTable(lake / RECORDS).to_pyarrow_table()) == before


def test_the_process_that_mends_is_named(spark: SparkSession, lake: Path, home: Path, broker: str) -> None:
    before = DeltaTable(lake / RECORDS).version()
    max((lake / RESPONSES / LOG).glob("*.json")).write_bytes(b"")
    assert run(lake, home, broker) == 0
    named = writer_token.replaced(spark, f"{root(lake.name)}/{RECORDS}", before)
    assert "repair.py on " in named.message


def test_nothing_to_mend_takes_no_turn(lake: Path, home: Path, broker: str, capsys: Output) -> None:
    """A stream that runs beside goes on."""
    before = DeltaTable(lake / RECORDS).version()
    assert run(lake, home, broker) == 0
    assert capsys.readouterr().out.startswith(f"repair: nothing to mend in {root(lake.name)}")
    assert DeltaTable(lake / RECORDS).version() == before
