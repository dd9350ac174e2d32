"""Exported files are held against their manifest, whatever the tables can tell, and against the tables where they can."""

import dataclasses
from pathlib import Path

import pytest

from support.findings_sample import SAMPLE
from support.validation import FOOD
from surveylake.config import Config, Publish
from surveylake.export import csv_files
from surveylake.export.manifest import MANIFEST
from surveylake.export.publication import Publication
from surveylake.lake.log_files import LOG
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID
from surveylake.verify.exports import exported
from surveylake.verify.proof import prove
from surveylake.verify.published import published

FACTS = csv_files.facts_of(SAMPLE)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    with Publication(folder, str(tmp_path / "lake")) as publication:
        publication.path("a.csv").write_text("a\n1\n")
        publication.commit(FACTS)
    return folder


def changed(out: Path) -> None:
    (out / "a.csv").write_text("a\n2\n")


def missing(out: Path) -> None:
    (out / "a.csv").unlink()


def torn_manifest(out: Path) -> None:
    (out / MANIFEST).write_bytes((out / MANIFEST).read_bytes()[:-9])


def no_manifest(out: Path) -> None:
    (out / MANIFEST).unlink()


FAULTS = pytest.mark.parametrize(
    ("fault", "named"),
    [
        (changed, "changed since they were written: a.csv"),
        (missing, "missing or changed since they were written: a.csv"),
        (torn_manifest, "manifest.json was not written by surveylake, or is torn"),
        (no_manifest, "there is no manifest.json"),
    ],
)


def test_whole_files_with_the_counts_of_the_tables_are_proved(out: Path) -> None:
    check = exported(out, FACTS)
    assert check.status == PROVED
    assert check.detail == "1 file as their manifest says, their counts those of the tables"


def test_other_counts_than_the_tables_are_named(out: Path) -> None:
    other = dataclasses.replace(SAMPLE, received=SAMPLE.received + 1)
    check = exported(out, csv_files.facts_of(other))
    assert (check.status, "other rows than the tables" in check.detail) == (NOT_PROVED, True)


@FAULTS
@pytest.mark.parametrize("facts", [FACTS, None], ids=["tables", "no tables"])
def test_what_is_wrong_with_the_files_is_named(out: Path, facts: object, fault: object, named: str) -> None:
    fault(out)  # type: ignore[operator]
    check = exported(out, facts)  # type: ignore[arg-type]
    assert (check.status, named in check.detail) == (NOT_PROVED, True)


def test_counts_that_no_table_can_tell_are_not_called_proved(out: Path) -> None:
    check = exported(out, None)
    assert check.status == SAID
    assert (
        check.detail
        == "1 file as their manifest says; their counts were not compared: the tables cannot tell"
    )


@FAULTS
def test_they_are_looked_at_where_there_are_no_responses(out: Path, fault: object, named: str) -> None:
    def checks() -> list[tuple[str, str]]:
        found = published(None, Lake(str(out.parent / "lake")), FOOD, Publish(), {}, out)  # type: ignore[arg-type]
        return [(check.where, check.status) for check in found]

    assert checks() == [(RESPONSES, SAID), (str(out), SAID)]
    fault(out)  # type: ignore[operator]
    assert checks() == [(RESPONSES, SAID), (str(out), NOT_PROVED)]


def test_they_are_looked_at_where_the_log_of_the_records_is_broken(out: Path, tmp_path: Path) -> None:
    def no_spark() -> None:
        raise AssertionError("nothing here needs Spark")

    log = tmp_path / "lake" / RECORDS / LOG
    log.mkdir(parents=True)
    (log / f"{0:020d}.json").touch()
    changed(out)
    proof = prove(no_spark, str(tmp_path / "lake"), Config(), FOOD, out)  # type: ignore[arg-type]
    (check,) = [check for check in proof.checks if check.what == "exports"]
    assert (check.where, check.status) == (str(out), NOT_PROVED)
