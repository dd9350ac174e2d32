"""A record that fits the schema is accepted, and what produce.py sends fits it."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from support.fuzz_values import TEXTS
from support.made_contracts import made_contract
from support.reference_verdict import verdict
from support.standards import CONTRACTS
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.produce.generator import Plan, records
from surveylake.standards.record_schema import record_schema

MAX_BYTES = 65_536
NUMBERS = [
    0,
    1,
    2,
    5,
    99,
    -1,
    24,
    110,
    111,
    2**31,
    0.5,
    12.25,
    12.505,
    4999.99,
    5000.01,
    1e10,
    0.07,
    1.0,
    -0.0,
]
OTHERS = [None, True, False, [], {}, ["a"], [1], [None], ["yes", "no"], "", " ", "\0"]
ODD = [
    "a  b", " a", "a\n", "é", "a\0b", ";", "a;b", "NA;NA", "2000-02-29", "31/12/2024 9:05", "1,5", "1e5", "V-7", "AT12", "R_1a2B",
    "2024-05-04T10:11", "2024-05-04 10:11:12.5Z", "05/04/2024 10:14:00 AM", "02/29/2024 12:00:00 pm", "02/29/2023 10:14:00 AM",
    "05/04/2024 13:14:00 AM",
]  # fmt: skip


def checker(contract: Contract) -> Draft202012Validator:
    schema = json.loads(record_schema(contract))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def accepted(contract: Contract, record: dict[str, Any]) -> bool:
    rules = {name: lambda _: True for name in contract.rules}
    value = json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return verdict(value, contract, MAX_BYTES, rules).accepted


def candidates(field: SurveyField) -> list[Any]:
    """Answers near what the field takes."""
    words = [*field.allowed, *field.written_as, *field.missing]
    pairs = [f"{a}{field.between}{b}" for a in words[:3] for b in [*words[:3], "zz", ""]]
    limits = [
        limit + step
        for limit in (field.min, field.max)
        if limit is not None
        for step in (-1, -0.5, 0, 0.5, 1)
    ]
    numbers = [*NUMBERS, *limits, *(int(limit) for limit in limits)]
    return [*words, *pairs, *(words[n:n + 2] for n in range(3)), *(f"{word} " for word in words), *numbers,
            *map(str, numbers), *OTHERS, *ODD, *TEXTS[::3]]  # fmt: skip


def judged(contract: Contract) -> tuple[int, int]:
    """Try every candidate of every field in a good record. Returns how many fit, and how many of the accepted did not."""
    schema = checker(contract)
    fits = {
        name: [value for value in candidates(field) if schema.evolve(schema=schema.schema["properties"][field.source]).is_valid(value)]
        for name, field in contract.fields.items()
    }  # fmt: skip
    fitting = missed = 0
    if not all(fits.values()):
        return 0, 0
    good = {field.source: fits[name][0] for name, field in contract.fields.items()}
    for field in contract.fields.values():
        for value in candidates(field):
            record = {**good, field.source: value}
            is_fit, is_accepted = schema.is_valid(record), accepted(contract, record)
            assert is_accepted or not is_fit, (field, value)
            fitting += is_fit
            missed += is_accepted and not is_fit and field.when_wrong == "reject"
    return fitting, missed


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_record_that_fits_is_accepted(name: str) -> None:
    fitting, missed = judged(CONTRACTS[name])
    assert fitting > 50
    assert missed < fitting, "most of what is accepted fits"


@settings(max_examples=15, deadline=None)
@example(999_999)  # a spelling that has the pattern, and a name that has not
@given(st.integers(0, 1 << 32))
def test_a_record_that_fits_is_accepted_whatever_the_contract(seed: int) -> None:
    judged(made_contract(seed))


@pytest.mark.parametrize("name", ["food_preference", "coded", "second"])
def test_of_what_produce_makes_up_what_is_accepted_fits(name: str) -> None:
    """The generator knows no patterns, so some of its answers are not accepted."""
    contract = CONTRACTS[name]
    schema = checker(contract)
    values = [
        json.loads(value) for block in records(Plan(contract, {}, 300, seed=5), 100) for *_, value in block
    ]
    assert [value for value in values if schema.is_valid(value) is not accepted(contract, value)] == []
    assert len(values) == 300


def test_the_schema_says_what_a_question_means_and_what_it_cannot_say() -> None:
    schema = json.loads(record_schema(CONTRACTS["food_preference"]))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["Age"]["description"] == "years, whole"
    assert schema["additionalProperties"] is True
    assert "the survey's own rules" in schema["$comment"]


def test_a_name_that_has_not_the_pattern_for_java_is_no_answer() -> None:
    asked = {
        "source": "name",
        "type": "string",
        "pattern": r"^\w+$",
        "spellings": {"José": ["Jose"], "Anna": ["Änna"]},
    }
    content = {
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "who",
        "fields": {"who": {"source": "who", "type": "string", "required": True}, "name": asked},
    }  # fmt: skip
    contract = Contract.model_validate(content)
    for name, fits in (("Jose", False), ("Änna", True), ("Anna", True), ("Joe", True)):
        assert accepted(contract, {"who": "a", "name": name}) is fits, name
        assert checker(contract).is_valid({"who": "a", "name": name}) is fits, name


def test_a_closed_survey_takes_no_other_fields() -> None:
    contract = CONTRACTS["second"]
    assert contract.unknown_fields == "reject"
    assert json.loads(record_schema(contract))["additionalProperties"] is False


def test_a_number_that_a_writer_may_give_an_exponent_is_to_be_a_text() -> None:
    content = {
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "who",
        "fields": {
            "who": {"source": "who", "type": "string", "required": True},
            "cups": {"source": "cups", "type": "decimal(12,6)", "required": True},
        },
    }  # fmt: skip
    contract = Contract.model_validate(content)
    fits = checker(contract)
    assert json.dumps(0.000002) == "2e-06"
    assert not accepted(contract, {"who": "a", "cups": 0.000002}) and not fits.is_valid(
        {"who": "a", "cups": 0.00001}
    )
    for cups in (0.5, 0.25, 12, "0.00001", "-3.5"):
        assert accepted(contract, {"who": "a", "cups": cups}) and fits.is_valid({"who": "a", "cups": cups})


def test_a_truth_that_means_no_answer_is_none_in_a_field_that_must_have_one() -> None:
    content = {
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "who",
        "fields": {
            "who": {"source": "who", "type": "string", "required": True},
            "sweet": {"source": "sweet", "type": "boolean", "required": True, "missing": ["true"]},
        },
    }  # fmt: skip
    contract = Contract.model_validate(content)
    for sweet, fits in ((True, False), ("true", False), (False, True), ("false", True)):
        assert accepted(contract, {"who": "a", "sweet": sweet}) is fits
        assert checker(contract).is_valid({"who": "a", "sweet": sweet}) is fits
