"""B16, B15: values that other programs wrote get a reason that says what they look like."""

import gzip
import io
import json
import zlib
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import export
import replay
import verify
from support import pets_survey
from support.foreign_values import AVRO, AVRO_FILE, LZ4, PLAIN, PROTOBUF, REGISTRY, ZSTD
from support.reference_verdict import verdict
from support.sessions import OPEN
from support.validation import ANSWER, FOOD, MAX_BYTES, reasons, verdicts
from surveylake import formats
from surveylake.contract.model import Contract
from surveylake.export.reason_text import ALONE, in_words
from surveylake.lake.tables import RECORDS
from surveylake.validate import strict_json
from surveylake.validate.strict_json import steps

KNOWN = [
    (REGISTRY + AVRO, "schema_registry"),
    (REGISTRY + b"\0" + PROTOBUF, "schema_registry"),
    (REGISTRY + PLAIN, "schema_registry"),
    (b"\0\0\x01\x86\xa1" + PLAIN, "schema_registry"),
    (b"\0" + b"\0" * 8 + PLAIN, "schema_registry"),
    (AVRO_FILE, "avro_file"),
    (AVRO_FILE + b"\xff" * 20, "avro_file"),
    (gzip.compress(PLAIN), "compressed"),
    (ZSTD + PLAIN, "compressed"),
    (LZ4 + PLAIN, "compressed"),
    (b"\xfd7zXZ\0" + PLAIN, "compressed"),
    (b"PK\x03\x04\x14\0" + PLAIN, "compressed"),
    (b"\xff\x06\0\0sNaPpY" + PLAIN, "compressed"),
    (b"\x82SNAPPY\0" + PLAIN, "compressed"),
    (gzip.compress(PLAIN) + b"\0" * MAX_BYTES, "compressed"),
    (json.dumps(PLAIN.decode()).encode(), "encoded_twice"),
    (json.dumps(json.dumps(ANSWER, indent=2)).encode(), "encoded_twice"),
    (b'"' + PLAIN.replace(b'"', b"\\u0022") + b'"', "encoded_twice"),
]
UNSURE = [
    ((7).to_bytes(8, "big"), "bad_encoding"),  # a whole number, and no registry's record
    (b"\0\0\0\0\0", "bad_encoding"),
    (AVRO, "malformed"),
    (PROTOBUF, "malformed"),
    (PLAIN.decode().encode("utf-16-le"), "bad_encoding"),
    (PLAIN.decode().encode("utf-16-be"), "bad_encoding"),
    (PLAIN.decode().encode("utf-16"), "bad_encoding"),
    (zlib.compress(PLAIN), "bad_encoding"),
    (b"FPS001,Female,Indian,24", "malformed"),
    (b"<answer/>", "malformed"),
    (b'"{text}"', "not_an_object"),
    (b'"a text"', "not_an_object"),
    (b"Object", "malformed"),
]  # fmt: skip


@pytest.fixture(scope="module")
def reasons_by_value(spark: SparkSession) -> dict[bytes, list[str]]:
    """Value -> the engine's reasons; between any two stands a good answer, which is seen to be accepted."""
    values = [value for value, _ in KNOWN + UNSURE]
    results = reasons(spark, *(value for pair in values for value in (PLAIN, pair)))
    assert results[::2] == [[]] * len(values)
    return dict(zip(values, results[1::2], strict=True))


@pytest.mark.parametrize(
    "at", range(len(KNOWN)), ids=[f"{reason} {i}" for i, (_, reason) in enumerate(KNOWN)]
)
def test_b16_where_the_first_bytes_decide_the_reason_says_what_it_is(
    reasons_by_value: dict[bytes, list[str]], at: int
) -> None:
    value, reason = KNOWN[at]
    assert reasons_by_value[value] == [reason]
    assert verdict(value, FOOD, MAX_BYTES).failed_rules == (reason,)


@pytest.mark.parametrize("at", range(len(UNSURE)))
def test_b16_where_they_do_not_decide_the_reason_stays(
    reasons_by_value: dict[bytes, list[str]], at: int
) -> None:
    value, reason = UNSURE[at]
    assert reasons_by_value[value] == [reason]
    assert verdict(value, FOOD, MAX_BYTES).failed_rules == (reason,)


def test_b16_the_reasons_are_said_in_words() -> None:
    for reason in ("schema_registry", "avro_file", "compressed", "encoded_twice"):
        assert in_words(reason, FOOD) == ALONE[reason]


def test_b16_every_mark_that_is_listed_is_looked_for(spark: SparkSession) -> None:
    values = [mark + b" and more" for mark in formats.COMPRESSED]
    assert reasons(spark, *values) == [["compressed"]] * len(values)


