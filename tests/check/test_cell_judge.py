"""The judge of cells says what the second judge says of the same text in a record, for every type and thousands of texts.

Where Python and Java differ by themselves, Spark is asked too.
"""

import itertools
import json
import random

import pytest
from pyspark.sql import SparkSession

from support import reference_verdict
from support.fuzz_values import BLANKS, TEXTS
from support.validation import CODED, FOOD, MAX_BYTES, SECOND, TYPED, asking, one_question, reasons
from surveylake.check.cell_judge import CellJudge
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract

FIELDS = [
    pytest.param(contract, name, id=f"{contract.name}-{name}")
    for contract in (FOOD, SECOND, CODED, TYPED)
    for name in contract.fields
]

DIFFERENT = [
    ({"type": "double", "min": 0.3}, "0.3", ""),
    ({"type": "double", "max": 0.7}, "0.7", ""),
    ({"type": "double", "min": 0.3}, "0.29999999999999999", ""),  # the same double
    ({"type": "double", "min": 0.3}, "0.2999999999999999", "out_of_range"),
    ({"type": "double", "min": 2**53 + 1}, str(2**53), ""),
    ({"type": "double", "max": 2**53 + 1}, str(2**53 + 2), "out_of_range"),
    ({"type": "double", "max": 10**30}, "1e30", ""),
    ({"type": "decimal(20,0)", "max": 1e16}, "10000000000000001", ""),  # 1e+16 is a double in SQL
    ({"type": "decimal(20,0)", "max": 10**16}, "10000000000000001", "out_of_range"),
    ({"type": "decimal(6,5)", "min": 0.00002}, "0.00002", ""),
    ({"type": "decimal(6,5)", "min": 0.00002}, "0.00001", "out_of_range"),
    ({"type": "string", "pattern": r"^\w+$"}, "José", "pattern"),
    ({"type": "string", "pattern": r"^\W$"}, "é", ""),
    ({"type": "string", "pattern": r"^\d+$"}, "٣٤", "pattern"),
    ({"type": "string", "pattern": r"\s"}, "a\x1cb", "pattern"),
    ({"type": "string", "pattern": "(?i)É"}, "é", "pattern"),
    ({"type": "string", "pattern": "(?i)É"}, "É", ""),
    ({"type": "string", "pattern": "(?i)^[à-ü]$"}, "É", "pattern"),
    ({"type": "string", "pattern": "(?i)^s$"}, "\u017f", "pattern"),
    ({"type": "string", "pattern": "(?i)\u017f"}, "S", "pattern"),
    ({"type": "string", "pattern": "(?i)^[a-z]$"}, "\u212a", "pattern"),
    ({"type": "string", "pattern": "(?i)\u212a"}, "k", "pattern"),
    ({"type": "string", "pattern": "(?i)^[k]$"}, "K", ""),
    ({"type": "string", "pattern": "(?i)i"}, "İ", "pattern"),
]
"""What Python alone would judge otherwise, or nearly: a field, a text, and the reason against it or ''.

Not \\b beside letters beyond ASCII: Java 17 and 21 differ there.
"""


def by_the_second_judge(text: str, contract: Contract, field: SurveyField) -> str:
    """The reason against the text as the field's answer; '' for none."""
    record = dict.fromkeys(contract.sources, "") | {field.source: text}
    rules = {name: lambda row: True for name in contract.rules}
    verdict = reference_verdict.verdict(json.dumps(record).encode(), contract, MAX_BYTES, rules)
    blanked = verdict.row.get("blanked") or []
    assert isinstance(blanked, list)
    reasons = [
        reason for reason in (*verdict.failed_rules, *blanked) if reason.partition(":")[2] == field.source
    ]
    return reasons[0].partition(":")[0] if reasons else ""


def texts_of(field: SurveyField) -> list[str]:
    """The texts of the fuzz, those of the contract, each also with blanks, cut or joined."""
    draw = random.Random(field.source)
    own = [*field.allowed, *field.written_as, *itertools.chain(*field.spellings.values())]
    plain = [text for text in [*TEXTS, *own] if "\0" not in text]
    damaged = [draw.choice(BLANKS) + text + draw.choice(BLANKS) for text in plain]
    damaged += [text[:-1] for text in plain] + [text.swapcase() for text in plain]
    joined = [field.between.join(draw.sample(plain, draw.randint(2, 3))) for _ in range(200)]
    dated = [
        f"{draw.randint(0, 13)}/{draw.randint(0, 32)}/{draw.choice(['2024', '1999', '24', '0000'])} {draw.randint(0, 25)}:{draw.randint(0, 61):02}:{draw.randint(0, 61):02}"
        for _ in range(200)
    ]
    return [*plain, *damaged, *joined, *dated]


@pytest.mark.parametrize(("contract", "name"), FIELDS)
def test_both_judges_agree(contract: Contract, name: str) -> None:
    field = contract.fields[name]
    judge = CellJudge(field)
    differ = {
        text: (judge.judged(text)[1], said)
        for text in texts_of(field)
        if judge.judged(text)[1] != (said := by_the_second_judge(text, contract, field))
    }
    assert not differ


@pytest.mark.parametrize(("asked", "text", "reason"), DIFFERENT, ids=str)
def test_numbers_and_letters_are_compared_as_spark_compares(
    asked: dict[str, object], text: str, reason: str
) -> None:
    contract = one_question(**asked)
    field = contract.fields["asked"]
    assert CellJudge(field).judged(text)[1] == reason
    assert by_the_second_judge(text, contract, field) == reason


def test_spark_does_compare_so(spark: SparkSession) -> None:
    fields = {
        f"q{at}": SurveyField.model_validate({"source": f"Q{at}", **asked})
        for at, (asked, _, _) in enumerate(DIFFERENT)
    }
    record = {"id": "P1", **{f"Q{at}": text for at, (_, text, _) in enumerate(DIFFERENT)}}
    found = reasons(spark, json.dumps(record).encode(), contract=asking(**fields))
    assert found == [[f"{reason}:Q{at}" for at, (_, _, reason) in enumerate(DIFFERENT) if reason]]


def test_the_texts_have_most_reasons() -> None:
    reasons = {
        CellJudge(field).judged(text)[1]
        for contract in (FOOD, SECOND, CODED, TYPED)
        for field in contract.fields.values()
        for text in texts_of(field)
    }
    assert reasons >= {
        "", "blank", "not_a_number", "not_a_date", "not_a_timestamp", "not_a_boolean", "too_precise", "out_of_range", "not_allowed", "pattern",
    }  # fmt: skip


def test_a_person_is_who_the_value_says() -> None:
    judge = CellJudge(SurveyField(source="id", type="integer", required=True))
    assert judge.judged("7")[0] == judge.judged(" 007 ")[0] == 7
