"""Conf files: their values, and the errors that name a wrong key."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from surveylake.config import ALLOWED_KAFKA_OPTIONS, Config, Kafka, load_config
from surveylake.contract.complaints import explain
from surveylake.errors import ConfigError
from surveylake.paths import CONF


def wrong(document: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as error:
        Config.model_validate(document)
    return explain(error.value)


def write(folder: Path, text: str) -> Path:
    path = folder / "conf.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_local_toml_says_what_is_the_default_anyway() -> None:
    assert load_config(CONF / "local.toml") == Config()


@pytest.mark.parametrize("path", sorted(CONF.glob("*.toml")), ids=lambda path: path.name)
def test_every_conf_file_loads(path: Path) -> None:
    assert isinstance(load_config(path), Config)


def test_conf_files_have_the_same_keys() -> None:
    shapes = {
        path.name: {section: sorted(keys) for section, keys in tomllib.loads(path.read_text()).items()}
        for path in CONF.glob("*.toml")
    }
    assert len({str(shape) for shape in shapes.values()}) == 1, shapes


def test_the_environment_may_name_the_conf_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURVEYLAKE_CONF", str(write(tmp_path, "[publish]\nsmallest_group = 11\n")))
    assert load_config().publish.smallest_group == 11


def test_without_a_conf_file_named_local_toml_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SURVEYLAKE_CONF", raising=False)
    assert "SURVEYLAKE_CONF" not in os.environ
    assert load_config() == load_config(CONF / "local.toml")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kafka": {"bootstrp": "x"}}, "kafka.bootstrp: unknown key"),
        ({"spark": {}}, "spark: unknown key"),
        ({"kafka": {"partitions": 0}}, "kafka.partitions"),
        ({"kafka": {"partitions": "4"}}, "kafka.partitions"),
        ({"kafka": {"compression": "brotli"}}, "kafka.compression"),
        ({"stream": {"starting_offsets": "newest"}}, "stream.starting_offsets"),
        ({"stream": {"max_message_bytes": 0}}, "stream.max_message_bytes"),
        ({"stream": {"batch_seconds": 10**400}}, "stream.batch_seconds: has too many digits"),
        ({"publish": {"smallest_group": 0}}, "publish.smallest_group"),
    ],
)
def test_a_wrong_key_is_named(document: dict[str, Any], message: str) -> None:
    assert message in wrong(document)


@pytest.mark.parametrize(
    "option",
    [
        "sasl.jaas.config", "sasl.password", "ssl.key.password", "enable.ssl.certificate.verification", "plugin.library.paths",
        "ssl.endpoint.identification.algorithm", "sasl.oauthbearer.client.secret", "sasl.login.callback.handler.class", "group.id", "isolation.level",
    ],
)  # fmt: skip
def test_an_option_that_loads_code_or_weakens_security_is_not_passed_on(option: str) -> None:
    assert option not in ALLOWED_KAFKA_OPTIONS
    assert f"not an option this project passes on: {option}" in wrong({"kafka": {"options": {option: "x"}}})


def test_an_allowed_option_is_kept() -> None:
    assert Kafka(options={"client.id": "me"}).options == {"client.id": "me"}


def test_another_broker_changes_the_address_only() -> None:
    config = Config(kafka=Kafka(partitions=7))
    moved = config.at("kafka:9092")
    assert (moved.kafka.bootstrap, moved.kafka.partitions) == ("kafka:9092", 7)
    assert moved.stream == config.stream
    assert config.at(None) is config.at("") is config
    assert not moved.kafka.insecure
    assert config.at("kafka:9092", insecure=True).kafka.insecure


def test_a_missing_conf_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration at .*none\.toml"):
        load_config(tmp_path / "none.toml")


def test_a_conf_file_that_is_not_toml_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"conf\.toml is not a readable TOML file"):
        load_config(write(tmp_path, "[kafka"))


def test_a_wrong_conf_file_is_an_error_that_names_file_and_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"conf\.toml: kafka\.replication"):
        load_config(write(tmp_path, "[kafka]\nreplication = -1\n"))
