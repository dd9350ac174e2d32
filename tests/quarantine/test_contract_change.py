"""A contract changes on the same lake: planned with the numbers that it will publish, applied to all history in one commit.

A question, a type, a spelling, a rule and a name change at once. Readers that know nothing of surveylake find each value before,
while it happens, and after.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import aggregate
import plan
import replay
import verify
from support import pets_survey
from surveylake.config import Config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError, LakeLockedError
from surveylake.kafka.embedded_node import free_port
from surveylake.lake import commits, judging, rewrite, tables
from surveylake.lake.lock import one_writer
from surveylake.lake.tables import RECORDS

TOPIC = "changing"
OLD_TEXT = pets_survey.CONTRACT.replace("TOPIC", TOPIC).replace("SPELLINGS", "{ }").replace("MOST", "30")
CHANGED = (
    (
        '[fields.age]\nsource = "Age"\ntype = "integer"',
        '[fields.age]\nsource = "Age"\ntype = "decimal(12,1)"',
    ),
    ("spellings = { }", 'spellings = { cat = ["Kat"] }'),
    ('[fields.town]\nsource = "Town"', '[fields.place]\nwas = "town"\nsource = "Town"'),
    ("[derived.is_old]", '[fields.colour]\nsource = "Colour"\ntype = "string"\n[derived.is_old]'),
    ("[summaries]\nby = [", '[rules]\nis_born = "age > 0"\n[summaries]\nby = [["colour"], '),
)
ANSWERS = [
    *(pets_survey.answer(f"cat{n}", Colour="red") for n in range(6)),
    *(pets_survey.answer(f"dog{n}", "dog", Colour="black") for n in range(5)),
    *(pets_survey.answer(f"kat{n}", "Kat", Colour="red") for n in range(2)),
    pets_survey.answer("half", Age="3.5", Colour="black"),
    pets_survey.answer("unborn", Age="0", Colour="red"),
    b"{",
]
"""Offsets 0 to 15. Under the old contract 0 to 10 and 14 are accepted, under the new one 0 to 13."""
COORDINATES = ["topic", "epoch", "partition", "offset", "timestamp", "key", "value"]


def new_text() -> str:
    text = OLD_TEXT
    for before, after in CHANGED:
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


class Home:
    """A lake that holds ANSWERS under the old contract, published, with both contracts beside it."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config, self.lake = folder, config, folder / "lake"
        self.old, self.new = self.survey("old", OLD_TEXT), self.survey("new", new_text())

    def survey(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}.toml"
        path.write_text(text)
        return path

    def run(self, verb: Any, survey: Path, *more: str) -> int:
        return int(verb.main(["--lake", str(self.lake), "--survey", str(survey), *more]))

    def take(self, survey: Path) -> None:
        pets_survey.take_in(self.lake, self.config, self.contract(survey))

    def contract(self, survey: Path) -> Contract:
        return load_contract(survey)

    @property
    def version(self) -> int:
        return int(DeltaTable(self.lake / RECORDS).version())

    def rows(self, version: int | None = None) -> list[dict[str, Any]]:
        table = DeltaTable(self.lake / RECORDS, version=version).to_pyarrow_table()
        return sorted(table.to_pylist(), key=lambda row: row["offset"])


