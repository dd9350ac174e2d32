"""D: what happens to the driver, the executors and the engine."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import aggregate
from faults import readers
from faults.clock import clock_library, shifted
from faults.damage import (
    commit_file,
    environment,
    forget_logs,
    java_of,
    proof_of,
    refused,
    running,
    traces,
    verb,
)
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row, brief
from faults.scenario import assert_complete, resume, send_and_take
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.contract.model import load_contract
from surveylake.errors import ProofError, StorageError
from surveylake.paths import CONF

A_DAY, A_YEAR = 86_400_000, 365 * 86_400_000
"""Milliseconds."""
NOON_2024 = 1_704_110_400_000


@pytest.mark.quick
@pytest.mark.fault(
    "D2",
    injected="a batch is in the table and the checkpoint does not say that it is done",
    expected="the batch run again changes nothing",
    stock=True,
)
def test_a_batch_that_is_run_again(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger) -> None:
    send_and_take(env, ledger, 10)
    before = readers.state(env.lake)
    _forget_commit(env.checkpoint)
    resume(env, ledger)
    assert readers.state(env.lake) == before
    row.observed("10 of 10, each once; no new table version")

    plain_query.run(plain_query.append)
    _forget_commit(plain_query.checkpoint)
    plain = plain_query.run(plain_query.append)
    assert (plain.error, len(plain.rows), len(plain.doubled)) == ("", 20, 10)
    row.plain_query("through foreachBatch: status ok, 20 rows instead of 10 (Delta's own sink: 10)")


@pytest.mark.slow
@pytest.mark.fault(
    "D4",
    injected="SIGTERM and Ctrl-C with batches in progress",
    expected="ends in order with exit code 0, the lock free; the rest is taken in by the next run",
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_mid_run(env: SurveyEnv, row: Row, ledger: Ledger, number: signal.Signals) -> None:
    ledger.send(env.bootstrap, env.topic, answers(3000))
    with running(env.command("--conf", str(env.with_limit(100)))) as process:
        until(commit_file(env.lake / "records", 3).is_file)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    taken = len(env.rows())
    assert 0 < taken < 3000
    resume(env, ledger)
    row.observed(
        f"{number.name}: exit 0 after the batch in progress; 3000 of 3000 after the next run, each once"
    )


@pytest.mark.slow
@pytest.mark.fault(
    "D5",
    injected="a backlog of 1,000,000 records and a driver of 512 MB",
    expected="the configuration's limit per batch keeps it alive",
)
def test_a_deep_backlog_in_a_small_heap(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(1_000_000))
    conf = Path(shutil.copytree(CONF, env.folder / "conf"))
    with (conf / "spark-defaults.conf").open("a", encoding="utf-8") as file:
        file.write("\nspark.driver.memory 512m\n")
    with running(env.command(), env=environment(SPARK_CONF_DIR=str(conf))) as process:
        until(lambda: bool(java_of(process.pid, "-Xmx512m")))
        _, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    account = ledger.against(env.lake)
    assert account.balanced, account
    row.observed("taken in within 512 MB: 1,000,000 of 1,000,000, each once")


@pytest.mark.fault(
    "D6",
    injected="crash with a batch half done, rules changed before the restart",
    expected="impossible by construction: record and verdict are one row of one commit",
    stock=True,
)
@pytest.mark.parametrize("reached", ["the table", "the checkpoint"])
def test_rules_changed_in_mid_batch(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path, reached: str
) -> None:
    values = [answers(1, start=age, Age=str(age))[0] for age in range(5, 15)]
    ledger.send(env.bootstrap, env.topic, values)
    row.plain_query(_two_tables(plain_query))
    env.take()
    _forget_commit(env.checkpoint)
    if reached == "the checkpoint":
        for trace in traces(env.lake / "records", 1):
            trace.unlink()
        forget_logs(plain_query.spark)
    text = env.survey.read_text(encoding="utf-8")
    env.survey.write_text(text.replace("min = 5", "min = 8"), encoding="utf-8")
    env.contract = load_contract(env.survey)
    resume(env, ledger)
    accepted = readers.query(env.lake, "SELECT count(*) FILTER (accepted), count(*) FROM t")
    assert accepted == [(10, 10) if reached == "the table" else (7, 10)]
    row.observed(f"crash after the batch reached {reached}: 10 of 10, each once, accepted or rejected")


def _two_tables(plain_query: PlainQuery) -> str:
    """The two tables of one foreachBatch, as the guides write it with txnAppId: crash between them, rules changed, restart."""
    _with_cast(plain_query)
    good, bad = (str(plain_query.table.with_name(name)) for name in ("good", "bad"))

    def into(limit: int, crash: bool) -> object:
        def each_batch(rows: DataFrame, batch: int) -> None:
            for table, part in ((good, F.col("Age") < limit), (bad, F.col("Age") >= limit)):
                if crash and table == bad:
                    raise RuntimeError("the process ends here")
                writer = rows.where(part).write.format("delta").mode("append")
                writer.option("txnAppId", "survey").option("txnVersion", batch).save(table)

        return each_batch

    assert plain_query.run(into(8, crash=True)).error
    assert plain_query.run(into(11, crash=False)).error == ""
    ages = [
        row["Age"] for t in (good, bad) for row in plain_query.spark.read.format("delta").load(t).collect()
    ]
    assert sorted(ages) == [5, 6, 7, 11, 12, 13, 14]
    return "two tables in one foreachBatch: status ok, 3 of 10 rows in neither table"


@pytest.mark.quick
@pytest.mark.fault(
    "D7",
    injected="a record whose value makes a cast throw",
    expected="rejected with its reason; the stream goes on",
    stock=True,
)
def test_a_poison_record(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger) -> None:
    values = [*answers(5), *answers(1, start=5, Age="abc"), *answers(5, start=6)]
    ledger.send(env.bootstrap, env.topic, values)
    env.take()
    readers.exactly_once(env.lake, ledger)
    rejected = readers.query(env.lake, 'SELECT "offset", failed_rules FROM t WHERE NOT accepted')
    assert rejected == [(5, ["not_a_number:Age"])]
    row.observed("11 records: 10 accepted, offset 5 rejected: not_a_number:Age")

    _with_cast(plain_query)
    for plain in (plain_query.run(), plain_query.run()):
        assert "CAST_INVALID_INPUT" in plain.error
        assert plain.rows == []
    row.plain_query(
        "with CAST(Age AS int): stops with CAST_INVALID_INPUT at every restart, none of the 11 stored"
    )


@pytest.mark.fault(
    "D8",
    injected="a contract whose own rule fails on a record, at every restart",
    expected="each run stops by itself, with the cause; a corrected contract goes on",
)
def test_a_rule_that_fails(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    text = env.survey.read_text(encoding="utf-8")
    env.survey.write_text(f'{text}\n[rules]\nsound = "1 / (age - 24) > 0"\n', encoding="utf-8")
    good, env.contract = env.contract, load_contract(env.survey)
    messages = {refused(env) for _ in range(2)}
    row.observed("; ".join(sorted({brief(line) for line in messages})))
    assert all("DIVIDE_BY_ZERO" in line for line in messages)
    env.contract = good
    env.take()
    readers.exactly_once(env.lake, ledger)
    row.observed("no restart of its own; corrected: 10 of 10, each once")


@pytest.mark.slow
@pytest.mark.fault(
    "D10",
    injected="a table of a newer Delta protocol than this Delta reads, or with a feature it does not know",
    expected="refused, naming the version or the feature",
)
@pytest.mark.parametrize(
    ("protocol", "named"),
    [
        ({"minReaderVersion": 99, "minWriterVersion": 99}, "version 99 of the Delta protocol"),
        (
            {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["fromTheFuture"],
                "writerFeatures": ["fromTheFuture"],
            },
            "fromTheFuture",
        ),
    ],
    ids=["version", "feature"],
)
def test_a_newer_protocol(
    env: SurveyEnv, spark: SparkSession, row: Row, ledger: Ledger, protocol: dict[str, object], named: str
) -> None:
    send_and_take(env, ledger, 5)
    before = readers.state(env.lake)
    commit = commit_file(env.lake / "records", 2)
    commit.write_text(json.dumps({"protocol": protocol}) + "\n", encoding="utf-8")
    forget_logs(spark)
    message = refused(env)
    assert named in message
    row.observed(f"stream: {message}")
    done = verb(env, "verify")
    assert done.returncode in (StorageError.exit_code, ProofError.exit_code)
    assert named in done.stdout + done.stderr
    row.observed(f"verify: exit {done.returncode}, the same")
    commit.unlink()
    forget_logs(spark)
    assert readers.state(env.lake) == before


@pytest.mark.fault(
    "D11",
    injected="records stamped a year ahead and a day behind, sent one after the other",
    expected="order and the latest answer go by offset, not by time",
)
def test_clocks_that_jump(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    for food, stamp in (("Traditional food", NOON_2024 + A_YEAR), ("Western Food", NOON_2024 - A_DAY)):
        ledger.send(env.bootstrap, env.topic, answers(10, Food=food), timestamp=stamp)
        env.take()
    readers.exactly_once(env.lake, ledger)
    aggregate.aggregate(OPEN, str(env.lake), env.config, env.contract)
    latest = readers.query(
        env.lake, 'SELECT DISTINCT food, count(*), min("offset") FROM t GROUP BY food', "responses"
    )
    assert latest == [("Western Food", 10, 10)]
    row.observed(
        "20 of 20, each once; the 10 responses are those with the higher offset and the earlier time"
    )


@pytest.mark.slow
@pytest.mark.fault(
    "D11",
    injected="the clock of the driver's JVM a day back, then a year ahead",
    expected="order and the latest answer go by offset, not by time",
)
def test_a_driver_whose_clock_jumps(
    env: SurveyEnv, spark: SparkSession, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    library = clock_library(tmp_path)
    send_and_take(env, ledger, 10)
    for food, shift in (("Traditional food", -A_DAY), ("Western Food", A_YEAR)):
        ledger.send(env.bootstrap, env.topic, answers(10, Food=food))
        with running(env.command(), env=shifted(library, shift // 1000)) as process:
            _, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
    first, back, ahead = (_committed_at(env, version) for version in (1, 2, 3))
    assert back < first < first + A_YEAR / 2 < ahead, "no clock jumped: the test shows nothing"
    assert_complete(env, ledger)
    assert proof_of(env, spark).proved
    aggregate.aggregate(OPEN, str(env.lake), env.config, env.contract)
    latest = readers.query(
        env.lake, 'SELECT DISTINCT food, count(*), min("offset") FROM t GROUP BY food', "responses"
    )
    assert latest == [("Western Food", 10, 20)]
    row.observed("a commit a day before the one before it, and one a year after: 30 of 30, each once, proved")


def _committed_at(env: SurveyEnv, version: int) -> int:
    """What a commit of `records` says of its time, in milliseconds since 1970."""
    lines = commit_file(env.lake / "records", version).read_text(encoding="utf-8").splitlines()
    return int(next(json.loads(line)["commitInfo"]["timestamp"] for line in lines if "commitInfo" in line))


@pytest.mark.slow
@pytest.mark.fault(
    "D12",
    injected="TZ=Asia/Kolkata in a Turkish locale, TZ=America/St_Johns in the C locale",
    expected="the same bytes",
)
def test_zones_and_locales(env: SurveyEnv, row: Row) -> None:
    sample = CONF / "surveys" / "food_preference.sample.csv"
    out, published, stored = env.folder / "out", [], []
    for variables in (
        {
            "TZ": "Asia/Kolkata",
            "LC_ALL": "tr_TR.UTF-8",
            "JAVA_TOOL_OPTIONS": "-Duser.language=tr -Duser.country=TR",
        },
        {"TZ": "America/St_Johns", "LC_ALL": "C", "JAVA_TOOL_OPTIONS": "-Duser.language=en"},
    ):
        shutil.rmtree(env.lake, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
        command = env.command("--input", str(sample), "--out", str(out), verb="run")
        with running(command, env=environment(**variables)) as process:
            _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        published.append({path.name: path.read_bytes() for path in out.iterdir() if path.is_file()})
        stored.append(readers.query(env.lake, 'SELECT * FROM t ORDER BY partition, "offset"'))
    first, second = published
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert stored[0] == stored[1]
    row.observed(f"records alike in every column, {len(first)} exported files alike in every byte")


def _with_cast(plain_query: PlainQuery) -> None:
    """Ages come as text: from_json with an INT field would make them NULL, every one."""
    plain_query.schema = plain_query.schema.replace("Age int", "Age string")
    plain_query.columns = ["* EXCEPT (Age)", "CAST(Age AS int) AS Age"]


def _forget_commit(checkpoint: Path) -> None:
    """Take back that the checkpoint's newest batch is done, as if the process had ended just before."""
    newest = max(int(path.name) for path in (checkpoint / "commits").iterdir() if path.name.isdigit())
    for name in (str(newest), f".{newest}.crc"):
        (checkpoint / "commits" / name).unlink(missing_ok=True)
