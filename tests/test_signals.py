"""b18: SIGTERM and Ctrl-C, whether Python gets them or Java: a stream finishes its batch, and all else is broken off in one line."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import shell
from support.survey_env import SurveyEnv
from support.waiting import until
from surveylake.paths import CONF
from surveylake.runtime.jars import local_jars


def submitted(env: SurveyEnv, *more: str) -> list[str]:
    """stream.py through spark-submit, with the jars that are there; nothing is resolved."""
    spark_submit = str(Path(sys.executable).with_name("spark-submit"))
    jars = [
        "--jars",
        ",".join(map(str, local_jars("spark"))),
        "--conf",
        "spark.jars.packages=",
        "--conf",
        "spark.jars.excludes=",
    ]
    return [spark_submit, *jars, *env.command(*more)[1:]]


def environment() -> dict[str, str]:
    """spark-submit takes the first python3 of the PATH."""
    return {
        "SPARK_CONF_DIR": str(CONF),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def to_pid(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)


def to_group(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGTERM)


def by_ctrl_c(process: subprocess.Popen[str]) -> None:
    """A terminal sends it to the whole group."""
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.parametrize("how", [to_pid, to_group, by_ctrl_c])
def test_b18_a_stream_under_spark_submit_finishes_its_batch_and_ends_with_0(
    env: SurveyEnv, how: object
) -> None:
    env.send(200)
    conf, first = env.with_limit(20), env.lake / "records" / "_delta_log" / f"{1:020d}.json"
    words = submitted(env, "--trigger", "1 second", "--conf", str(conf))
    with shell.started(words, env.folder / "var", **environment()) as process:
        until(first.is_file)
        how(process)  # type: ignore[operator]
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "stopping: the batch in progress is finished first" in err + out
    assert "stream: " in out and "took: topic " in out and "error: " not in err
    env.take()
    env.assert_every_offset_once(200)


@pytest.mark.parametrize("how", [to_group, to_pid])
def test_b18_a_stream_whose_java_gets_the_signal_too_ends_with_0(env: SurveyEnv, how: object) -> None:
    env.send(200)
    conf, first = env.with_limit(20), env.lake / "records" / "_delta_log" / f"{1:020d}.json"
    with shell.started(
        env.command("--trigger", "1 second", "--conf", str(conf)), env.folder / "var"
    ) as process:
        until(first.is_file)
        if how is to_pid:
            shell.spark_of(process)[0].terminate()
        else:
            to_group(process)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert shell.strangers(out + err) == [] and "error: " not in err
    env.take()
    env.assert_every_offset_once(200)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("number", "code", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")]
)
def test_b18_a_verb_with_nothing_to_finish_is_broken_off_with_one_line(
    tmp_path: Path, number: int, code: int, name: str
) -> None:
    shutil.rmtree(tmp_path / "lake", ignore_errors=True)
    words = shell.command("run", "--lake", tmp_path / "lake", "--out", tmp_path / "out")
    with shell.started(words, tmp_path / "var") as process:
        until(lambda: len(shell.spark_of(process)) > 0)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    assert process.returncode == code
    assert err.splitlines()[-1] == f"stopped by {name}" and shell.strangers(err) == []
    assert not (tmp_path / "lake").exists()
