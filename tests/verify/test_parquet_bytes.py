"""A bit that flips in a Parquet file is found, or gives no reader other rows without an error."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import ArrowException, Table
from pyarrow.parquet import read_table
from pyspark.sql import SparkSession

from support.survey_env import answers
from support.validation import FOOD, MAX_BYTES, kafka_rows
from surveylake.lake.hadoop_path import HadoopPath
from surveylake.lake.store_errors import StoreError
from surveylake.validate.pipeline import validated
from surveylake.verify.logs import Log
from surveylake.verify.parquet_bytes import damaged

BITS = 150
LONG = "ß" * 40
"""more than an index shows"""


@pytest.fixture(scope="module")
def file(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data file of a small table of records, some rejected, with long texts."""
    folder = tmp_path_factory.mktemp("parquet") / "records"
    values = [*answers(20), *answers(3, start=20, Nationality=LONG), b"{", None]
    rows = validated(kafka_rows(spark, values), FOOD, MAX_BYTES).coalesce(1)
    rows.write.parquet(str(folder))
    (path,) = folder.glob("*.parquet")
    path.with_name(f".{path.name}.crc").unlink()
    yield path


def test_a_store_that_does_not_answer_is_no_damage(spark: SparkSession) -> None:
    nowhere = HadoopPath(spark, "viewfs://nobody/lake/records")
    with pytest.raises(StoreError, match=r"viewfs://nobody/lake/records/a\.parquet cannot be reached"):
        damaged(spark, Log(nowhere, files={"a.parquet": 7}))


def found(spark: SparkSession, file: Path) -> list[str]:
    return damaged(spark, Log(file.parent, files={file.name: file.stat().st_size}))


def read(file: Path) -> Table | None:
    """Return the rows by a reader that is not Spark; None where it refuses the file."""
    try:
        return read_table(file, page_checksum_verification=False)
    except (OSError, ArrowException):
        return None


def test_a_sound_file_is_sound(spark: SparkSession, file: Path) -> None:
    assert found(spark, file) == []


def test_a_flipped_bit_is_found_or_gives_nobody_other_rows(spark: SparkSession, file: Path) -> None:
    whole, rows = file.read_bytes(), read(file)
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    chosen, unseen = random.Random(1), 0
    for at in chosen.sample(range(4, footer), BITS) + chosen.sample(range(footer, len(whole)), BITS):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chosen.randrange(8)]) + whole[at + 1 :])
        messages = found(spark, file)
        assert all(message.startswith(file.name) for message in messages)
        if not messages:
            unseen += 1
            assert read(file) in (rows, None), f"byte {at} of {len(whole)}, the footer begins at {footer}"
    file.write_bytes(whole)
    assert found(spark, file) == []
    assert unseen < BITS / 2
