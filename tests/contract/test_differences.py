"""What differs between two contracts is said in words: which column, which way, and whether the one before forbids it."""

import tomllib
from typing import Any

import pytest

from support.pets_survey import CONTRACT
from surveylake.contract.differences import (
    Difference,
    content_of,
    differences,
    former_names,
    judging_of,
    of_columns,
)
from surveylake.contract.model import Contract

TEXT = CONTRACT.replace("TOPIC", "pets").replace("SPELLINGS", "{}").replace("MOST", "30")


def contract(text: str = TEXT) -> Contract:
    return Contract.model_validate(tomllib.loads(text))


def document() -> dict[str, Any]:
    return tomllib.loads(TEXT)


def with_field(name: str, **keys: object) -> Contract:
    """The survey of pets with other keys in one field; None takes a key out."""
    changed = document()
    changed["fields"][name] = {k: v for k, v in {**changed["fields"][name], **keys}.items() if v is not None}
    return Contract.model_validate(changed)


def lines(before: Contract, after: Contract) -> list[str]:
    return [each.line() for each in differences(content_of(before), after)]


def test_a_contract_does_not_differ_from_itself() -> None:
    assert lines(contract(), contract()) == []
    assert judging_of(content_of(contract())) == judging_of(content_of(contract()))


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"max": 30}, {"max": 40}, "widened   field age: max 30 -> 40"),
        ({"max": 30}, {"max": 20}, "narrowed  field age: max 30 -> 20"),
        ({"min": 0}, {"min": -1}, "widened   field age: min 0 -> -1"),
        ({"min": 0}, {"min": 1}, "narrowed  field age: min 0 -> 1"),
        ({}, {"min": 0}, "narrowed  field age: min none -> 0"),
        ({"min": 0}, {}, "widened   field age: min 0 -> none"),
        ({"required": True}, {"required": False}, "widened   field age: required true -> false"),
        ({"required": False}, {"required": True}, "narrowed  field age: required false -> true"),
        ({}, {"type": "decimal(12,2)"}, "widened   field age: type integer -> decimal(12,2)"),
        ({}, {"type": "decimal(5,2)"}, "changed   field age: type integer -> decimal(5,2)"),
        ({"type": "decimal(12,2)"}, {}, "narrowed  field age: type decimal(12,2) -> integer"),
        ({}, {"source": "Years"}, "changed   field age: source Age -> Years"),
        ({}, {"missing": ["99"]}, "changed   field age: missing: also 99"),
        ({"missing": ["99"]}, {}, "changed   field age: missing: no longer 99"),
        ({}, {"description": "years"}, "shown     field age: description"),
        ({}, {"change": "freeze"}, "noted     field age: change evolve -> freeze"),
    ],
)
def test_a_key_of_a_field_is_said_with_its_direction(
    before: dict[str, object], after: dict[str, object], line: str
) -> None:
    assert line in lines(with_field("age", **before), with_field("age", **after))


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("allowed", ["cat", "dog", "bird"], "widened   field pet: allowed: also bird"),
        ("allowed", ["cat"], "narrowed  field pet: allowed: no longer dog"),
        ("allowed", ["cat", "bird"], "changed   field pet: allowed: also bird; no longer dog"),
        ("allowed", ["dog", "cat"], "changed   field pet: allowed: in another order"),
        ("allowed", None, "widened   field pet: allowed: no longer cat, dog"),
        ("spellings", {"cat": ["Kat"]}, "changed   field pet: spellings: also Kat for cat"),
        ("pattern", "^[a-z]+$", "narrowed  field pet: pattern none -> ^[a-z]+$"),
    ],
)
def test_a_list_is_said_by_what_came_and_what_went(key: str, value: object, line: str) -> None:
    assert lines(contract(), with_field("pet", **{key: value})) == [line]


def test_everything_fits_into_a_text() -> None:
    assert lines(with_field("town", type="date"), contract()) == ["widened   field town: type date -> string"]
    assert lines(contract(), with_field("town", type="date")) == ["narrowed  field town: type string -> date"]


