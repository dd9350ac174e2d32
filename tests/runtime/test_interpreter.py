"""b13: another Python than the project's own, or packages of another project, are one line and no trace."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import shell
from surveylake.errors import SetupError
from surveylake.paths import JOBS, ROOT

VERBS = sorted(path.stem for path in JOBS.glob("*.py") if path.stem != "jars")


def without_packages(words: list[str]) -> list[str]:
    """The same command by a Python that finds nothing but its own library."""
    return [words[0], "-S", *words[1:]]


@pytest.mark.parametrize("verb", VERBS)
def test_b13_a_python_without_the_packages_is_one_line(verb: str, tmp_path: Path) -> None:
    done = shell.run(
        without_packages(shell.command(verb)), tmp_path, PYSPARK_DRIVER_PYTHON="/usr/bin/python3"
    )
    assert done.returncode == SetupError.exit_code
    assert f"this Python, {sys.executable}, lacks confluent_kafka, pydantic, pyspark" in done.stderr
    assert "unset PYSPARK_DRIVER_PYTHON" in done.stderr and str(ROOT / ".venv/bin/python") in done.stderr
    assert done.stderr.count("\n") == 2


def test_b13_a_package_of_another_project_is_named_with_the_variable_that_brings_it(tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text("VERSION = '1.10'\n")
    done = shell.run(shell.command("stream"), tmp_path / "var", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert str(tmp_path / "pydantic.py") in done.stderr and "unset PYTHONPATH" in done.stderr
    assert done.stderr.count("\n") == 2
    (log,) = (tmp_path / "var" / "log").glob("stream-*.log")
    assert "Traceback" in log.read_text(encoding="utf-8") and str(log) in done.stderr


def test_the_package_asks_nothing_of_who_imports_it_for_something_else(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-S",
        "-c",
        "import surveylake.runtime.jars, surveylake.runtime.java, surveylake.cli",
    ]
    subprocess.run(words, env=shell.environment(tmp_path, PYTHONPATH=str(JOBS)), check=True)
