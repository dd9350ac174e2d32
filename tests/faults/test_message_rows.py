"""G: messages of every kind in one topic, good ones between them, read in one run by the stream and by the printable query."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Producer
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
from faults import readers
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row
from support.fuzz_values import check
from support.message_cases import CASES, GOOD, Case, answer
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from support.validation import ANSWER, FOOD, SECOND, VISIT
from surveylake.aggregate.analysis import Published
from surveylake.export.csv_files import csv_cell
from surveylake.wording import printable

FUZZED = 100_000
LARGEST = {"message.max.bytes": 2_000_000}
HEADERS = [(f"h{n}", b"x" * 20) for n in range(1_000)]
KEYS = {"null": None, "not text": b"\xff\x00\xfe", "10 kB": b"k" * 10_000}
Held = dict[str, Any]
"""A row of a table, column -> value."""
PLACES = list(zip(range(1, 2 * len(CASES), 2), CASES, strict=True))
"""Offset and case: before each stands a good answer."""
LAST = 2 * len(CASES)
"""The offset of the first of the records with odd keys, which follow the cases; then one with many headers, one of another person."""


@dataclass
class Mail:
    """One topic of messages, and what the two made of it: offset -> row."""

    env: SurveyEnv
    ours: dict[int, Held]
    plain_query: dict[int, Held]


@pytest.fixture(scope="module")
def mail(broker: str, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    folder = tmp_path_factory.mktemp("mail")
    env, ledger = SurveyEnv("mail", broker, folder, partitions=1), Ledger(folder / "acks.jsonl")
    ledger.send(broker, "mail", [value for case in CASES for value in (GOOD, case.value)], **LARGEST)
    producer = Producer({"bootstrap.servers": broker})
    for key in KEYS.values():
        producer.produce("mail", GOOD, key)
    producer.produce("mail", GOOD, headers=HEADERS)
    producer.produce("mail", answer(Participant_ID="FPS013", Nationality="INDIAN"))
    assert producer.flush(30) == 0
    env.take()
    other = PlainQuery(spark, folder / "stock", broker, "mail")
    assert other.run().error == ""
    assert readers.missing(ledger, env.lake) == []
    yield Mail(env, _by_offset(env.lake, "records"), _by_offset(folder / "stock", "table"))


def _by_offset(folder: Any, table: str) -> dict[int, Held]:
    rows = DeltaTable(folder / table).to_pyarrow_table().to_pylist()
    assert len(rows) == LAST + len(KEYS) + 2, "a message is missing or double"
    return {row["offset"]: row for row in rows}


def of(mark: pytest.MarkDecorator) -> Any:
    """The cases of the row that is marked, as a parameter."""
    cases = [(place, case) for place, case in PLACES if case.row == mark.args[0]]
    return pytest.param(cases, id=mark.args[0], marks=mark)


@pytest.mark.quick
@pytest.mark.parametrize(
    "cases",
    [
        of(pytest.mark.fault("G1", injected="not JSON, truncated, array, scalar, null, leading zero, comment, byte order mark", expected="malformed or not_an_object", stock=True)),
        of(pytest.mark.fault("G2", injected="two documents in one value; text after the document", expected="trailing_data; white space is accepted", stock=True)),
        of(pytest.mark.fault("G3", injected="a key twice, alike, different or escaped", expected="duplicate_key", stock=True)),
        of(pytest.mark.fault("G4", injected="a missing key, a key in another case, {}", expected="missing_field by name, with wrong_case as a hint", stock=True)),
        of(pytest.mark.fault("G5", injected="fields that the contract does not have", expected="accepted; the raw value keeps them", stock=True)),
        of(pytest.mark.fault("G6", injected="object, list or boolean where a text or number is due", expected="wrong_type by name", stock=True)),
        of(pytest.mark.fault("G7", injected="single quotes, NaN, Infinity", expected="malformed", stock=True)),
        of(pytest.mark.fault("G8", injected="empty, blank and null payload", expected="empty_payload, tombstone", stock=True)),
        of(pytest.mark.fault("G9", injected="invalid UTF-8, UTF-16, NUL, half a surrogate pair", expected="bad_encoding; the bytes are kept", stock=True)),
        of(pytest.mark.fault("G10", injected="age as ' 24 ', '+5', '24.0', '1e2', '２４', '', '2147483648', 'NaN', '0x10' …", expected="the number, or not_a_number, out_of_range, blank, wrong_type", stock=True)),
        of(pytest.mark.fault("G11", injected="age -1, 0, 300", expected="out_of_range, the row and its age kept", stock=True)),
        of(pytest.mark.fault("G12", injected="the same participant again with other answers", expected="both records kept; `responses` has the one with the highest offset")),
        of(pytest.mark.fault("G13", injected="nationality and gender in other spellings", expected="declared spellings become one name, others stay and are listed")),
        of(pytest.mark.fault("G14", injected="age as a number and as a text", expected="both accepted, one value", stock=True)),
        of(pytest.mark.fault("G15", injected="a field of 1 MB, 10,000 fields, 1,200 levels", expected="too_large", stock=True)),
        of(pytest.mark.fault("G16", injected="formulas, HTML, shell, paths, templates, direction marks, terminal escapes", expected="stored as written, made safe wherever they are shown")),
    ],
)  # fmt: skip
def test_exactly_the_bad_ones_are_rejected_each_with_its_reason(
    mail: Mail, cases: list[tuple[int, Case]], row: Row
) -> None:
    assert cases
    for place, case in cases:
        held = mail.ours[place]
        assert (case.what, held["failed_rules"]) == (case.what, case.reasons)
        assert held["accepted"] is not bool(case.reasons)
        assert held["value"] == case.value
        assert [held[name] for name, _ in case.fields] == [value for _, value in case.fields]
        assert mail.ours[place - 1]["accepted"], f"the good answer before '{case.what}'"
    row.observed(_told(held["failed_rules"] for held in (mail.ours[place] for place, _ in cases)))
    row.plain_query(_told_of_stock(mail, cases))


def _told(reasons: Iterator[list[str]]) -> str:
    """`7 rejected: malformed 5, not_an_object 2; 1 accepted`."""
    found = list(reasons)
    counted = Counter(reason.partition(":")[0] for one in found for reason in set(one))
    why = ", ".join(f"{reason} {count}" for reason, count in sorted(counted.items()))
    accepted = sum(not one for one in found)
    rejected = f"{len(found) - accepted} rejected: {why}" if counted else ""
    return "; ".join(part for part in (rejected, f"{accepted} accepted" if accepted else "") if part)


def _told_of_stock(mail: Mail, cases: list[tuple[int, Case]]) -> str:
    """What the printable query made of the messages that we reject, and of the others."""
    said = []
    for name, some in (("bad", True), ("good", False)):
        kinds = Counter(_made_of(mail, place) for place, case in cases if bool(case.reasons) is some)
        told = "; ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        said += [f"{kinds.total()} {name}: {told}"] if kinds else []
    return ". ".join(said)


def _made_of(mail: Mail, place: int) -> str:
    """What the printable query's row is, compared with the row it makes of a good answer."""
    fields = [name for name in mail.stock[place] if name in ANSWER]
    good, held = mail.stock[place - 1], mail.stock[place]
    if all(held[name] is None for name in fields):
        return "a row of NULLs, not flagged"
    other = [name for name in fields if held[name] != good[name]]
    nulls = [name for name in other if held[name] is None]
    if not other:
        return "taken like a good answer"
    return f"taken, {' and '.join(nulls)} NULL" if nulls == other else f"taken with another {other[0]}"


