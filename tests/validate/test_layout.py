"""Other writers' layouts: each is learned from a few messages, taken without parsing, and judged as the reference judges."""

import json
import random
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession

from support.fuzz_values import written_by_chance
from support.message_cases import CASES
from support.reference_verdict import verdict
from support.validation import (
    ANSWER,
    CODED,
    CODES,
    FOOD,
    MAX_BYTES,
    TYPED,
    TYPED_RULES,
    TYPES,
    kafka_rows,
    one_question,
    verdicts,
)
from surveylake.contract.model import Contract
from surveylake.validate import fast_path
from surveylake.validate.layout import COMPACT, SPACED, Layout, canonical, fits, learned

Answer = dict[str, object]
ACCENTS = "São-tomense"


def turned(answer: Answer) -> bytes:
    return json.dumps(dict(reversed(answer.items()))).encode()


def framed(answer: Answer) -> bytes:
    around = {"session": "a1-b2", "at": "2024-05-04T10:11:12Z"}
    return json.dumps(
        {**around, **answer, "score": 1.5, "meta": {"v": [1, 2], "by": "x: y"}}, separators=(",", ":")
    ).encode()


def own(answer: Answer) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()


def airy(answer: Answer) -> bytes:
    return json.dumps(answer, indent=2).encode()


def escaped(answer: Answer) -> bytes:
    return json.dumps(answer).encode()


def one_sided(answer: Answer) -> bytes:
    return json.dumps(answer, separators=(", ", ":")).encode()


WRITERS: list[Callable[[Answer], bytes]] = [turned, framed, airy, escaped, one_sided]


def layout_of(writer: Callable[[Answer], bytes], answer: Answer, contract: Contract) -> Layout:
    return learned([writer({**answer, first(contract): f"{ACCENTS} {n}"}) for n in range(3)], contract)


def first(contract: Contract) -> str:
    return contract.fields[contract.key].source


def taken(spark: SparkSession, contract: Contract, layout: Layout, *values: bytes) -> list[bool]:
    """Which of the values go the fast way."""
    rows, _ = fast_path.with_plain_fields(kafka_rows(spark, values), contract, MAX_BYTES, layout)
    return [row["~plain"] for row in rows.orderBy("offset").collect()]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
def test_a_writers_values_are_taken_without_parsing(
    spark: SparkSession, writer: Callable[[Answer], bytes]
) -> None:
    answers: list[Answer] = [
        ANSWER | {"Nationality": "Martian"},
        ANSWER | {"Age": 24},
        ANSWER | {"Nationality": ""},
    ]
    answers += [ANSWER | {"Nationality": ACCENTS}, ANSWER | {"Participant_ID": "Zoë 'O' / \u4e2d"}]
    layout = layout_of(writer, ANSWER, FOOD)
    values = [writer(answer) for answer in answers]
    assert taken(spark, FOOD, layout, *values) == [True] * len(values)
    found = verdicts(spark, values, FOOD, layout=layout)
    assert [one.row["nationality"] for one in found][-2:] == [ACCENTS, "Indian"]
    assert [one.row["participant_id"] for one in found][-1] == "Zoë 'O' / \u4e2d"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("contract", "answer"),
    [(FOOD, ANSWER), (CODED, CODES), (TYPED, TYPES)],
    ids=lambda part: getattr(part, "name", ""),
)
def test_every_layout_gives_the_reference_verdict(
    spark: SparkSession, contract: Contract, answer: dict[str, str]
) -> None:
    rules = TYPED_RULES if contract is TYPED else {}
    for writer in WRITERS:
        layout = layout_of(writer, answer, contract)
        assert layout != canonical(contract)
        values = [*changed(writer, answer, 250), *written_by_chance(contract, answer, 150, seed=3)]
        for value, engine in zip(values, verdicts(spark, values, contract, layout=layout), strict=True):
            assert engine == verdict(value, contract, MAX_BYTES, rules), value


