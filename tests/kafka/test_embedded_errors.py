"""What an embedded Kafka that does not start says: the reason and the next step, and no value of a variable."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from surveylake.errors import SetupError
from surveylake.kafka import embedded, embedded_node
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.runtime import foreign_settings

SECRET = "hunter2"
OPTIONS = f"-Xmx1k -Djavax.net.ssl.keyStorePassword={SECRET}"
ECHOES = [
    f"Picked up JAVA_TOOL_OPTIONS: {OPTIONS}",
    f"NOTE: Picked up JDK_JAVA_OPTIONS: {OPTIONS}",
    f"Picked up _JAVA_OPTIONS: {OPTIONS}",
]
REASON = "Error occurred during initialization of VM"


@pytest.fixture(autouse=True)
def no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own variables are none of the test's."""
    for name in foreign_settings.JAVA:
        monkeypatch.delenv(name, raising=False)


def ended(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Have Kafka's tool say these lines and fail."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, lines[0] + "\n", "\n".join(lines[1:]))

    monkeypatch.setattr(embedded_node.subprocess, "run", run)


def refusal(data: Path) -> SetupError:
    with pytest.raises(SetupError) as caught:
        embedded_node.format_storage(data, "id", ["java"])
    return caught.value


def test_a_folder_that_java_could_not_format_stays_and_the_variable_is_named_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", OPTIONS)
    ended(monkeypatch, *ECHOES, REASON)
    error = refusal(tmp_path)
    assert REASON in error.message
    assert "unset JAVA_TOOL_OPTIONS" in error.hint
    assert SECRET not in error.message + error.hint
    assert "delete" not in error.hint


def test_a_value_of_several_lines_is_not_shown_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"-Xmx1k\n-Dpassword={SECRET}")
    ended(monkeypatch, "Picked up JAVA_TOOL_OPTIONS: -Xmx1k", f"-Dpassword={SECRET}", REASON)
    error = refusal(tmp_path)
    assert error.message.endswith(REASON)
    assert SECRET not in error.message


def test_without_such_a_variable_nothing_is_to_be_deleted_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(monkeypatch, "", "Invalid value one for configuration node.id")
    error = refusal(tmp_path)
    assert "Invalid value one" in error.message
    assert error.hint == "Correct what Kafka names and try again."


def test_a_folder_that_is_damaged_is_moved_away_and_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records of its topics may be all that there is of the answers."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "meta.properties").write_text("vers")
    ended(monkeypatch, "", "Log directory log is already formatted.")
    hint = refusal(tmp_path).hint
    assert f"rename {tmp_path}" in hint
    assert "delete" not in hint


def test_a_machine_that_is_too_slow_is_no_reason_to_delete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("java", 60)

    monkeypatch.setattr(embedded_node.subprocess, "run", run)
    error = refusal(tmp_path)
    assert "took more than 60 s" in error.message
    assert error.hint == "Try again when the machine is less busy."


def test_the_last_lines_of_its_log_show_no_values(tmp_path: Path) -> None:
    log = tmp_path / "broker.log"
    log.write_text("\n".join([*ECHOES, REASON, "\tat kafka.Kafka.main", ""]))
    assert embedded_node.last_lines(log) == f"    {REASON}"


def test_a_kafka_that_ends_at_once_names_the_variable_and_not_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", OPTIONS)
    broker = EmbeddedBroker(tmp_path)
    broker.log.write_text("\n".join([*ECHOES, REASON]))
    with subprocess.Popen(["false"]) as broker._process:
        broker._process.wait()
        monkeypatch.setattr(embedded, "AdminClient", lambda *_: None)
        with pytest.raises(SetupError, match="ended with code 1") as caught:
            broker._await_answer()
    assert REASON in caught.value.message
    assert "unset JAVA_TOOL_OPTIONS" in caught.value.hint
    assert SECRET not in caught.value.message + caught.value.hint
