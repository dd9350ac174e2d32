"""The jars are the locked ones, all of them, at every start."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from surveylake.errors import SetupError
from surveylake.paths import JOBS
from surveylake.runtime import ivy, jars, java_classes, spark_conf
from surveylake.runtime.java_classes import LOG_STORE, JavaClass

NO_SUCH_REGISTRY = "http://127.0.0.1:9/"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A jar folder of one's own, as set-up leaves it."""
    for which in jars.REQUIRED:
        shutil.copytree(jars.JARS / which, tmp_path / "jars" / which)
    return tmp_path / "jars"


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be fetched."""
    monkeypatch.setenv("DEFAULT_ARTIFACT_REPOSITORY", NO_SUCH_REGISTRY)


def flip_a_byte(jar: Path) -> None:
    """Change one byte in the middle; size and date stay."""
    before = jar.stat()
    content = bytearray(jar.read_bytes())
    content[len(content) // 2] ^= 1
    jar.write_bytes(content)
    os.utime(jar, ns=(before.st_atime_ns, before.st_mtime_ns))


def locked(which: str) -> list[jars.Jar]:
    return [jar for jar in jars.read_lock() if jar.which == which]


def test_each_set_is_what_the_lock_lists(folder: Path) -> None:
    for which in jars.REQUIRED:
        assert [jar.name for jar in jars.local_jars(which, folder)] == [jar.file for jar in locked(which)]


@pytest.mark.usefixtures("no_registry")
def test_the_set_for_s3_is_kept_as_locked_too(tmp_path: Path, kept_classes: None) -> None:
    shutil.copytree(jars.JARS, tmp_path / "jars")
    got = jars.fetch(tmp_path / "jars", jars.SETS)["s3"]
    assert [jar.name for jar in got] == [jar.file for jar in locked("s3")]
    flip_a_byte(got[-1])
    with pytest.raises(SetupError, match=re.escape(got[-1].name)):
        jars.fetch(tmp_path / "jars", jars.SETS)


def test_the_lock_holds_the_closure() -> None:
    spark, broker, s3, hdfs = ({jar.coordinate.split(":")[1] for jar in locked(which)} for which in jars.SETS)
    assert {"delta-storage", "kafka-clients", "spark-token-provider-kafka-0-10_2.13", "local-fs"} <= spark
    assert {"kafka-clients", "kafka-metadata", "kafka-raft"} <= broker
    assert {"hadoop-aws", "s3", "sts", "create-once-log-store"} <= s3
    assert hdfs == {"hadoop-client-minicluster"}


@pytest.mark.parametrize("which", ["spark", "s3", "hdfs"])
def test_nothing_spark_ships_is_locked_for_spark(which: str) -> None:
    shipped = {re.sub(r"-[0-9][^-]*$", "", jar.stem) for jar in (ivy.spark_home() / "jars").glob("*.jar")}
    assert "hadoop-client-api" in shipped
    assert shipped & {jar.coordinate.split(":")[1] for jar in locked(which)} == set()


def test_a_set_that_was_not_fetched_is_empty(tmp_path: Path) -> None:
    assert jars.local_jars("spark", tmp_path) == []


@pytest.mark.parametrize("which", jars.REQUIRED)
def test_a_flipped_byte_is_found_although_size_and_date_are_the_same(
    folder: Path, which: jars.JarSet
) -> None:
    damaged = jars.local_jars(which, folder)[1]
    flip_a_byte(damaged)
    with pytest.raises(SetupError, match=re.escape(damaged.name)) as raised:
        jars.local_jars(which, folder)
    assert "sha256" in raised.value.message


def test_a_missing_jar_is_named(folder: Path) -> None:
    gone = jars.local_jars("broker", folder)[3]
    gone.unlink()
    with pytest.raises(SetupError, match=re.escape(gone.name)):
        jars.local_jars("broker", folder)


@pytest.mark.usefixtures("no_registry")
def test_nothing_is_resolved_when_all_is_there(folder: Path) -> None:
    assert {which: len(jars_of_set) for which, jars_of_set in jars.fetch(folder).items()} == {
        which: len(locked(which)) for which in jars.REQUIRED
    }


@pytest.mark.usefixtures("no_registry")
def test_a_damaged_jar_is_neither_used_nor_overwritten_by_a_fetch(folder: Path) -> None:
    damaged = jars.local_jars("spark", folder)[0]
    flip_a_byte(damaged)
    before = damaged.read_bytes()
    with pytest.raises(SetupError, match=re.escape(damaged.name)):
        jars.fetch(folder)
    assert damaged.read_bytes() == before


def test_a_log_store_that_is_not_of_its_source_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "CreateOnceLogStore.java"
    source.write_text(LOG_STORE.source.read_text() + "// changed\n")
    monkeypatch.setattr(java_classes, "CLASSES", (replace(LOG_STORE, source=source),))
    with pytest.raises(SetupError, match="create-once-log-store"):
        jars.read_lock()


@pytest.mark.integration
@pytest.mark.parametrize("java_class", java_classes.CLASSES, ids=lambda each: each.artifact)
def test_a_class_of_ours_is_compiled_to_the_locked_bytes(java_class: JavaClass, tmp_path: Path) -> None:
    class_path = [*(ivy.spark_home() / "jars").glob("*.jar"), *jars.local_jars("spark")]
    jar = java_class.build(class_path, tmp_path)
    assert [(jar.name, jars.sha256(jar))] == [
        (line.file, line.sha256)
        for line in locked(java_class.which)
        if line.coordinate == java_class.coordinate
    ]


@pytest.mark.integration
@pytest.mark.usefixtures("no_registry")
def test_an_offline_machine_is_told_what_could_not_be_resolved(folder: Path) -> None:
    shutil.rmtree(folder / "broker")
    with pytest.raises(SetupError, match=r"org\.apache\.kafka.kafka_2\.13") as raised:
        jars.fetch(folder)
    assert "copy var/jars" in raised.value.hint


def resolved_to(monkeypatch: pytest.MonkeyPatch, content: dict[str, bytes]) -> None:
    """Let the registry answer with these files, whatever is asked."""

    def resolve(packages: list[str], excludes: list[str], scratch: Path) -> dict[str, Path]:
        scratch.mkdir(parents=True)
        for name, data in content.items():
            (scratch / name).write_bytes(data)
        return {f"g:{name}:1": scratch / name for name in content}

    monkeypatch.setattr(jars, "resolve", resolve)


def test_a_registry_that_sends_another_jar_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = jars.local_jars("broker", folder)[2]
    wanted.unlink()
    resolved_to(monkeypatch, {wanted.name: b"not this"})
    with pytest.raises(SetupError, match=re.escape(wanted.name)):
        jars.fetch(folder)
    assert not wanted.exists()


def test_a_registry_that_sends_one_jar_more_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = jars.local_jars("broker", folder)[2]
    content = wanted.read_bytes()
    wanted.unlink()
    resolved_to(monkeypatch, {wanted.name: content, "stowaway-1.jar": b""})
    with pytest.raises(SetupError, match=r"stowaway-1\.jar"):
        jars.fetch(folder)


def test_a_missing_jar_is_fetched_and_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = jars.local_jars("broker", folder)[2]
    content = wanted.read_bytes()
    wanted.unlink()
    resolved_to(monkeypatch, {wanted.name: content})
    earlier = wanted.with_name("of-an-earlier-release-1.jar")
    earlier.touch()
    jars.fetch(folder)
    assert wanted.read_bytes() == content
    assert not earlier.exists()
    assert not list(folder.glob(".ivy*"))


@pytest.mark.usefixtures("no_registry")
@pytest.mark.parametrize("java_class", java_classes.CLASSES, ids=lambda each: each.artifact)
def test_a_class_of_ours_that_is_missing_is_compiled_anew_without_a_network(
    java_class: JavaClass, tmp_path: Path, kept_classes: None
) -> None:
    folder, which = tmp_path / "jars", java_class.which
    shutil.copytree(jars.JARS, folder)
    (of_lock,) = (jar for jar in locked(which) if jar.coordinate == java_class.coordinate)
    (folder / which / of_lock.file).unlink()
    jars.fetch(folder, jars.SETS)
    assert jars.sha256(folder / which / of_lock.file) == of_lock.sha256


def published(registry: Path, group: str, artifact: str, needs: str = "") -> None:
    """Put group:artifact:1.0 into a Maven repository made of plain files; `needs` is an artifact of the same group."""
    place = registry / group.replace(".", "/") / artifact / "1.0"
    place.mkdir(parents=True)
    needed = f"<dependency><groupId>{group}</groupId><artifactId>{needs}</artifactId><version>1.0</version></dependency>"
    (place / f"{artifact}-1.0.pom").write_text(
        f"<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>1.0</version><dependencies>{needed if needs else ''}</dependencies></project>"
    )
    with zipfile.ZipFile(place / f"{artifact}-1.0.jar", "w") as jar:
        jar.writestr("name", artifact)


@pytest.mark.integration
def test_the_closure_is_resolved_without_what_is_excluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / "registry"
    for artifact, needs in (("top_2.13", "middle_x"), ("middle_x", "bottom"), ("bottom", "")):
        published(registry, "org.a_b", artifact, needs)
    monkeypatch.setenv("DEFAULT_ARTIFACT_REPOSITORY", registry.as_uri())
    jars_of_set = ivy.resolve(["org.a_b:top_2.13:1.0"], ["org.a_b:bottom"], tmp_path / "scratch")
    assert sorted(jars_of_set) == ["org.a_b:middle_x:1.0", "org.a_b:top_2.13:1.0"]
    assert zipfile.ZipFile(jars_of_set["org.a_b:top_2.13:1.0"]).read("name") == b"top_2.13"


def test_a_lock_line_that_is_none_is_named_by_number(tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text("# lock\nspark abc g:a:1 ../../a.jar\n")
    with pytest.raises(SetupError, match="line 2"):
        jars.read_lock(lock)


def test_a_lock_of_other_coordinates_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(jars.LOCK.read_text().replace("delta-spark_4.2_2.13:4.4.0", "delta-spark_4.2_2.13:4.3.0"))
    with pytest.raises(SetupError, match=re.escape("io.delta:delta-spark_4.2_2.13:4.4.0")):
        jars.read_lock(lock)


def test_a_missing_lock_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        jars.read_lock(tmp_path / "none")


def test_a_setting_is_read_as_spark_reads_it(tmp_path: Path) -> None:
    conf = tmp_path / "spark-defaults.conf"
    conf.write_text("# a.b no\na.b.c   other\na.b  one two\nd.e=f\n")
    assert spark_conf.spark_setting("a.b", conf) == "one two"
    assert spark_conf.spark_setting("d.e", conf) == "f"
    assert spark_conf.spark_setting("x", conf) == ""


def test_the_verb_says_what_it_verified() -> None:
    done = subprocess.run(
        [sys.executable, JOBS / "jars.py", "--check"], capture_output=True, text=True, check=True
    )
    assert [line.split(" jars")[0] for line in done.stdout.splitlines()] == [
        f"{which}: {len(locked(which))}" for which in jars.SETS if (jars.JARS / which).is_dir()
    ]


@pytest.mark.parametrize("own", [(), ("jars",)])
@pytest.mark.parametrize("shared", [(), ("var/jars/spark",), ("var/jars/spark", "var/jars/broker")])
def test_b14_the_jars_of_a_checkout_that_others_set_up_are_used_unless_one_has_ones_own(
    own: tuple[str, ...], shared: tuple[str, ...], tmp_path: Path
) -> None:
    shutil.copytree(JOBS / "surveylake", tmp_path / "jobs" / "surveylake")
    for name in (*(f"mine/{name}" for name in own), *shared):
        (tmp_path / name).mkdir(parents=True)
    code = "from surveylake.runtime.jars import JARS; print(JARS)"
    environment = {"PYTHONPATH": str(tmp_path / "jobs"), "SURVEYLAKE_VAR": str(tmp_path / "mine")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    expected = tmp_path / "var" / "jars" if shared and not own else tmp_path / "mine" / "jars"
    assert done.stdout.strip() == str(expected)
