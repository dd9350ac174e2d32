"""b4, b5, b10, b14: whole runs where the machine is not as it is at home; what cannot work is refused before anything is sent."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import shell
from support.checkout import a_checkout
from surveylake.errors import ConfigError, SetupError
from surveylake.paths import JOBS, ROOT

pytestmark = pytest.mark.integration

STRANGE = "a,b;c 50%20d#e q'u\"o é中国 $x [1]{2}"
TRAVERSE = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
"""Lets a user without rights read what only root may, as an installation for all would: it may write nothing more."""
mounting = pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0,
    reason="mounting takes root",
)


def whole(root: Path, *before: str, **more: str) -> subprocess.CompletedProcess[str]:
    """run.py of a checkout, started in it, with its own var; lake and exports are in it too."""
    words = [*before, *shell.command("run", jobs=root / "jobs")]
    env = {
        k: v for k, v in shell.environment(root / "var", **more).items() if k != "SURVEYLAKE_VAR" or k in more
    }
    return subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, timeout=300, check=False)


def went_through(done: subprocess.CompletedProcess[str]) -> None:
    """289 answers came out at the other end, and nobody else spoke."""
    assert done.returncode == 0, done.stderr
    assert "289 records (accepted 288, rejected 1" in done.stdout
    assert "report.html to read first" in done.stdout
    assert shell.strangers(done.stdout + done.stderr) == []


def test_b10_a_checkout_under_any_name_works_and_writes_nothing_outside(tmp_path: Path) -> None:
    root = a_checkout(tmp_path / STRANGE)
    went_through(whole(root, LC_ALL="C"))
    assert [path.name for path in tmp_path.iterdir()] == [STRANGE]
    assert sorted(path.name for path in root.iterdir()) == ["conf", "jobs", "lake", "out", "var"]


def test_b10_a_colon_in_the_path_is_refused_by_name(tmp_path: Path) -> None:
    root = a_checkout(tmp_path / "a:b")
    done = whole(root)
    assert done.returncode == SetupError.exit_code
    assert str(root) in done.stderr and "has a ':'" in done.stderr and done.stderr.count("\n") == 2
    assert sorted(path.name for path in root.iterdir()) == ["conf", "jobs", "var"]
    assert not (root / "var" / "kafka").exists()


def test_b10_a_lake_that_delta_cannot_name_is_refused(tmp_path: Path) -> None:
    done = shell.run(shell.command("run", "--lake", tmp_path / "a`b" / "lake"), tmp_path / "var")
    assert done.returncode == ConfigError.exit_code and "has a '`' in its path" in done.stderr
    assert not (tmp_path / "a`b").exists() and not (tmp_path / "var" / "kafka").exists()


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    """Hadoop's settings of an edge node: a path without a scheme is another file system's."""
    (tmp_path / "hadoop").mkdir()
    (tmp_path / "another").mkdir()
    (tmp_path / "hadoop" / "core-site.xml").write_text(
        "<configuration><property><name>fs.defaultFS</name><value>viewfs://edge/</value></property>"
        "<property><name>fs.viewfs.mounttable.edge.linkFallback</name>"
        f"<value>{(tmp_path / 'another').as_uri()}</value></property></configuration>",
        encoding="utf-8",
    )
    return tmp_path / "hadoop"


def test_b4_a_path_without_a_scheme_is_this_disk_whatever_hadoop_is_set_to(
    edge: Path, tmp_path: Path
) -> None:
    places = ["--lake", tmp_path / "lake", "--out", tmp_path / "out"]
    went_through(shell.run(shell.command("run", *places), tmp_path / "var", HADOOP_CONF_DIR=str(edge)))
    # Nobody listens there; where the default points to, somebody else may.
    words = shell.command("verify", *places, "--bootstrap", "127.0.0.1:1")
    done = shell.run(words, tmp_path / "var", HADOOP_CONF_DIR=str(edge))
    assert done.returncode == 0 and "proved: 289 records" in done.stdout
    assert list((tmp_path / "another").iterdir()) == []


def test_b4_settings_that_would_send_it_elsewhere_are_refused(edge: Path, tmp_path: Path) -> None:
    arguments = "--conf spark.hadoop.fs.defaultFS=viewfs://edge/ pyspark-shell"
    words = shell.command("run", "--lake", tmp_path / "lake", "--out", tmp_path / "out")
    done = shell.run(words, tmp_path / "var", HADOOP_CONF_DIR=str(edge), PYSPARK_SUBMIT_ARGS=arguments)
    assert done.returncode == ConfigError.exit_code
    assert "viewfs://edge" in done.stderr and "unset PYSPARK_SUBMIT_ARGS" in done.stderr
    assert not (tmp_path / "lake").exists() and list((tmp_path / "another").iterdir()) == []
    assert "sent " not in done.stdout


def where_nothing_else_is(elsewhere: Path, mounts: dict[str | Path, str]) -> subprocess.CompletedProcess[str]:
    """run.py of this checkout, with other file systems in these places; the checkout may be under one of them."""
    words = shell.command("run", "--lake", elsewhere / "lake", "--out", elsewhere / "out")
    checkout = elsewhere / "checkout"
    checkout.mkdir()
    script = f"mount --rbind '{ROOT}' '{checkout}'\n"
    script += "".join(f"mount -t tmpfs -o {how} tmpfs '{place}'\n" for place, how in mounts.items())
    there = [word.replace(str(ROOT), str(checkout)) for word in words]
    return shell.run(
        ["unshare", "--mount", "sh", "-ec", f'{script}exec "$@"', "sh", *there],
        elsewhere / "var",
        TMPDIR="/tmp",
    )


@mounting
@pytest.mark.parametrize("how", ["noexec,mode=1777", "mode=1777,size=4k", "ro,mode=1777"])
def test_b5_tmp_that_is_noexec_or_full_or_closed_is_not_needed(how: str, elsewhere: Path) -> None:
    went_through(where_nothing_else_is(elsewhere, {"/tmp": how}))


@mounting
def test_b5_with_no_place_to_run_from_it_is_refused_before_anything_is_sent(elsewhere: Path) -> None:
    (elsewhere / "var").mkdir()
    done = where_nothing_else_is(
        elsewhere, dict.fromkeys(["/tmp", "/var/tmp", elsewhere / "var"], "noexec,mode=1777")
    )
    assert done.returncode == SetupError.exit_code, done.stderr
    assert f"{elsewhere / 'var' / 'tmp'} is mounted noexec" in done.stderr and "SURVEYLAKE_VAR" in done.stderr
    # Beside other tests Kafka's usual port is taken, which is said first.
    lines = [line for line in done.stderr.splitlines() if not line.startswith("port 9092 is taken")]
    assert len(lines) == 2 and not (elsewhere / "lake").exists()


@mounting
def test_b14_a_user_without_a_name_runs_a_checkout_that_only_root_may_write(elsewhere: Path) -> None:
    mine = elsewhere / "mine"
    mine.mkdir()
    elsewhere.chmod(0o755)
    os.chown(mine, 54321, 54321)
    # Tests that run beside this one make it.
    (ROOT / ".hypothesis").mkdir(exist_ok=True)
    before = sorted(path for path in JOBS.parent.glob("*"))
    words = shell.command("run", "--lake", mine / "lake", "--out", mine / "out")
    user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", *TRAVERSE]
    env = {**shell.environment(mine), "HOME": str(mine / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    del env["SURVEYLAKE_VAR"]
    done = subprocess.run(
        [*user, *words], cwd=mine, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    went_through(done)
    assert sorted(path.name for path in mine.iterdir()) == ["home", "lake", "out"]
    (var,) = (mine / "home" / ".cache" / "surveylake").iterdir()
    assert {"kafka", "log", "tmp"} <= {path.name for path in var.iterdir()}
    assert sorted(path for path in JOBS.parent.glob("*")) == before


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that is not in /tmp, which these tests take away."""
    place = Path("/var/lib") / f"surveylake-test-{os.getpid()}"
    place.mkdir()
    yield place
    shutil.rmtree(place, ignore_errors=True)


def test_a_turkish_java_reads_the_same_words(tmp_path: Path) -> None:
    places = ["--lake", tmp_path / "lake", "--out", tmp_path / "out"]
    turkish = {"JAVA_TOOL_OPTIONS": "-Duser.language=tr -Duser.country=TR"}
    went_through(shell.run(shell.command("run", *places), tmp_path / "var", **turkish))


def test_a_terminal_that_knows_ascii_only_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "é中.csv").write_text("", encoding="utf-8")
    words = shell.command("produce", tmp_path / "é中.csv")
    done = shell.run(words, tmp_path / "var", PYTHONIOENCODING="ascii")
    assert done.returncode == 4 and "\\xe9\\u4e2d.csv" in done.stderr and "Traceback" not in done.stderr