@pytest.fixture(scope="module")
def filled(spark: SparkSession, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Made once, and copied for each test: a lake moves with its folder."""
    made = Home(tmp_path_factory.mktemp(TOPIC), pets_survey.config(broker, 1))
    pets_survey.send(made.config, TOPIC, ANSWERS)
    made.take(made.old)
    assert made.run(aggregate, made.old) == 0
    return made


@pytest.fixture
def home(filled: Home, tmp_path: Path) -> Home:
    shutil.copytree(filled.lake, tmp_path / "lake")
    return Home(tmp_path, filled.config)


def seen_by_all(table: Path, version: int | None = None) -> dict[int, tuple[Any, ...]]:
    """offset -> (accepted, pet, age, place or town, colour where there is one), by three readers that agree."""
    of_version = DeltaTable(table, version=version)
    names = [field.name for field in of_version.schema().fields]
    columns = ["offset", "accepted", "pet", "age", "place" if "place" in names else "town"]
    columns += [name for name in ("colour",) if name in names]
    chosen = ", ".join(f'"{name}"' for name in columns)
    files = [uri.removeprefix("file://") for uri in of_version.file_uris()]
    by_delta = of_version.to_pyarrow_table(columns=columns).to_pylist()
    by_duckdb = duckdb.execute(f"SELECT {chosen} FROM read_parquet(?)", [files]).fetchall()
    by_polars = polars.read_delta(str(table), version=version).select(columns).rows()
    found = {row[0]: row[1:] for row in (tuple(row[name] for name in columns) for row in by_delta)}
    assert found == {row[0]: row[1:] for row in by_duckdb} == {row[0]: row[1:] for row in by_polars}
    assert len(found) == len(by_delta) == len(by_duckdb) == len(by_polars)
    return found


def test_a_question_a_type_a_spelling_and_a_rule_need_no_new_lake(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table, version = home.lake / RECORDS, home.version
    before, rows = seen_by_all(table), home.rows()
    batches = DeltaTable(table).transaction_version(query_of(home.lake))
    properties = DeltaTable(table).metadata().configuration
    assert before[11] == (False, "Kat", 3, "Ulm")
    during = read_during(monkeypatch, table)
    assert home.run(replay, home.new) == 0
    assert "4 records changed, all written with the contract's columns, version" in capsys.readouterr().out

    assert during == [(version, before)]
    assert home.version == version + 1
    after = seen_by_all(table)
    assert after[11] == (True, "cat", 3.0, "Ulm", "red")
    assert after[13] == (True, "cat", 3.5, "Ulm", "black")
    assert after[14][0] is False
    assert Counter(row[-1] for row in after.values()) == {"red": 9, "black": 6, None: 1}
    assert [row["failed_rules"] for row in home.rows()][14:] == [["is_born"], ["malformed"]]
    assert [[row[name] for name in COORDINATES] for row in home.rows()] == [
        [row[name] for name in COORDINATES] for row in rows
    ]
    assert seen_by_all(table, version) == before
    assert DeltaTable(table).transaction_version(query_of(home.lake)) == batches
    now = DeltaTable(table).metadata().configuration
    assert {key: now[key] for key in properties if key != judging.CONTRACT} == {
        key: value for key, value in properties.items() if key != judging.CONTRACT
    }

    assert home.run(replay, home.new) == 0
    assert "0 records to change: no new version" in capsys.readouterr().out
    assert home.version == version + 1


def read_during(monkeypatch: pytest.MonkeyPatch, table: Path) -> list[tuple[int, dict[int, tuple[Any, ...]]]]:
    """What readers see when the new files are written and not committed yet."""
    seen: list[tuple[int, dict[int, tuple[Any, ...]]]] = []
    compare = rewrite._require_the_same

    def look(old: Any, new: Any) -> None:
        seen.append((int(DeltaTable(table).version()), seen_by_all(table)))
        compare(old, new)

    monkeypatch.setattr(rewrite, "_require_the_same", look)
    return seen


def query_of(lake: Path) -> str:
    return str(json.loads((lake / "_checkpoints" / RECORDS / "epoch-1" / "metadata").read_text())["id"])


def test_the_stream_goes_on_under_the_new_contract_and_not_under_the_old(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match=r"has the columns .*; the contract pets has") as early:
        home.take(home.new)
    assert "jobs/plan.py" in early.value.hint and "jobs/replay.py" in early.value.hint
    assert home.run(replay, home.new) == 0
    version = home.version
    with pytest.raises(ConfigError) as late:
        home.take(home.old)
    old, new = (home.contract(survey).fingerprint[:12] for survey in (home.old, home.new))
    assert late.value.message.startswith(
        f"pets {old} is the contract from before the last replay: since version {version} "
    )
    assert "(replay.py, 20" in late.value.message and late.value.message.endswith(f"under pets {new}")
    assert home.version == version

    pets_survey.send(home.config, TOPIC, [pets_survey.answer("late", "Kat", Age="7.5", Colour="grey")])
    home.take(home.new)
    last = home.rows()[-1]
    assert (last["offset"], last["accepted"], last["pet"], last["colour"]) == (16, True, "cat", "grey")

    capsys.readouterr()
    assert home.run(aggregate, home.new) == 0
    people = (
        DeltaTable(home.lake / "responses").to_pyarrow_table(columns=["who", "colour", "place"]).to_pylist()
    )
    assert len(people) == 15
    nobody = ["--bootstrap", f"127.0.0.1:{free_port()}"]
    assert home.run(verify, home.new, *nobody) == 0


def test_verify_names_the_contract_of_each_epoch_of_judging(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    version = home.version
    assert home.run(replay, home.new) == 0
    capsys.readouterr()
    home.run(verify, home.new, "--bootstrap", f"127.0.0.1:{free_port()}", "--json")
    checks = [c for c in json.loads(capsys.readouterr().out)["checks"] if c["what"] == "contract"]
    old, new = (home.contract(survey).fingerprint[:12] for survey in (home.old, home.new))
    assert [check["where"] for check in checks] == [f"versions 0 to {version}", f"version {version + 1}"]
    assert checks[0]["detail"].startswith(f"what came judged under pets {old} by stream.py, ")
    assert checks[1]["detail"].startswith(f"all records judged under pets {new} by replay.py, ")


def test_the_plan_says_what_differs_whose_verdicts_change_and_which_numbers(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    version = home.version
    capsys.readouterr()
    assert home.run(plan, home.new) == 0
    said = capsys.readouterr().out
    for line in (
        "widened   field age: type integer -> decimal(12,1)",
        "changed   field pet: spellings: also Kat for cat",
        "renamed   field place: was town",
        "added     field colour: string, from Colour",
        "added     rule is_born: age > 0",
        "16 records of version",
        "accepted 12 -> 14, rejected 4 -> 2",
        "2  not_allowed:Pet -> accepted  (values: pet)",
        "partition 0 offset 11, ",
        "1  accepted -> is_born\n",
        "15  with a value in the new column colour",
        "people 12 -> 14",
        "cat: answers 7 -> 9",
        "red: new, answers 8",
    ):
        assert line in said, (line, said)
    assert home.run(replay, home.new, "--dry-run") == 0
    assert capsys.readouterr().out.partition("plan: ")[0] == said.partition("plan: ")[0]
    assert home.version == version


def test_the_plan_foretells_the_numbers_that_are_published_then(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert home.run(plan, home.new, "--json") == 0
    foretold = json.loads(capsys.readouterr().out)
    changes = {(c["table"], *c["line"]): c for c in foretold["published"]["changes"]}
    assert ("summary_pet", "dog") in changes, "its share is another, though nobody else has a dog"
    assert [
        sample[1:] for kind in foretold["changes"] for sample in kind["samples"] if kind["records"] == 2
    ] == [
        [1, 0, 11],
        [1, 0, 12],
    ]
    assert home.run(replay, home.new) == home.run(aggregate, home.new) == 0
    for name in ("summary_pet", "summary_colour"):
        for row in DeltaTable(home.lake / name).to_pyarrow_table().to_pylist():
            after = changes[(name, row[name.removeprefix("summary_")])]["after"]
            assert after["answers"] == str(row["answers"])
            assert float(after["share"]) == pytest.approx(row["share"], rel=1e-5)
    capsys.readouterr()
    assert home.run(plan, home.new) == 0
    assert "what differs: nothing" in (again := capsys.readouterr().out)
    assert "none changes" in again and "plan: 0 records would change" in again


def test_a_stream_that_runs_keeps_the_replay_away_and_a_plan_reads_beside_it(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    version = home.version
    with one_writer(str(home.lake), "stream.py"):
        assert home.run(plan, home.new) == 0
        capsys.readouterr()
        assert home.run(replay, home.new) == LakeLockedError.exit_code
    assert "stream.py (process" in capsys.readouterr().err
    assert home.version == version


def test_a_frozen_field_stops_plan_replay_and_stream_until_it_is_thawed_alone(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    text = home.old.read_text()
    age = 'source = "Age"'
    frozen = home.survey("frozen", text.replace(age, f'{age}\nchange = "freeze"'))
    wider = home.survey("wider", text.replace("max = 30", "max = 40"))
    home.take(frozen)
    with pytest.raises(ConfigError, match=r"freeze.* forbids .*field age: max 30 -> 40"):
        home.take(wider)
    version = home.version
    capsys.readouterr()
    assert home.run(plan, wider) == ConfigError.exit_code
    assert 'replay refuses: change = "freeze" forbids' in capsys.readouterr().out
    assert home.run(replay, wider) == ConfigError.exit_code
    assert home.version == version
    assert home.run(replay, home.old) == 0
    assert "the contract is noted in version" in capsys.readouterr().out
    assert home.run(replay, wider) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("spellings = { }", 'spellings = { cat = ["Kat"] }'), 2),
        (("max = 30", "max = 2"), 0),
        (('allowed = ["cat", "dog"]', 'allowed = ["cat"]'), 0),
        (("spellings = { }", 'spellings = { dog = ["cat"] }'), 2),
    ],
    ids=["lets in", "another field", "turns away", "alters"],
)
def test_a_field_in_quarantine_may_only_turn_away(home: Home, change: tuple[str, str], code: int) -> None:
    text = home.old.read_text().replace('source = "Pet"', 'source = "Pet"\nchange = "quarantine"')
    text = text.replace(*change)
    version = home.version
    assert home.run(replay, home.survey("guarded", text)) == code
    assert home.version == version + (code == 0)


def test_constraints_clustering_and_properties_of_others_survive(home: Home, spark: SparkSession) -> None:
    path = str(home.lake / RECORDS)
    spark.sql(f"ALTER TABLE delta.`{path}` ADD CONSTRAINT sound CHECK (offset >= 0)")
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('team' = 'somebody')")
    table = commits.snapshot(spark, path).metadata().id()
    assert home.run(replay, home.new) == 0
    properties = tables.properties(spark, path)
    assert properties["delta.constraints.sound"] == "offset >= 0"
    assert properties["team"] == "somebody"
    assert commits.snapshot(spark, path).metadata().id() == table
    comments = {field.name: field.metadata.get("comment") for field in tables.read(spark, path).schema}
    assert comments["failed_rules"] == "why not; empty when accepted"


def test_a_lake_that_does_not_keep_its_contract_is_compared_by_its_columns(
    home: Home, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(home.lake / RECORDS)
    keys = [
        key
        for key in tables.properties(spark, path)
        if key.startswith(("surveylake.contract", judging.JUDGED))
    ]
    spark.sql(f"ALTER TABLE delta.`{path}` UNSET TBLPROPERTIES ({', '.join(repr(key) for key in keys)})")
    capsys.readouterr()
    assert home.run(plan, home.new) == 0
    said = capsys.readouterr().out
    assert "contract of the lake: not kept by the release that made it; only columns are compared" in said
    assert "widened   column age: type int -> decimal(12,1)" in said
    assert "rule" not in said.partition("records of version")[0]
    home.take(home.old)
    assert judging.history(tables.properties(spark, path))[-1].contract == home.contract(home.old).fingerprint


def test_a_writer_in_between_costs_the_replay_and_not_the_lake(
    home: Home, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, before = str(home.lake / RECORDS), home.rows()
    compare: Callable[[Any, Any], None] = rewrite._require_the_same

    def intrude(old: Any, new: Any) -> None:
        compare(old, new)
        row = tables.read(spark, path).where("offset = 0").withColumn("offset", F.lit(99).cast("bigint"))
        row.write.format("delta").mode("append").save(path)

    monkeypatch.setattr(rewrite, "_require_the_same", intrude)
    assert home.run(replay, home.new) == LakeLockedError.exit_code
    assert "nothing was changed here" in capsys.readouterr().err
    assert [row["offset"] for row in home.rows()] == [*(row["offset"] for row in before), 99]
    assert "colour" not in home.rows()[0]
