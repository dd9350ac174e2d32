"""Archives of parsed classes: one fits the jars that it was made from, and no others."""

import os
import shutil
from pathlib import Path

import pytest

from surveylake.runtime import launch


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the jar of a Spark that is installed in a folder of ours."""
    jar = tmp_path / "spark" / "jars" / "spark.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"classes")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    return jar


def test_another_spark_has_another_archive(tmp_path: Path, spark: Path) -> None:
    before = launch.spark_archive([], tmp_path / "cds").path
    assert launch.spark_archive([], tmp_path / "cds").path == before
    os.utime(spark, (1, 1))  # the same file, installed again: Java would not take the archive
    installed_again = launch.spark_archive([], tmp_path / "cds").path
    shutil.copy(spark, spark.with_name("more.jar"))
    assert len({before, installed_again, launch.spark_archive([], tmp_path / "cds").path}) == 3
