"""F, and what of D and E needs a second process: two writers, a reader beside a writer, an executor that dies."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import maintain
import stream
from faults import readers
from faults.damage import commit_file, environment, java_of, newest_version, running, verb
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row, brief
from faults.scenario import assert_complete, resume, send_and_take
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.errors import ConfigError, StorageError
from surveylake.lake.lock import one_writer
from surveylake.paths import CONF, JOBS
from surveylake.runtime.ivy import spark_home
from surveylake.runtime.jars import local_jars

TESTS = Path(__file__).parent.parent
EXECUTOR = "CoarseGrainedExecutorBackend"
A_WRITER = """
import sys
from pathlib import Path
from faults.plain_query import PlainQuery
from surveylake.runtime.session import open_session
folder, bootstrap, topic = sys.argv[1:]
plain_query = PlainQuery(open_session("a second writer"), Path(folder), bootstrap, topic)
plain_query.checkpoint = plain_query.checkpoint.with_name("second checkpoint")

def append(rows, batch):
    print("about to commit", flush=True)
    sys.stdin.readline()
    plain_query.append(rows, batch)

print(plain_query.run(append).error)
"""


@contextmanager
def a_running_stream(env: SurveyEnv, *more: str, **how: object) -> Iterator[subprocess.Popen[str]]:
    """A stream in a process of its own that has taken in all there is and waits for more."""
    with running(env.command("--trigger", "500 milliseconds", *more), **how) as process:
        until(lambda: commit_file(env.lake / "records", 1).is_file() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        yield process


@pytest.mark.fault(
    "F1c",
    injected="a second stream on the same lake and checkpoint",
    expected="refused at once, naming the process that holds the lake",
)
def test_a_second_stream(
    env: SurveyEnv, row: Row, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    with a_running_stream(env) as process:
        code = stream.main(env.command()[2:])
        message = capsys.readouterr().err.splitlines()[-2]
    assert (code, f"stream.py (process {process.pid})" in message) == (StorageError.exit_code, True)
    row.observed(f"exit {code}: {message.removeprefix('error: ')}")


@pytest.mark.fault(
    "F3c",
    injected="the holder of the lake killed with SIGKILL",
    expected="the lake is free at once, nothing to clean up",
)
def test_a_killed_stream_leaves_no_lock(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    with a_running_stream(env) as process:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
    ledger.send(env.bootstrap, env.topic, answers(10, start=10))
    assert stream.main(env.command()[2:]) == 0
    assert_complete(env, ledger)
    row.observed("20 of 20, each once, by the next run")


@pytest.mark.slow
@pytest.mark.fault(
    "F2c",
    injected="two writers of one table on a local file system, one of them slow to rename its commit",
    expected="the second is refused",
    stock=True,
)
def test_two_writers_of_one_table(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    send_and_take(env, ledger, 10)
    with one_writer(str(env.lake), "the first"):
        done = verb(env, "stream")
    assert done.returncode == StorageError.exit_code
    row.observed(done.stderr.splitlines()[0].removeprefix("error: "))

    plain_query.run()
    ledger.send(env.bootstrap, env.topic, answers(10, start=10))
    contested = commit_file(plain_query.table, newest_version(plain_query.table) + 1)
    writer = [sys.executable, "-c", A_WRITER, str(plain_query.table.parent), env.bootstrap, env.topic]
    with running(writer, env=environment(PYTHONPATH=f"{JOBS}:{TESTS}"), stdin=subprocess.PIPE) as second:
        assert second.stdin
        assert second.stdout
        assert second.stdout.readline() == "about to commit\n", second.communicate()
        with held_before_any_rename(java_of(second.pid)[0].pid):
            second.stdin.write("\n")
            second.stdin.flush()
            until(lambda: any(contested.parent.glob(f".{contested.name}.*.tmp")))
            first = plain_query.run()
            assert first.error == "", "the first writer was told that all is well"
            assert {(0, n) for n in range(20)} == set(first.rows)
        out, err = second.communicate(timeout=180)
    broken = plain_query.read_error()
    survived = plain_query.rows()
    assert broken or len(survived) < 40, (out, err)
    row.plain_query(f"both writers: status ok; then {brief(broken) or 'the rows of one are gone'}")
    assert newest_version(env.lake / "records") == 1


@contextmanager
def held_before_any_rename(pid: int) -> Iterator[None]:
    """While the block runs, whoever of the process's threads wants to rename a file stands still before it."""
    if shutil.which("strace") is None:
        pytest.skip("the plain query's part needs strace")
    calls = "rename,renameat,renameat2"
    command = ["strace", "-f", "-o", os.devnull, "-e", f"trace={calls}", "-e", f"inject={calls}:delay_enter=3600s",
            "-p", str(pid)]  # fmt: skip
    with running(command) as tracer:  # killed at its end, which lets go
        assert tracer.stderr
        if " attached" not in (message := tracer.stderr.readline()):
            pytest.skip(f"processes cannot be traced here: {message.strip()}")
        yield


