"""Set-up: the locks, and when an environment is created again."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from surveylake.errors import SetupError
from surveylake.paths import JOBS, ROOT
from surveylake.runtime import virtualenv

LOCKS = (virtualenv.BUILD_LOCK, *virtualenv.LOCKS.values())


def pins(name: str) -> set[str]:
    return set(re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / name).read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_no_registry_is_named(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_what_is_locked(name: str) -> None:
    assert pins(name.replace(".lock", ".in")) <= pins(name)


def test_the_tests_run_on_the_runtimes_versions() -> None:
    runtime, dev = (pins(virtualenv.LOCKS[kind]) for kind in ("runtime", "dev"))
    assert len(runtime) > 20
    # scipy's and numpy's helpers may differ by Python; what is pinned once must be the same.
    assert runtime <= dev


def test_spark_and_delta_have_one_version_each() -> None:
    from surveylake.runtime.spark_conf import spark_setting

    packages = spark_setting("spark.jars.packages")
    versions = dict(pin.split("==") for pin in pins("requirements.in"))
    assert packages.split(",")[0].endswith(f":{versions['delta-spark']}")
    assert packages.split(",")[1].endswith(f":{versions['pyspark']}")
    assert f"delta-spark_{versions['pyspark'].rpartition('.')[0]}_" in packages


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose locks ask for nothing: everything of set-up but the downloads."""
    for name in LOCKS:
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def set_up(checkout: Path, dev: bool = False) -> bool:
    return virtualenv.ensure_environment(checkout, checkout / "setup.log", dev)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What set-up does, step by step, without the seconds each takes: only .venv is emptied and made."""
    done: list[str] = []

    def run(command: list[str], log: Path, doing: str) -> None:
        done.append(doing)
        if "--clear" in command:
            shutil.rmtree(command[-1], ignore_errors=True)
            Path(command[-1]).mkdir()

    monkeypatch.setattr(virtualenv, "_run", run)
    return done


@pytest.mark.integration
def test_an_environment_is_made_once_and_grows_by_the_tests_packages(checkout: Path) -> None:
    assert set_up(checkout)
    mark = checkout / ".venv" / "mark"
    mark.touch()
    assert not set_up(checkout)
    assert set_up(checkout, dev=True)
    assert not set_up(checkout, dev=True)
    assert not set_up(checkout)
    assert mark.exists()


@pytest.mark.parametrize("name", LOCKS)
def test_another_lock_makes_another_environment(checkout: Path, steps: list[str], name: str) -> None:
    set_up(checkout, dev=True)
    steps.clear()
    (checkout / name).write_text("# nothing else\n")
    assert set_up(checkout, dev=True)
    assert steps == ["making .venv", "installing what builds pyspark", "installing requirements-dev.lock"]


def test_the_tests_lock_is_of_no_concern_to_the_runtime(checkout: Path, steps: list[str]) -> None:
    set_up(checkout)
    (checkout / "requirements-dev.lock").write_text("# nothing else\n")
    assert not set_up(checkout)


def test_a_set_up_that_was_cut_off_begins_again(checkout: Path, steps: list[str]) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    assert set_up(checkout)
    assert steps == ["making .venv", "installing what builds pyspark", "installing requirements.lock"]


def test_another_python_makes_another_environment(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(checkout)
    steps.clear()
    monkeypatch.setattr(virtualenv.sys, "version", "3.13.9 (another)")
    assert set_up(checkout)
    assert steps[0] == "making .venv"


@pytest.mark.integration
def test_a_requirement_without_a_hash_is_refused_and_leaves_no_stamp(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("wheel==0.45.1\n")
    with pytest.raises(SetupError, match=r"installing requirements\.lock failed(.|\n)*hash"):
        set_up(checkout)
    assert not (checkout / ".venv" / ".surveylake-runtime").exists()


def test_a_python_without_ensurepip_is_told_its_package(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtualenv.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError) as raised:
        set_up(checkout)
    assert f"python3.{sys.version_info[1]}-venv" in raised.value.hint


def test_set_up_needs_nothing_but_the_standard_library() -> None:
    code = "import surveylake.runtime.virtualenv, surveylake.runtime.java, surveylake.runtime.jars, surveylake.cli"
    subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(JOBS)}, check=True)


def made_command(*arguments: str) -> str:
    make = shutil.which("make")
    assert make
    command = [make, "--dry-run", "--no-print-directory", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_make_run_passes_on_what_is_given_and_nothing_else() -> None:
    last = made_command("run", "INPUT=a b's.csv", "ADD=1").rpartition("jobs/run.py")[2]
    assert last.replace("\\\n", "").split() == ["--input", "'a", "b'\\''s.csv'", "--add"]


def test_b17_make_run_passes_every_option_of_run_py_on() -> None:
    variables = [
        "INPUT=a",
        "SURVEY=s",
        "LAKE=l",
        "OUT=o",
        "BOOTSTRAP=b",
        "CONF=c",
        "ADD=1",
        "SKIP_BAD=1",
        "INSECURE=1",
    ]
    words = made_command("run", *variables).rpartition("jobs/run.py")[2].split()
    help_text = subprocess.run(
        [sys.executable, str(JOBS / "run.py"), "--help"], capture_output=True, text=True, check=True
    )
    options = set(re.findall(r"^  (--[a-z-]+)", help_text.stdout, re.MULTILINE))
    assert {word for word in words if word.startswith("--")} == options
    assert len(options) == len(variables)


def test_b17_make_verify_passes_every_option_of_verify_py_on() -> None:
    variables = ["SURVEY=s", "LAKE=l", "OUT=o", "BOOTSTRAP=b", "CONF=c", "DEEP=1", "JSON=1", "INSECURE=1"]
    words = made_command("verify", *variables).rpartition("jobs/verify.py")[2].split()
    help_text = subprocess.run(
        [sys.executable, str(JOBS / "verify.py"), "--help"], capture_output=True, text=True, check=True
    )
    options = set(re.findall(r"^  (--[a-z-]+)", help_text.stdout, re.MULTILINE))
    assert {word for word in words if word.startswith("--")} == options
    assert len(options) == len(variables)


@pytest.mark.parametrize("value", ["0", "no", "false", "off", ""])
def test_b17_a_switch_that_is_off_is_off(value: str) -> None:
    last = made_command("run", f"ADD={value}", f"SKIP_BAD={value}").rpartition("jobs/run.py")[2]
    assert last.replace("\\\n", "").split() == []


@pytest.mark.parametrize("target", ["run", "verify"])
@pytest.mark.parametrize("code", [4, 143])
def test_b17_make_ends_with_2_and_its_last_line_has_the_code_of_the_verb(
    target: str, code: int, tmp_path: Path
) -> None:
    make = shutil.which("make")
    assert make
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\nexit {code}\n")
    python.chmod(0o755)
    # Set-up counts as done: what is asked is what make says of the verb.
    command = [make, "-f", str(ROOT / "Makefile"), "-C", str(tmp_path), "-o", "setup", target]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    assert done.returncode == 2
    last = [line for line in done.stderr.splitlines() if "***" in line][-1]
    assert re.search(rf"\[.*{target}\] Error {code}$", last)
    assert "Error 4``" in (ROOT / "README.md").read_text("utf-8")


def test_make_alone_lists_every_target() -> None:
    make = shutil.which("make")
    assert make
    listed = subprocess.run([make, "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "faults", "check", "setup", "verify", "clean"):
        assert f"make {target} " in listed


def test_an_unsupported_python_is_one_clear_line(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    command = [make, "-C", str(ROOT), "setup", f"PYTHON={old}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"error: Python 3.11 to 3.13 is needed; none of these is one: {old}" in done.stderr
