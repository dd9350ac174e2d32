"""jobs/run.py without --bootstrap starts a Kafka of its own: a conf file that names another one is refused, and not passed over."""

import shlex
from pathlib import Path

import pytest

import run
from surveylake.errors import ConfigError, SetupError
from surveylake.paths import CONF


@pytest.fixture(autouse=True)
def goes_no_further(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The run ends where its arguments are accepted, before anything starts."""

    def end() -> None:
        raise SetupError("accepted")

    monkeypatch.setattr(run, "check_spark", end)
    monkeypatch.chdir(tmp_path)


def ended(conf: Path, *more: str) -> int:
    return run.main(["--conf", str(conf), *more])


@pytest.mark.parametrize(
    "conf", ['[kafka]\nbootstrap = "kafka-1:9092,kafka-2:9092"\n', ""], ids=["own", "cluster"]
)
def test_an_address_of_the_conf_file_is_refused_with_the_words_that_use_it(
    conf: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, address = CONF / "cluster.toml", "kafka:19092"
    if conf:
        path, address = tmp_path / "conf.toml", "kafka-1:9092,kafka-2:9092"
        path.write_text(conf)
    assert ended(path) == ConfigError.exit_code
    told = capsys.readouterr().err
    assert f"bootstrap = {address}" in told
    assert f"BOOTSTRAP={address}" in told
    words = shlex.split(told.partition("try again with ")[2].partition(" (")[0])
    assert words == ["--bootstrap", address]
    assert ended(path, *words, "--insecure") == SetupError.exit_code


def test_a_login_of_the_conf_file_is_refused_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "conf.toml"
    path.write_text('[kafka.options]\n"security.protocol" = "SASL_SSL"\n')
    assert ended(path) == ConfigError.exit_code
    told = capsys.readouterr().err
    assert "security.protocol = SASL_SSL" in told
    assert "--bootstrap" in told


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[kafka]\nbootstrap = "127.0.0.1:9092"\n',
        '[kafka]\npartitions = 2\n[kafka.options]\n"security.protocol" = "plaintext"\n',
    ],
)
def test_a_conf_file_that_names_no_other_kafka_is_taken(text: str, tmp_path: Path) -> None:
    path = tmp_path / "conf.toml"
    path.write_text(text)
    assert ended(path) == SetupError.exit_code
    assert ended(CONF / "local.toml") == SetupError.exit_code
