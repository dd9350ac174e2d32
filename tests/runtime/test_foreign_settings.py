"""b13: variables of another project are named when they are in the way, and their values are nobody's business."""

from pathlib import Path

import pytest

from support import shell
from surveylake.errors import ConfigError, SetupError, StorageError

pytestmark = pytest.mark.integration

SECRET = "hunter2"
IN_THE_WAY = {
    "other settings": ({"SPARK_CONF_DIR": "EMPTY"}, ConfigError, "without Delta's settings"),
    "settings of no file": ({"PYSPARK_SUBMIT_ARGS": "--properties-file /none.conf pyspark-shell"}, SetupError, "/none.conf"),
    "a question that Spark answers and ends": ({"PYSPARK_SUBMIT_ARGS": "--version pyspark-shell"}, SetupError, "did not start"),
    "a quote that is not closed": ({"PYSPARK_SUBMIT_ARGS": "--conf 'a=b pyspark-shell"}, ConfigError, "cannot be read"),
    "another collector": ({"JAVA_TOOL_OPTIONS": "-XX:+UseG1GC"}, SetupError, "Multiple garbage collectors selected"),
    "an agent that is gone": ({"JDK_JAVA_OPTIONS": "-javaagent:/gone.jar"}, SetupError, "/gone.jar"),
    "a small heap": ({"_JAVA_OPTIONS": "-Xmx64m"}, SetupError, "System memory"),
    "another Spark": ({"SPARK_REMOTE": "sc://elsewhere"}, SetupError, "Spark Connect"),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_b13_a_variable_that_is_in_the_way_is_named(case: str, tmp_path: Path) -> None:
    variables, error, message = IN_THE_WAY[case]
    (tmp_path / "conf").mkdir()
    variables = {name: value.replace("EMPTY", str(tmp_path / "conf")) for name, value in variables.items()}
    (name,) = variables
    words = shell.command("quarantine", "--lake", tmp_path / "lake")
    done = shell.run(words, tmp_path / "var", **shell.NO_OPTIONS, **variables)
    assert done.returncode == error.exit_code, done.stderr
    assert message in done.stderr and f"unset {name}" in done.stderr
    assert done.stderr.count("\n") == 2 and shell.strangers(done.stderr) == []


def test_b13_a_value_that_may_hold_a_password_is_not_shown(tmp_path: Path) -> None:
    words = shell.command("quarantine", "--lake", tmp_path / "lake")
    options = f"-XX:+UseG1GC -Djavax.net.ssl.keyStorePassword={SECRET}"
    done = shell.run(words, tmp_path / "var", JAVA_TOOL_OPTIONS=options, **shell.NO_OPTIONS)
    assert done.returncode == SetupError.exit_code and "JAVA_TOOL_OPTIONS" in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_b13_arguments_of_ones_own_are_added_to_ours(tmp_path: Path) -> None:
    words = shell.command("quarantine", "--lake", tmp_path / "lake")
    done = shell.run(words, tmp_path / "var", PYSPARK_SUBMIT_ARGS="--master local[1] pyspark-shell")
    assert done.returncode == StorageError.exit_code, done.stderr
    assert f"there is no table records in {tmp_path / 'lake'}" in done.stderr