def test_columns_that_come_go_and_are_renamed_are_said() -> None:
    changed = document()
    town = changed["fields"].pop("town")
    changed["fields"]["place"] = {**town, "was": "town"}
    changed["fields"]["colour"] = {"source": "Colour", "type": "string"}
    del changed["derived"]["is_old"]
    assert lines(contract(), Contract.model_validate(changed)) == [
        "renamed   field place: was town",
        "added     field colour: string, from Colour",
        "removed   derived column is_old",
    ]


def test_a_former_name_that_is_still_a_column_or_never_was_one_renames_nothing() -> None:
    stored = {"who", "pet", "age", "town", "is_old"}
    assert former_names(with_field("town", was="age"), stored)["town"] == "town"
    changed = document()
    changed["fields"]["place"] = {"source": "Place", "type": "string", "was": "never"}
    changed["fields"]["other"] = {"source": "Other", "type": "string", "was": "age"}
    names = former_names(Contract.model_validate(changed), stored)
    assert {"place", "other"} & names.keys() == set()


def test_rules_and_derived_columns_are_said() -> None:
    changed = document()
    changed["rules"] = {"is_young": "age < 20"}
    changed["derived"]["is_old"]["sql"] = "age >= 12"
    after = Contract.model_validate(changed)
    assert lines(contract(), after) == [
        "changed   derived column is_old: sql age >= 10 -> age >= 12",
        "added     rule is_young: age < 20",
    ]
    assert lines(after, contract())[-1] == "removed   rule is_young: age < 20"


def test_what_is_only_shown_or_published_judges_nothing() -> None:
    changed = document() | {"title": "Animals", "summaries": {"by": [["town"]]}}
    changed["fields"]["pet"]["description"] = "the animal"
    after = Contract.model_validate(changed)
    found = differences(content_of(contract()), after)
    assert [each.line() for each in found] == [
        "shown     field pet: description",
        "shown     survey: title Pets -> Animals",
        "shown     survey: summaries",
    ]
    assert not any(each.judges for each in found)
    assert judging_of(content_of(after)) == judging_of(content_of(contract()))


@pytest.mark.parametrize(
    "after", [with_field("age", max=40), Contract.model_validate(document() | {"rules": {"x": "true"}})]
)
def test_what_judges_otherwise_has_another_digest(after: Contract) -> None:
    assert judging_of(content_of(after)) != judging_of(content_of(contract()))
    assert any(each.judges for each in differences(content_of(contract()), after))


def test_a_frozen_field_is_guarded_by_the_contract_before() -> None:
    frozen = with_field("age", change="freeze")
    (thawed,) = differences(content_of(frozen), contract())
    assert not thawed.frozen
    both = differences(content_of(frozen), with_field("age", max=40))
    assert [each.line() for each in both if each.frozen] == ["widened   field age: max 30 -> 40"]
    changed = document()
    del changed["fields"]["age"], changed["derived"], changed["summaries"]
    assert Difference(
        "removed", "field age", "its answers stay in the raw values", "age", True
    ) in differences(content_of(frozen), Contract.model_validate(changed))
    assert not any(
        each.frozen
        for each in differences(content_of(frozen), with_field("age", description="a", change="freeze"))
    )


def test_only_columns_can_be_compared_with_a_table_that_keeps_no_contract() -> None:
    table = {"who": "string", "pet": "string", "age": "bigint", "place": "string", "is_old": "boolean"}
    after = with_field("town", was="place")
    assert [each.line() for each in of_columns(table, after)] == [
        "changed   column age: type bigint -> int",
        "renamed   column town: was place",
    ]
    assert [each.line() for each in of_columns(table, contract())][1:] == [
        "added     column town: string",
        "removed   column place: its answers stay in the raw values",
    ]


def test_the_keys_of_a_change_are_no_part_of_the_fingerprint() -> None:
    """Else a former name, which is taken out again, would make another contract of it."""
    assert with_field("age", change="freeze", was="years").fingerprint == contract().fingerprint
    assert "was" not in str(content_of(with_field("age", was="years")))