@pytest.mark.quick
def test_what_the_lake_holds_is_what_a_plain_consumer_is_given(mail: Mail) -> None:
    readers.same_as_topic(mail.env.lake, mail.env.bootstrap, "mail")
    readers.sound(mail.env.lake, "mail")


@pytest.mark.quick
@pytest.mark.fault(
    "G14", injected="age as a number and as a text", expected="both accepted, one value", stock=True
)
def test_a_quoted_number_is_the_same_number(mail: Mail, row: Row) -> None:
    ages = {
        case.what: (mail.ours[place]["age"], mail.stock[place]["Age"])
        for place, case in PLACES
        if case.row == "G14"
    }
    assert ages == {"a number as a number": (24, 24), "a number as a text": (24, None)}
    row.observed("24 and '24' are both age 24")
    row.plain_query("Age int: 24 is 24, '24' is NULL in every good answer of this survey")


@pytest.mark.quick
@pytest.mark.fault(
    "G17",
    injected="key null, not text, of 10 kB; a record with 1,000 headers",
    expected="kept and accepted",
)
def test_odd_keys_and_many_headers_do_no_harm(mail: Mail, row: Row) -> None:
    found = [mail.ours[place] for place in range(LAST, LAST + len(KEYS) + 1)]
    assert [held["accepted"] for held in found] == [True] * 4
    assert [held["key"] for held in found] == [None, "\ufffd\x00\ufffd", "k" * 10_000, None]
    row.observed("4 accepted, each with its key as text")