def changed(writer: Callable[[Answer], bytes], answer: dict[str, str], count: int) -> Iterator[bytes]:
    """A writer's values with one character taken out, put in or changed; the same for the same writer."""
    rng = random.Random(writer.__name__)
    texts = [
        *answer.values(),
        ACCENTS,
        "",
        24,
        None,
        True,
        1.5,
        "a: b",
        "a  b",
        "e\u0301",
        "x\u00a0",
        "\u2028",
        "😀",
        "9",
        "NA",
    ]
    strange = [
        '"',
        "\\",
        ":",
        " ",
        ",",
        "{",
        "}",
        "\x01",
        "\x7f",
        "é",
        "0",
        "\u0085",
        "\u00a0",
        "\\u00e9",
        "\\n",
        "\\ud83d",
        "\\u0000",
        "\\/",
    ]
    for number in range(count):
        value = writer({**answer, rng.choice([*answer]): rng.choice(texts)})
        if number % 3:
            text = value.decode()
            at = rng.randrange(len(text))
            value = (text[:at] + rng.choice(strange) + text[at + rng.choice([0, 1]) :]).encode()
        yield value if number % 29 else value[:-3] + b"\xe9" + value[-3:]


def test_a_topic_of_others_values_is_taken_as_our_producer_writes() -> None:
    assert learned([], FOOD) == canonical(FOOD)
    assert learned([b"", b"{", b"[1]", b"\xff", b'{"a":1}', b'{"a": 1,  "b" :2}'], FOOD) == canonical(FOOD)
    doubled = json.dumps(ANSWER)[:-1].encode() + b', "Age": "24"}'
    assert learned([doubled], FOOD) == canonical(FOOD)


def test_no_message_stops_the_learning() -> None:
    absurd = [
        b'{"a":1,[1]:2}',
        b'{"a":1,2:3}',
        b'{"a":1,null:3}',
        b'{"a":1,{}:3}',
        b"{1:2}",
        b'{"a":' + b"9" * 100_000 + b"}",
    ]
    deep = [b'{"a":' + opening * 100_000 for opening in (b"[", b'{"a":')]
    damaged = changed(escaped, ANSWER, 2_000)
    for value in (*absurd, *deep, *damaged, *(case.value for case in CASES if case.value is not None)):
        layout = learned([value], FOOD)
        assert fits(value, layout) or layout == canonical(FOOD)
        fits(value, canonical(FOOD))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "member",
    [
        '"meta": {"score": NaN}', '"meta": [-Infinity]', r'"x": "a\ud83d"', r'"x": ["a\u0000b"]', r'"\ud83d": 1', r'"\u0000": 1',
        '"x": [' + "{}," * 200 + "{}]", '"x": [' + "9" * 1001 + "]", '"x": [0.' + "9" * 1001 + "]", '"x": {"a": 1, "a": 1}',
    ],
    ids=lambda member: member[:20],
)  # fmt: skip
def test_what_strict_json_refuses_is_no_text_of_a_layout(spark: SparkSession, member: str) -> None:
    """A text that every message has is compared, and never parsed."""
    value = f"{json.dumps(ANSWER)[:-1]}, {member}}}".encode()
    layout = learned([value] * 5, FOOD)
    assert layout == canonical(FOOD)
    assert verdicts(spark, [value], layout=layout) == [verdict(value, FOOD, MAX_BYTES)]


@pytest.mark.usefixtures("way")
def test_bytes_that_are_no_utf8_are_none_of_the_layouts_texts(spark: SparkSession) -> None:
    """Java reads such bytes as U+FFFD, which a survey's own texts may have."""
    odd = "Caf\ufffd"
    contract = one_question(source=odd, type="string", allowed=[odd, "tea"])
    for extra in ({}, {odd * 2: "x"}, {"meta": [odd]}):
        answers = [{"id": "P1", odd: odd, **extra}, {"id": "P1", odd: "tea", **extra}]
        good = [json.dumps(answer, ensure_ascii=False).encode() for answer in answers]
        layout = learned([good[1]] * 3, contract)
        broken = [value.replace("\ufffd".encode(), b"\xe9", 1) for value in good]
        broken += [value[::-1].replace("\ufffd".encode()[::-1], b"\xe9", 1)[::-1] for value in good]
        values = [*good, *broken]
        found = verdicts(spark, values, contract, layout=layout)
        assert found == [verdict(value, contract, MAX_BYTES) for value in values]
        assert [result.accepted for result in found] == [True, True, False, False, False, False]


