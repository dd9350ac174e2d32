"""From text to typed value: blanks, spellings, numbers, dates; what a text does not denote exactly is NULL."""

import json
from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from support.reference_verdict import BLANK, Value
from support.validation import FOOD, SECOND, VISIT, verdicts
from surveylake.contract.model import Contract

FORM = Contract.model_validate({
    "name": "f", "title": "f", "topic": "f", "key": "who",
    "fields": {
        "who": {"source": "who", "type": "string", "required": True},
        "whole": {"source": "whole", "type": "integer"},
        "money": {"source": "money", "type": "decimal(6,2)"},
        "units": {"source": "units", "type": "decimal(4,0)"},
        "day": {"source": "day", "type": "date"},
        "agreed": {"source": "agreed", "type": "boolean"},
        "place": {"source": "place", "type": "string", "spellings": {"Côte d'Ivoire": ["Ivory Coast", "cote d'ivoire"]}},
    },
})  # fmt: skip
EMPTY = dict.fromkeys((field.source for field in FORM.fields.values()), "") | {"who": "w"}

CASES: list[tuple[str, object, Value, str | None]] = [
    ("whole", "24", 24, None),
    ("whole", 24, 24, None),
    ("whole", "-2147483648", -(1 << 31), None),
    ("whole", "-2147483649", None, "out_of_range"),
    ("whole", 9223372036854775808, None, "out_of_range"),
    ("whole", "0" * 40 + "7", 7, None),
    ("whole", "-0", 0, None),
    ("whole", "- 5", None, "not_a_number"),
    ("whole", "1,000", None, "not_a_number"),
    ("whole", "5 6", None, "not_a_number"),
    ("whole", "\x1c5", None, "not_a_number"),
    ("whole", "5\x7f", None, "not_a_number"),
    ("money", "12.5", Decimal("12.50"), None),
    ("money", 12.5, Decimal("12.50"), None),
    ("money", "+12.500", Decimal("12.50"), None),
    ("money", "-0.00", Decimal("0.00"), None),
    ("money", "12.505", None, "too_precise"),
    ("money", "9999.99", Decimal("9999.99"), None),
    ("money", "10000", None, "out_of_range"),
    ("money", ".5", None, "not_a_number"),
    ("money", "5.", None, "not_a_number"),
    ("money", "1,5", None, "not_a_number"),
    ("money", "12.502E50", None, "not_a_number"),
    ("units", "7.00", Decimal(7), None),
    ("units", "7.5", None, "too_precise"),
    ("day", "2024-02-29", date(2024, 2, 29), None),
    ("day", " 2024-02-29\u00a0", date(2024, 2, 29), None),
    ("day", "2023-02-29", None, "not_a_date"),
    ("day", "2024-2-9", None, "not_a_date"),
    ("day", "0000-01-01", None, "not_a_date"),
    ("day", "10000-01-01", None, "not_a_date"),
    ("day", "2024-02-29T00:00:00", None, "not_a_date"),
    ("day", 20240229, None, "not_a_date"),
    ("agreed", True, True, None),
    ("agreed", "FALSE", False, None),
    ("agreed", " true ", True, None),
    ("agreed", "yes", None, "not_a_boolean"),
    ("agreed", 1, None, "not_a_boolean"),
    ("place", "Ivory  Coast", "Côte d'Ivoire", None),
    ("place", "cote d'ivoire", "Côte d'Ivoire", None),
    ("place", "IVORY COAST", "IVORY COAST", None),
    ("place", 7, "7", None),
    ("place", 1.5, "1.5", None),
    ("place", None, None, None),
    ("place", " \u200b\ufeff ", None, None),
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(spark: SparkSession) -> list[tuple[Value, tuple[str, ...]]]:
    values = [json.dumps(EMPTY | {name: text}).encode() for name, text, _, _ in CASES]
    results = verdicts(spark, values, FORM)
    return [
        (verdict.row[name], verdict.failed_rules) for verdict, (name, *_) in zip(results, CASES, strict=True)
    ]


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{name} {text!r}" for name, text, _, _ in CASES])
def test_a_text_becomes_what_it_denotes(outcomes: list[tuple[Value, tuple[str, ...]]], index: int) -> None:
    name, _, expected, reason = CASES[index]
    value, why = outcomes[index]
    assert value == expected
    assert type(value) is type(expected)
    assert why == ((f"{reason}:{name}",) if reason else ())


def test_every_blank_alone_is_nothing_and_any_run_is_one_space(spark: SparkSession) -> None:
    blanks = sorted(BLANK)
    values = [json.dumps(EMPTY | {"place": blank}) for blank in blanks]
    values += [json.dumps(EMPTY | {"place": f"{blank}a{blank}{blank}b{blank}"}) for blank in blanks]
    results = [
        verdict.row["place"] for verdict in verdicts(spark, [value.encode() for value in values], FORM)
    ]
    assert results == [None] * len(blanks) + ["a b"] * len(blanks)


def test_what_only_looks_blank_is_kept(spark: SparkSession) -> None:
    others = ["\u2060", "\u00ad", "\x1f", "\u180e"]
    values = [json.dumps(EMPTY | {"place": text}).encode() for text in others]
    assert [verdict.row["place"] for verdict in verdicts(spark, values, FORM)] == others


def test_the_short_way_and_the_long_way_give_the_same_values(spark: SparkSession) -> None:
    """Compact, spaced, indented and reordered: one answer, one row."""
    backwards = dict(reversed(VISIT.items()))
    ways = [
        json.dumps(VISIT), json.dumps(VISIT, separators=(",", ":")), json.dumps(VISIT, indent=2), json.dumps(backwards),
        json.dumps(VISIT) + "\n",
    ]  # fmt: skip
    results = verdicts(spark, [way.encode() for way in ways], SECOND)
    assert results[0].accepted
    assert all(verdict == results[0] for verdict in results)


def test_cleaning_what_is_clean_changes_nothing(spark: SparkSession) -> None:
    names = [*FOOD.fields["nationality"].spellings, "Ürgüp", "A  B\u00a0C"]
    asked = [dict.fromkeys(FOOD.sources, "x") | {"Nationality": name} for name in names]
    once = [v.row["nationality"] for v in verdicts(spark, [json.dumps(a).encode() for a in asked])]
    again = [json.dumps(asked[i] | {"Nationality": once[i]}).encode() for i in range(len(names))]
    assert [v.row["nationality"] for v in verdicts(spark, again)] == once
    assert once[: len(names) - 1] == names[:-1]