@pytest.mark.quick
@pytest.mark.fault(
    "G16",
    injected="formulas, HTML, shell, paths, templates, direction marks, terminal escapes",
    expected="stored as written, made safe wherever they are shown",
)
def test_hostile_texts_do_nothing_in_a_csv_or_on_a_terminal(mail: Mail, row: Row) -> None:
    texts = [mail.ours[place]["nationality"] for place, case in PLACES if case.row == "G16"]
    for text in texts:
        assert csv_cell(text).removeprefix('"')[0] not in "=+-@\t\r\n"
        assert not set(printable(text)) & {"\x1b", "\u202e"}
    row.observed(f"{len(texts)} texts neutral as CSV cells and on the terminal")


@pytest.fixture(scope="module")
def published(mail: Mail) -> Published:
    return aggregate.aggregate(OPEN, str(mail.env.lake), mail.env.config, mail.env.contract)


@pytest.mark.fault(
    "G12",
    injected="the same participant again with other answers",
    expected="both records kept; `responses` has the one with the highest offset",
)
def test_a_participant_has_one_response(mail: Mail, published: Published, row: Row) -> None:
    accepted = {
        held["participant_id"]: place for place, held in sorted(mail.ours.items()) if held["accepted"]
    }
    assert (
        dict(readers.query(mail.env.lake, 'SELECT participant_id, "offset" FROM t', "responses")) == accepted
    )
    assert published.findings.responses == len(accepted)
    row.observed("one response for each participant: of the accepted records the one with the highest offset")


@pytest.mark.fault(
    "G13",
    injected="nationality and gender in other spellings",
    expected="declared spellings become one name, others stay and are listed",
)
def test_an_undeclared_spelling_is_listed(published: Published, row: Row) -> None:
    assert "INDIAN" in published.findings.unmapped["nationality"]
    assert "Malaysian" not in published.findings.unmapped["nationality"]
    row.observed("the undeclared spelling is in the report's list")


@pytest.mark.slow
@pytest.mark.fault(
    "G18",
    injected=f"{FUZZED:,} fuzzed values for two contracts",
    expected="the engine's verdict is that of an independent judge, value by value",
)
def test_engine_and_reference_agree_on_very_many_values(spark: SparkSession, row: Row) -> None:
    for contract, sound in ((FOOD, ANSWER), (SECOND, VISIT)):
        check(spark, contract, sound, FUZZED // 2, seed=4)
    row.observed(f"{FUZZED:,} values, no verdict differs")
