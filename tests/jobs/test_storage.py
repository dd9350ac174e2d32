"""Every verb with its lake on a real object store (s3a) and on a real HDFS.

What is written there is read without Spark and without Hadoop's clients. Every test leaves a sound lake, which the next uses too.
"""

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from pyarrow.parquet import ParquetFile
from pyspark.sql import SparkSession

from support import object_store, shell
from support.hdfs import Hdfs
from support.object_store import BUCKET
from support.survey_env import SurveyEnv
from support.uri_lake import EPOCH, LocalFiles, UriLake, before_the_batch
from surveylake.errors import LakeLockedError
from surveylake.lake import commits
from surveylake.lake.hadoop_path import HadoopPath

pytestmark = pytest.mark.store
STORAGES = {"s3a": "object_store", "hdfs": "hdfs"}
"""Storage -> the fixture that runs one."""
on_this_disk_too = pytest.mark.parametrize("lake", [*STORAGES, "disk"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=STORAGES)
def lake(
    request: pytest.FixtureRequest, broker: str, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> UriLake:
    """A lake in the storage, with the answers of ten people."""
    folder = tmp_path_factory.mktemp(request.param)
    env = SurveyEnv(f"storage-{request.param}", broker, folder)
    if request.param == "disk":
        lake = UriLake(env, str(folder), LocalFiles(folder), "storage")
    else:
        storage = request.getfixturevalue(STORAGES[request.param])
        lake = UriLake(env, storage.root, storage, "storage")
    if request.param == "s3a":
        object_store.use(spark, BUCKET, storage.settings.endpoint)
    lake.fill(10)
    return lake


def test_the_stream_takes_every_record_once_cold_and_resumed(lake: UriLake) -> None:
    fresh = lake.beside("cold")
    assert fresh.paths() == []
    assert fresh.run("stream") == 0
    fresh.assert_each_once()
    fresh.send(10)
    assert fresh.run("stream") == 0
    fresh.assert_each_once()
    lake.sent = fresh.sent
    lake.take()


def test_a_lost_checkpoint_skips_nothing_that_waits(lake: UriLake) -> None:
    lake.remove("_checkpoints")
    lake.fill(10)
    lake.assert_each_once()


@on_this_disk_too
def test_what_an_older_checkpoint_has_not_read_is_taken_in_all_the_same(lake: UriLake) -> None:
    older = lake.saved(EPOCH)
    lake.fill(10)
    lake.put_back(EPOCH, older)
    lake.fill(10)
    lake.assert_each_once()
    assert [path for path in lake.paths("_checkpoints") if path.startswith(f"{EPOCH}.retired-")]


def test_a_restored_table_is_filled_again(lake: UriLake, spark: SparkSession) -> None:
    version = lake.table().version()
    lake.fill(10)
    spark.sql(f"RESTORE TABLE delta.`{lake.root}/records` TO VERSION AS OF {version}")
    commits.log_of(spark, f"{lake.root}/records").clearCache()
    lake.take()
    lake.assert_each_once()


def test_a_second_stream_takes_over_and_the_first_stops_with_its_name(
    lake: UriLake, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The second is a process of its own, and begins while the first has written files that it has not committed."""
    conf: list[str | Path] = []
    keys: dict[str, str] = {}
    if lake.root.startswith("s3a:"):
        storage = request.getfixturevalue("object_store")
        conf, keys = ["--conf", storage.conf(tmp_path)], storage.keys
    lake.send(10)

    def second() -> None:
        words = lake.env.command("--lake", lake.root, *map(str, conf))
        shell.run(words, tmp_path / "var", **keys).check_returncode()

    before_the_batch(monkeypatch, next_batch(lake), second, "before it commits")
    with pytest.raises(
        LakeLockedError, match=r"is being written by stream\.py on .+ \(process \d+\)"
    ) as raised:
        lake.take()
    assert raised.value.exit_code == 6
    monkeypatch.undo()
    lake.fill(10)
    lake.assert_each_once()


def next_batch(lake: UriLake) -> int:
    """Return the number of the micro-batch that comes next."""
    done = [path.rpartition("/")[2] for path in lake.paths(f"{EPOCH}/commits")]
    return 1 + max(int(name) for name in done if name.isdigit())


def test_maintenance_beside_a_stream_loses_nothing(
    lake: UriLake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It compacts and cleans while the stream has written files that it has not committed."""
    lake.send(10)
    codes: list[int] = []
    before_the_batch(
        monkeypatch, next_batch(lake), lambda: codes.append(lake.run("maintain")), "before it commits"
    )
    lake.take()
    assert codes == [0]
    assert re.search(r"records: \d+ files", capsys.readouterr().out)
    assert "OPTIMIZE" in [commit.get("operation") for commit in lake.table().history()]
    lake.assert_each_once()
    assert lake.run("verify") == 0


def data_file(lake: UriLake, table: str = "records") -> str:
    """Return the largest data file of a table, as a path in the lake."""
    added = lake.table(table).get_add_actions(flatten=True)
    sizes = zip(added["path"].to_pylist(), added["size_bytes"].to_pylist(), strict=True)
    return f"{table}/{max(sizes, key=lambda file: file[1])[0]}"


def test_verify_names_the_file_that_is_short_or_missing(
    lake: UriLake, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_file(lake)
    whole, name = lake.read(path), path.rpartition("/")[2]
    lake.write(path, whole[:-1])
    assert lake.run("verify") == 7
    assert f"{name} has {len(whole) - 1:,} bytes instead of {len(whole):,}" in capsys.readouterr().out
    lake.delete(path)
    assert lake.run("verify") == 7
    assert f"{name} is missing" in capsys.readouterr().out
    lake.write(path, whole)
    assert lake.run("verify") == 0


def test_verify_deep_names_the_file_with_a_flipped_byte(
    lake: UriLake, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the last page and in the footer, of a file that Spark wrote and of one that pyarrow wrote."""
    assert lake.run("aggregate") == lake.run("verify", "--deep") == 0
    for path, text in (
        (data_file(lake), b"Western Food"),
        (data_file(lake, "summary_food"), b"records_version"),
    ):
        whole = lake.read(path)
        group = ParquetFile(BytesIO(whole)).metadata.row_group(0)
        page = 4 + sum(group.column(n).total_compressed_size for n in range(group.num_columns)) - 1
        for at in (page, whole.rindex(text)):
            capsys.readouterr()
            lake.write(path, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert lake.run("verify", "--deep") == 7
            assert path.rpartition("/")[2] in capsys.readouterr().out
        lake.write(path, whole)
    assert lake.run("verify", "--deep") == 0


def test_verify_deep_names_the_file_of_which_a_block_of_hdfs_has_rotten(
    hdfs: Hdfs, broker: str, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = UriLake(SurveyEnv("storage-rotten", broker, tmp_path), hdfs.root, hdfs, "rotten")
    lake.fill(10)
    path = data_file(lake)
    whole = lake.read(path)
    (block,) = [file for file in hdfs.blocks.rglob("blk_*") if file.read_bytes() == whole]
    block.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    capsys.readouterr()
    assert lake.run("verify", "--deep") == 7
    assert path.rpartition("/")[2] in capsys.readouterr().out


def test_what_was_rejected_is_listed(lake: UriLake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.send(3, Age="200")
    lake.take()
    capsys.readouterr()
    assert lake.run("quarantine", "--rule", "out_of_range:Age") == 0
    listed = re.findall(r"^epoch 1 partition (\d+) offset (\d+) ", capsys.readouterr().out, re.M)
    rows = lake.table().to_pyarrow_table().to_pylist()
    rejected = [row for row in rows if row["failed_rules"] == ["out_of_range:Age"]]
    assert sorted((int(p), int(o)) for p, o in listed) == sorted(
        (r["partition"], r["offset"]) for r in rejected
    )
    assert len(rejected) >= 3


def test_a_changed_contract_reaches_what_is_stored(
    lake: UriLake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the contract as it was makes it what it was."""
    lake.send(2, Age="120")
    lake.take()
    text, limit = lake.env.survey.read_text(encoding="utf-8"), "max = 110"
    assert text.count(limit) == 1
    wider = tmp_path / "wider.toml"
    wider.write_text(text.replace(limit, "max = 130"), encoding="utf-8")
    for survey, accepted in ((wider, True), (lake.env.survey, False)):
        capsys.readouterr()
        assert lake.run("replay", survey=survey) == 0
        assert "replay: 2 records changed" in capsys.readouterr().out
        rows = lake.table().to_pyarrow_table().to_pylist()
        assert [row["accepted"] for row in rows if b'"120"' in row["value"]] == [accepted] * 2
        lake.assert_each_once()
    assert lake.run("verify") == 0


def test_people_and_numbers_are_those_of_the_records(lake: UriLake) -> None:
    lake.fill(10)
    assert lake.run("aggregate") == 0
    records, responses = (
        lake.table(name).to_pyarrow_table().to_pylist() for name in ("records", "responses")
    )
    accepted = {row["participant_id"] for row in records if row["accepted"]}
    assert sorted(row["participant_id"] for row in responses) == sorted(accepted)
    summaries = {path.partition("/")[0] for path in lake.paths() if path.startswith("summary_")}
    assert len(summaries) > 3
    assert all(lake.table(name).to_pyarrow_table().num_rows for name in summaries)


def test_the_exports_are_made_and_proved_with_the_lake(lake: UriLake, tmp_path: Path) -> None:
    assert lake.run("aggregate") == lake.run("export", "--out", tmp_path / "out") == 0
    people = lake.table("responses").to_pyarrow_table().num_rows
    assert len((tmp_path / "out" / "responses.csv").read_text(encoding="utf-8").splitlines()) == 1 + people
    assert lake.run("verify", "--out", tmp_path / "out") == 0
    (tmp_path / "out" / "responses.csv").write_text("changed", encoding="utf-8")
    assert lake.run("verify", "--out", tmp_path / "out") == 7


def test_the_exports_go_to_the_storage_and_are_proved_there(lake: UriLake) -> None:
    out, folder = f"{lake.root}-out", f"{lake.name}-out"
    assert lake.run("aggregate") == lake.run("export", "--out", out) == 0
    manifest = json.loads(lake.files.read(f"{folder}/manifest.json"))
    answers = f"{folder}/{manifest['folder']}/responses.csv"
    people = lake.table("responses").to_pyarrow_table().num_rows
    assert len(lake.files.read(answers).decode().splitlines()) == 1 + people
    assert not [path for path in lake.files.paths(folder) if "part-" in path]
    assert lake.run("verify", "--out", out) == 0
    lake.files.write(answers, b"changed")
    assert lake.run("verify", "--out", out) == 7
    assert lake.run("export", "--out", out) == lake.run("verify", "--out", out) == 0


def test_what_is_broken_is_mended_and_read_again(lake: UriLake) -> None:
    lake.fill(10)
    assert lake.run("repair") == 0
    newest = max(path for path in lake.paths("records/_delta_log") if path.endswith(".json"))
    lake.write(newest, b"")
    assert lake.run("repair", "--dry-run") == 7
    assert lake.run("repair") == 0
    lake.take()
    lake.assert_each_once()
    assert lake.run("aggregate") == lake.run("verify") == 0


def test_a_checkpoint_with_an_empty_folder_is_put_aside(lake: UriLake, spark: SparkSession) -> None:
    """A store keeps an object in the name of an empty folder, which SeaweedFS cannot copy."""
    lake.fill(10)
    retired = [path for path in lake.paths("_checkpoints") if ".retired-" in path]
    for path in lake.paths(f"{EPOCH}/commits"):
        lake.delete(path)
    HadoopPath(spark, f"{lake.root}/{EPOCH}/commits").mkdir()
    lake.fill(10)
    lake.assert_each_once()
    assert len([path for path in lake.paths("_checkpoints") if ".retired-" in path]) > len(retired)


@on_this_disk_too
def test_an_older_version_is_read_and_published(lake: UriLake) -> None:
    version = lake.table().version()
    accepted = lake.table().to_pyarrow_table(columns=["accepted"])["accepted"].to_pylist().count(True)
    lake.fill(10)
    assert lake.run("aggregate", "--version", str(version)) == 0
    assert lake.table("responses").to_pyarrow_table().num_rows == accepted
    assert lake.run("aggregate") == 0
    assert lake.table("responses").to_pyarrow_table().num_rows == accepted + 10