@pytest.mark.fault(
    "F4c",
    injected="counts made while the stream commits",
    expected="every table of a run comes from one version of records",
)
def test_counts_while_the_stream_commits(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    send_and_take(env, ledger, 20)
    versions = []
    with _taking_on_and_on(env, ledger):
        for _ in range(3):
            begun = newest_version(env.lake / "records")
            aggregate.aggregate(OPEN, str(env.lake), env.config, env.contract)
            versions.append(_one_version(env.lake))
            assert versions[-1] >= begun
            until(lambda: newest_version(env.lake / "records") > versions[-1])
    assert len(set(versions)) > 1, "nothing was committed meanwhile: the test shows nothing"
    readers.exactly_once(env.lake, ledger)
    row.observed(
        "3 counts while batches arrived: each of one version, each equal to DuckDB's count of that version"
    )


@contextmanager
def _taking_on_and_on(env: SurveyEnv, ledger: Ledger) -> Iterator[None]:
    """Records are sent and taken in, batch after batch, in this process while the block runs."""
    enough, failures = threading.Event(), []

    def work() -> None:
        sent = 20
        try:
            while not enough.is_set():
                ledger.send(env.bootstrap, env.topic, answers(10, start=sent))
                sent += 10
                env.take()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
    assert failures == []


def _one_version(lake: Path) -> int:
    """The version of `records` that the tables in the lake say they come from; they hold what DuckDB counts there."""
    notes = set()
    for table in [lake / "responses", *lake.glob("summary_*")]:
        note = next(c["userMetadata"] for c in DeltaTable(table).history() if c.get("userMetadata"))
        notes.add(json.loads(note)["records_version"])
    (version,) = notes
    table = DeltaTable(lake / "records", version=version).to_pyarrow_table()
    people = len(
        {
            who
            for who, good in zip(
                table["participant_id"].to_pylist(), table["accepted"].to_pylist(), strict=True
            )
            if good
        }
    )
    assert readers.query(lake, "SELECT count(*) FROM t", "responses") == [(people,)]
    return int(version)


@pytest.mark.fault(
    "F5c",
    injected="a session that reads the lake beside a stream, port 4040 taken, an empty working directory",
    expected="both work; no Hive catalog, nothing left in the directory",
)
def test_a_session_beside_a_stream(
    env: SurveyEnv, spark: SparkSession, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    empty = tmp_path / "empty"
    empty.mkdir()
    with socket.socket() as port_holder:
        port_holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port_holder.bind(("127.0.0.1", 4040))
        port_holder.listen()
        with a_running_stream(env, cwd=empty) as process:
            ledger.send(env.bootstrap, env.topic, answers(10, start=10))
            until(lambda: spark.read.format("delta").load(str(env.lake / "records")).count() == 20)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "4040" not in err
    assert list(empty.iterdir()) == []
    readers.exactly_once(env.lake, ledger)
    row.observed(
        "20 of 20, each once; the session saw them arrive; no metastore_db, derby.log or spark-warehouse"
    )


@pytest.mark.slow
@pytest.mark.fault(
    "D3",
    injected="an executor killed with SIGKILL in mid batch (local-cluster of two)",
    expected="its tasks run again on another; nothing twice",
)
def test_an_executor_is_killed(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(30_000))
    conf = Path(shutil.copytree(CONF, env.folder / "conf"))
    with (conf / "spark-defaults.conf").open("a", encoding="utf-8") as file:
        jars = os.pathsep.join(map(str, local_jars("spark")))
        file.write("\nspark.master local-cluster[2,1,512]\nspark.executor.memory 512m\n")
        file.write(f"spark.executor.extraClassPath {jars}\n")
    command = env.command("--conf", str(env.with_limit(1000)))
    with running(command, env=environment(SPARK_CONF_DIR=str(conf))) as process:
        until(commit_file(env.lake / "records", 4).is_file)
        until(lambda: len(java_of(process.pid, EXECUTOR)) == 2)
        java_of(process.pid, EXECUTOR)[0].kill()
        assert process.poll() is None
        _, err = process.communicate(timeout=300)
    shutil.rmtree(
        spark_home() / "work", ignore_errors=True
    )  # what a local cluster leaves in Spark's own folder
    assert process.returncode == 0, err
    assert_complete(env, ledger)
    row.observed("the stream went on with the other and a new one: 30,000 of 30,000, each once")


@pytest.mark.fault(
    "E12",
    injected="VACUUM that keeps nothing, beside a stream and under a reader of an older version",
    expected="maintain.py keeps 7 days unless forced, and is refused at once beside a stream",
    stock=True,
)
def test_vacuum_that_keeps_nothing(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    for start in (0, 10):
        ledger.send(env.bootstrap, env.topic, answers(10, start=start))
        plain_query.run()
    older = newest_version(plain_query.table)
    reader = plain_query.spark.read.format("delta").option("versionAsOf", older).load(str(plain_query.table))
    plain_query.spark.sql(f"OPTIMIZE delta.`{plain_query.table}`")
    with a_running_stream(env):
        maintain_all = ["--lake", str(env.lake), "--keep-days", "0"]
        for more, expected in (([], ConfigError), (["--force"], StorageError)):
            code = maintain.main([*maintain_all, *more])
            message = next(
                line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")
            )
            assert code == expected.exit_code, message
            row.observed(
                f"{' '.join(['--keep-days 0', *more])}: exit {code}: {message.removeprefix('error: ')}"
            )
    readers.exactly_once(env.lake, ledger)
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    plain_query.spark.conf.set(check, "false")
    try:
        plain_query.spark.sql(f"VACUUM delta.`{plain_query.table}` RETAIN 0 HOURS")
    finally:
        plain_query.spark.conf.unset(check)
    with pytest.raises(Exception, match=r"FILE_NOT_EXIST|FAILED_READ_FILE|does not exist"):
        reader.collect()
    row.plain_query("VACUUM RETAIN 0 HOURS: a reader of an older version fails, its files are gone")


@pytest.mark.fault(
    "E13",
    injected="OPTIMIZE, over and over, while the stream commits in the same process",
    expected="no loss; an append and a rewrite do not conflict",
)
def test_optimize_beside_the_stream(env: SurveyEnv, spark: SparkSession, row: Row, ledger: Ledger) -> None:
    send_and_take(env, ledger, 20)
    begun = newest_version(env.lake / "records")
    with _taking_on_and_on(env, ledger):
        for _ in range(5):
            version = newest_version(env.lake / "records")
            spark.sql(f"OPTIMIZE delta.`{env.lake / 'records'}`")
            until(lambda: newest_version(env.lake / "records") > version + 1)  # noqa: B023 - awaited at once
    done = [entry["operation"] for entry in DeltaTable(env.lake / "records").history()]
    assert done.count("OPTIMIZE") > 1
    assert len(done) - begun > 5
    assert_complete(env, ledger)
    row.observed("every record once, through several rewrites")


@pytest.mark.slow
@pytest.mark.fault(
    "E16",
    injected="120 micro-batches of one record",
    expected="the stream takes small files together while it runs",
)
def test_many_small_batches(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(120))
    env.set_stream(max_offsets_per_trigger=1, compact_after_files=20)
    resume(env, ledger)
    files = len(DeltaTable(env.lake / "records").file_uris())
    assert files < 80
    row.observed("120 of 120, each once; fewer files than batches")


@pytest.mark.slow
@pytest.mark.fault(
    "H10",
    injected="the whole way without HOME, from a folder of its own",
    expected="nothing is left in that folder",
)
def test_a_run_without_a_home(env: SurveyEnv, row: Row, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    sample = CONF / "surveys" / "food_preference.sample.csv"
    command = env.command("--input", str(sample), "--out", str(tmp_path / "out"), verb="run")
    homeless = environment()
    homeless.pop("HOME", None)
    with running(command, cwd=empty, env=homeless) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert list(empty.iterdir()) == []
    assert (tmp_path / "out" / "manifest.json").is_file()
    row.observed("tables, charts and report made; the folder is empty")