def test_b16_no_json_begins_with_any_of_the_marks() -> None:
    """So a value that is good is never looked at for them: they are asked after it has failed."""
    for mark in (formats.REGISTRY, formats.AVRO_FILE, *formats.COMPRESSED):
        assert mark[:1] not in b' \t\r\n{["-0123456789tfn'


def test_b16_a_wide_survey_gets_the_same_reasons(spark: SparkSession) -> None:
    """Its parsed way is too long to be generated, and is interpreted."""
    fields = {f"f{i}": {"source": f"F{i}", "type": "string"} for i in range(30)}
    key = {"who": {"source": "Who", "type": "string", "required": True}}
    wide = Contract.model_validate(
        {"name": "w", "title": "w", "topic": "w", "key": "who", "fields": key | fields}
    )
    results = verdicts(spark, [value for value, _ in KNOWN], wide)
    assert [result.failed_rules for result in results] == [(reason,) for _, reason in KNOWN]


def test_b16_the_bytes_are_asked_for_only_where_the_value_failed() -> None:
    """In the gate's SQL the marks stand behind the test for a value that was not parsed."""
    broken = steps(MAX_BYTES)["~broken"]
    assert broken.startswith("CASE WHEN `~json` IS NULL THEN coalesce(CASE WHEN startswith(value")
    assert all(
        "startswith(value, X'" not in step for name, step in steps(MAX_BYTES).items() if name != "~broken"
    )


@pytest.mark.parametrize(
    ("start", "name"),
    [
        ("Who,Tea\na,b\n".encode("utf-16"), "UTF-16"),
        ("Who,Tea\na,b\n".encode("utf-16-le"), "UTF-16"),
        ("Who,Tea\na,b\n".encode("utf-16-be"), "UTF-16"),
        ('{"é": 1}'.encode("utf-16-le"), "UTF-16"),
        ("Who,Tea\na,b\n".encode("utf-32"), "UTF-32"),
        ("Who,Tea\na,b\n".encode("utf-32-be"), "UTF-32"),
        (b"Who,Tea", ""),
        ("Тест,чай".encode(), ""),
        (b"\0\0\0\0", ""),
        (b"", ""),
        (b"a", ""),
    ],
)
def test_b15_a_text_of_wide_letters_is_known_with_and_without_a_mark(start: bytes, name: str) -> None:
    assert formats.wide_text(start) == name


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_b15_the_encoding_of_wide_letters_is_one_that_reads_them(encoding: str) -> None:
    start = "Who,Tea\na,é\n".encode(encoding)
    assert formats.wide_encoding(start) == encoding
    assert io.TextIOWrapper(io.BytesIO(start), encoding=encoding).read() == "Who,Tea\na,é\n"


def test_b16_a_lake_that_was_judged_before_is_proved_and_replay_gives_it_the_new_reasons(
    spark: SparkSession,
    broker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Verdicts are data: nothing that `verify` compares is judged again."""
    lake, settings, survey = (
        tmp_path / "lake",
        pets_survey.config(broker, 1),
        pets_survey.contract(tmp_path, "foreign"),
    )
    arguments = ["--lake", str(lake), "--survey", str(tmp_path / "foreign.toml")]
    pets_survey.send(settings, "foreign", [pets_survey.answer(who) for who in "abcde"])
    pets_survey.send(
        settings, "foreign", [REGISTRY + PLAIN, gzip.compress(PLAIN), json.dumps(PLAIN.decode()).encode()]
    )
    with monkeypatch.context() as before:
        before.setattr(strict_json, "_foreign", lambda: "CAST(NULL AS string)")
        before.setattr(strict_json, "_no_object", lambda: "'not_an_object'")
        pets_survey.take_in(lake, settings, survey)
    aggregate.aggregate(OPEN, str(lake), settings, survey)
    assert export.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert verify.main([*arguments, "--bootstrap", broker, "--out", str(tmp_path / "out")]) == 0
    assert rejected(lake) == ["bad_encoding", "bad_encoding", "not_an_object"]
    pets_survey.send(settings, "foreign", [REGISTRY + PLAIN])
    pets_survey.take_in(lake, settings, survey)
    assert verify.main([*arguments, "--bootstrap", broker]) == 0
    assert replay.main(arguments) == 0
    assert "bad_encoding -> compressed" in capsys.readouterr().out
    assert rejected(lake) == ["schema_registry", "compressed", "encoded_twice", "schema_registry"]
    assert verify.main([*arguments, "--bootstrap", broker]) == 0


def rejected(lake: Path) -> list[str]:
    """The reasons of the records that were not accepted, by offset."""
    rows = DeltaTable(str(lake / RECORDS)).to_pyarrow_table().to_pylist()
    return [
        ", ".join(row["failed_rules"])
        for row in sorted(rows, key=lambda row: row["offset"])
        if not row["accepted"]
    ]
