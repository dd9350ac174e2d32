"""Exports at a URI: readers follow the manifest, and find the old set or the new one, each whole.

The URI is Hadoop's own `viewfs://`, whose files lie in a folder of the test.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

import aggregate
import export
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from support.uri_lake import mounted
from surveylake.errors import ConfigError, StorageError
from surveylake.export import csv_files, store_publication
from surveylake.export.manifest import damaged_files
from surveylake.export.places import parts_folder, publication_of
from surveylake.export.store_publication import ABANDONED_SECONDS, PARTS, StorePublication
from surveylake.lake.hadoop_path import HadoopPath
from surveylake.lake.tables import Lake
from surveylake.verify.checks import NOT_PROVED, PROVED
from surveylake.verify.proof import prove


@dataclass(frozen=True)
class Uri:
    """A folder by two names."""

    uri: str
    folder: Path


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> Uri:
    """A store, empty, where every test has another host of its own."""
    host = "".join(c for c in tmp_path.name.lower() if c.isalnum())
    (tmp_path / "store").mkdir()
    return Uri(mounted(spark, host, tmp_path / "store"), tmp_path / "store")


def publish(spark: SparkSession, store: Uri, **texts: str) -> StorePublication:
    """Publish a text file per keyword, in OUT."""
    publication = publication_of(spark, f"{store.uri}/out", Lake(f"{store.uri}/lake"))
    assert isinstance(publication, StorePublication)
    with publication:
        for name, text in texts.items():
            publication.path(f"texts/{name}.txt").write_text(text, encoding="utf-8")
        publication.commit({"records_version": len(texts)})
    return publication


def sets(store: Uri) -> list[str]:
    return sorted(path.name for path in (store.folder / "out").glob("set-*"))


def published(store: Uri) -> dict[str, str]:
    """What a reader finds who follows the manifest: name -> text."""
    manifest = json.loads((store.folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    folder = store.folder / "out" / manifest["folder"]
    return {name: (folder / name).read_text(encoding="utf-8") for name in manifest["files"]}


def test_the_manifest_switches_from_one_whole_set_to_the_next(spark: SparkSession, store: Uri) -> None:
    first = publish(spark, store, a="one", b="two")
    assert published(store) == {"texts/a.txt": "one", "texts/b.txt": "two"}
    assert damaged_files(store.folder / "out") == []
    second = publish(spark, store, a="ein Fünftel")
    assert published(store) == {"texts/a.txt": "ein Fünftel"}
    names = [publication.where.rpartition("/")[2] for publication in (first, second)]
    assert sets(store) == sorted(names), "whoever still reads the first set can go on"


def test_the_same_files_are_the_same_set(spark: SparkSession, store: Uri) -> None:
    assert publish(spark, store, a="one").where == publish(spark, store, a="one").where
    assert len(sets(store)) == 1


def test_a_failure_before_the_switch_leaves_the_old_set(
    spark: SparkSession, store: Uri, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(spark, store, a="old")
    real = HadoopPath.upload

    def broken(target: HadoopPath, file: Path) -> None:
        if target.name == "b.txt":
            file.unlink()  # Hadoop raises its own error for it
        real(target, file)

    monkeypatch.setattr(HadoopPath, "upload", broken)
    with pytest.raises(StorageError, match="cannot write the exports to viewfs://"):
        publish(spark, store, a="new", b="new")
    assert published(store) == {"texts/a.txt": "old"}


def test_what_nobody_reads_any_more_is_deleted_after_a_day(spark: SparkSession, store: Uri) -> None:
    for text in ("first", "second"):
        publish(spark, store, a=text)
    parts = store.folder / "out" / PARTS / "of-a-killed-export"
    parts.mkdir(parents=True)
    (parts / "part-0.csv").write_text("personal data")
    for path in (store.folder / "out").rglob("*.*"):
        then = path.stat().st_mtime - ABANDONED_SECONDS - 60
        os.utime(path, (then, then))
    publish(spark, store, a="third")
    assert len(sets(store)) == 2, "the set that the manifest named until now, and the new one"
    with parts_folder(spark, f"{store.uri}/out", Lake(f"{store.uri}/lake"), Path("responses.csv")) as mine:
        assert mine.name
    assert not parts.exists()


@pytest.mark.parametrize("inside", ["lake", "lake/out", "table", "table/deep/out"])
def test_exports_do_not_go_into_a_lake_or_a_table(spark: SparkSession, store: Uri, inside: str) -> None:
    (store.folder / "table" / "_delta_log").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"that is the lake|is a Delta table"):
        publication_of(spark, f"{store.uri}/{inside}", Lake(f"{store.uri}/lake"))


def test_a_manifest_of_somebody_else_is_not_replaced(spark: SparkSession, store: Uri) -> None:
    (store.folder / "out").mkdir()
    (store.folder / "out" / "manifest.json").write_text('{"name": "web app"}')
    with pytest.raises(ConfigError, match="was not written by surveylake"):
        publish(spark, store, a="one")
    assert sets(store) == []


@pytest.mark.parametrize("lake_at_uri", [True, False])
def test_people_go_through_a_folder_that_every_executor_reaches(
    spark: SparkSession, store: Uri, tmp_path: Path, lake_at_uri: bool
) -> None:
    """With the lake at a URI, or the exports: not through the driver's own folders. And no part is left."""
    lake, out = (
        (f"{store.uri}/lake", str(tmp_path / "out")) if lake_at_uri else (str(tmp_path), f"{store.uri}/out")
    )
    with parts_folder(spark, out, Lake(lake), tmp_path / "responses.csv") as parts:
        spark.range(3).write.csv(str(parts))
        assert csv_files.parts_in(parts)
        assert list((store.folder / ("lake" if lake_at_uri else "out") / PARTS).iterdir())
    assert not list((store.folder / ("lake" if lake_at_uri else "out") / PARTS).iterdir())


def test_a_survey_is_published_at_a_uri_and_verified_there(
    env: SurveyEnv, spark: SparkSession, store: Uri, capsys: pytest.CaptureFixture[str]
) -> None:
    env.send(30)
    env.take()
    aggregate.aggregate(OPEN, str(env.lake), env.config, env.contract)
    out = f"{store.uri}/out"
    export.export(OPEN, str(env.lake), out, env.config, env.contract, None)
    assert f"{out}/set-" in capsys.readouterr().out
    manifest = json.loads((store.folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    people = pd.read_csv(store.folder / "out" / manifest["folder"] / "responses.csv")
    assert len(people) == manifest["rows"]["responses"] == 30

    def check() -> str:
        proof = prove(OPEN, str(env.lake), env.config, env.contract, out)
        return next(check.status for check in proof.checks if check.what == "exports")

    assert check() == PROVED
    (store.folder / "out" / manifest["folder"] / "responses.csv").write_bytes(b"someone\n")
    assert check() == NOT_PROVED


def test_days_are_told_from_the_newest_file(spark: SparkSession, store: Uri) -> None:
    """A store's folders have no time of their own."""
    publish(spark, store, a="one")
    folder = HadoopPath(spark, f"{store.uri}/out")
    file = next((store.folder / "out").rglob("a.txt"))
    os.utime(file, (1_000_000_000, 1_000_000_000))
    (store.folder / "out" / "manifest.json").unlink()
    for crc in (store.folder / "out").rglob(".*.crc"):
        crc.unlink()
    assert store_publication._touched(folder) == 1_000_000_000
