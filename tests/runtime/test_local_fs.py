"""LocalFs.java: files as Hadoop's own writes them, and no process for each of them."""

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from support import shell
from support.survey_env import SurveyEnv
from surveylake.runtime.java_classes import LOCAL_FS
from surveylake.runtime.session import HADOOPS_LOCAL_FS, LOCAL_FS_KEY

OF_A_FOLDER = re.compile(r"chmod 0?7\d\d ")
PROGRAMS = ("readlink", "chmod", "ls", "stat")
"""What Hadoop asks where it has no native library."""


class Files:
    """The files of this machine, as a file system of Hadoop's kind writes them."""

    def __init__(self, spark: SparkSession, name: str) -> None:
        self._java: Any = spark._jvm
        hadoop = self._java.org.apache.hadoop
        conf = hadoop.conf.Configuration(spark._jsc.hadoopConfiguration())  # type: ignore[attr-defined]
        conf.set(LOCAL_FS_KEY, name)
        self._context = hadoop.fs.FileContext.getFileContext(self._java.java.net.URI("file:///"), conf)

    def path(self, path: Path) -> Any:
        return self._java.org.apache.hadoop.fs.Path(path.as_uri())

    def create(self, path: Path, text: str) -> None:
        flags = self._java.java.util.EnumSet.of(self._java.org.apache.hadoop.fs.CreateFlag.CREATE)
        options = self._java.java.lang.reflect.Array.newInstance(
            getattr(self._java, "org.apache.hadoop.fs.Options$CreateOpts")._java_lang_class, 0
        )
        out = self._context.create(self.path(path), flags, options)
        out.write(text.encode())
        out.close()

    def rename(self, source: Path, target: Path, overwrite: bool) -> None:
        kind = getattr(self._java, "org.apache.hadoop.fs.Options$Rename")
        options = self._java.java.lang.reflect.Array.newInstance(kind.NONE.getClass(), 1)
        options[0] = kind.OVERWRITE if overwrite else kind.NONE
        self._context.rename(self.path(source), self.path(target), options)

    def is_link(self, path: Path) -> bool:
        return bool(self._context.getFileLinkStatus(self.path(path)).isSymlink())


@pytest.fixture(params=[LOCAL_FS.name, HADOOPS_LOCAL_FS])
def files(spark: SparkSession, request: pytest.FixtureRequest) -> Files:
    """Ours and Hadoop's own: every test holds for both."""
    return Files(spark, request.param)


def test_the_session_writes_through_it(spark: SparkSession) -> None:
    hadoop = spark._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
    assert hadoop.get(LOCAL_FS_KEY) == LOCAL_FS.name
    of_files = spark._jvm.org.apache.hadoop.fs.FileSystem.getLocal(hadoop)  # type: ignore[union-attr]
    assert of_files.getClass().getName() == f"{LOCAL_FS.name}$Checked"


def test_a_new_file_has_the_rights_and_the_checksum_that_hadoop_gives_it(
    files: Files, tmp_path: Path
) -> None:
    files.create(tmp_path / "one", "text")
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / ".one.crc").stat().st_mode) == 0o644
    # Hadoop's header, 512 bytes a sum, and the CRC32 of the text.
    assert (tmp_path / ".one.crc").read_bytes() == b"crc\x00\x00\x00\x02\x00\x3b\x8b\xa7\xc7"


def test_a_rename_takes_the_checksum_along_and_replaces_only_when_asked(files: Files, tmp_path: Path) -> None:
    for name in ("one", "two"):
        files.create(tmp_path / name, name)
    with pytest.raises(Py4JJavaError, match="FileAlreadyExistsException"):
        files.rename(tmp_path / "one", tmp_path / "two", overwrite=False)
    assert (tmp_path / "two").read_text() == "two"
    checksum = (tmp_path / ".one.crc").read_bytes()
    files.rename(tmp_path / "one", tmp_path / "two", overwrite=True)
    assert (tmp_path / "two").read_text() == "one"
    assert (tmp_path / ".two.crc").read_bytes() == checksum
    assert sorted(os.listdir(tmp_path)) == [".two.crc", "two"]


def test_a_rename_of_what_is_not_there_fails(files: Files, tmp_path: Path) -> None:
    with pytest.raises(Py4JJavaError, match="FileNotFoundException"):
        files.rename(tmp_path / "none", tmp_path / "two", overwrite=True)


def test_links_are_followed(files: Files, tmp_path: Path) -> None:
    """As Hadoop does for a path with a scheme: a link to a folder is that folder, and a link to a file is that file."""
    (tmp_path / "there").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "there")
    files.create(tmp_path / "here" / "one", "text")
    files.rename(tmp_path / "here" / "one", tmp_path / "here" / "two", overwrite=False)
    assert (tmp_path / "there" / "two").read_text() == "text"
    (tmp_path / "link").symlink_to(tmp_path / "there" / "two")
    assert not files.is_link(tmp_path / "link")
    assert not files.is_link(tmp_path / "there" / "two")


def test_a_stream_starts_no_process_for_a_file(env: SurveyEnv, tmp_path: Path) -> None:
    """Each of the programs on the PATH writes down that it was called, and for what."""
    calls, folder = tmp_path / "calls", tmp_path / "bin"
    folder.mkdir()
    for program in PROGRAMS:
        script = folder / program
        script.write_text(
            f'#!/bin/sh\necho "{program} $*" >> "{calls}"\nexec /usr/bin/env PATH=/usr/bin:/bin {program} "$@"\n'
        )
        script.chmod(0o755)
    env.send(20)
    words = shell.command("stream", "--survey", env.survey, "--bootstrap", env.bootstrap, "--lake", env.lake)
    done = shell.run(words, tmp_path / "var", PATH=f"{folder}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    made = calls.read_text().splitlines() if calls.exists() else []
    assert [call for call in made if not OF_A_FOLDER.match(call)] == []