def test_most_of_the_messages_decide() -> None:
    layout = learned([turned(ANSWER), escaped(ANSWER), turned(ANSWER), b"{}"], FOOD)
    assert [member.name for member in layout.members] == [f'"{source}"' for source in reversed(FOOD.sources)]


def test_a_layout_has_the_spacings_that_many_messages_have() -> None:
    spaced, compact = json.dumps(ANSWER).encode(), json.dumps(ANSWER, separators=(",", ":")).encode()
    assert learned([spaced] * 9, FOOD).gaps == (SPACED,)
    assert learned([compact] * 9 + [spaced], FOOD).gaps == (COMPACT,)
    assert set(learned([compact] * 6 + [spaced] * 4, FOOD).gaps) == {SPACED, COMPACT}


def test_a_value_fits_the_layout_that_was_learned_from_its_like() -> None:
    for writer in WRITERS:
        layout = layout_of(writer, ANSWER, FOOD)
        assert fits(writer(ANSWER | {"Age": 31, "Participant_ID": ACCENTS}), layout)
        others = [other(ANSWER | {"Participant_ID": ACCENTS}) for other in WRITERS if other is not writer]
        assert not any(fits(value, layout) for value in (*others, b"", b"[]"))


@pytest.mark.usefixtures("way")
def test_a_layout_may_lack_a_field_that_a_record_may_lack(spark: SparkSession) -> None:
    def short(answer: Answer) -> bytes:
        return json.dumps(
            {name: text for name, text in answer.items() if name not in ("born", "news web")}
        ).encode()

    layout = layout_of(short, TYPES, TYPED)
    assert len(layout.members) == len(TYPED.fields) - 2
    values = [short(TYPES), short(TYPES | {"sex": "2"}), *changed(short, TYPES, 100)]
    assert taken(spark, TYPED, layout, *values[:2]) == [True, True]
    for value, engine in zip(values, verdicts(spark, values, TYPED, layout=layout), strict=True):
        assert engine == verdict(value, TYPED, MAX_BYTES, TYPED_RULES), value
    misspelt = json.dumps({**json.loads(short(TYPES)), "Born": "07 Jun 99"}).encode()
    assert learned([misspelt], TYPED) == canonical(TYPED)
    assert verdict(misspelt, TYPED, MAX_BYTES, TYPED_RULES).failed_rules == (
        "missing_field:born",
        "wrong_case:born",
    )


def many_questions(fields: int) -> Contract:
    """Return a contract of an id, texts, whole numbers and closed lists in turn."""
    kinds = (
        {"type": "string"},
        {"type": "integer", "min": 0, "max": 1000},
        {"type": "string", "allowed": ["No", "Yes"]},
    )
    questions = {f"q{n}": {"source": f"Q{n}", **kinds[n % len(kinds)]} for n in range(1, fields)}
    key = {"id": {"source": "id", "type": "string", "required": True}}
    values = {"name": "wide", "title": "Wide", "topic": "wide", "key": "id", "fields": key | questions}
    return Contract.model_validate(values)


@pytest.mark.parametrize("fields", [20, 40, 60, 200])
def test_a_survey_of_many_questions_is_judged_alike(spark: SparkSession, fields: int) -> None:
    contract = many_questions(fields)
    good = {"id": "P1", **{f"Q{n}": ("tea", "31", "Yes")[n % 3] for n in range(1, fields)}}
    values = [own(good), own(good | {"Q2": "Maybe"}), own(good | {"Q4": "1001"}), *changed(own, good, 40)]
    fallback = spark.conf.get("spark.sql.codegen.fallback")
    spark.conf.set("spark.sql.codegen.fallback", "false")  # code that is too long for Java is an error
    try:
        assert taken(spark, contract, canonical(contract), values[0]) == [True]
        for value, engine in zip(values, verdicts(spark, values, contract), strict=True):
            assert engine == verdict(value, contract, MAX_BYTES), value
    finally:
        spark.conf.set("spark.sql.codegen.fallback", fallback)


def test_other_members_are_no_layout_where_the_contract_rejects_them() -> None:
    strict = FOOD.model_copy(update={"unknown_fields": "reject"})
    assert learned([framed(ANSWER)], strict) == canonical(strict)
