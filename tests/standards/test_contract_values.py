"""A contract written as a file is the same contract when it is read."""

import tomllib

import pytest
from hypothesis import given, settings

from support.made_contracts import contracts
from support.standards import CONTRACTS
from surveylake.contract.model import Contract
from surveylake.standards.contract_values import toml_of, values_of


def read(toml: str) -> Contract:
    return Contract.model_validate(tomllib.loads(toml))


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_contract_of_this_repository_is_itself_when_it_is_written_and_read(name: str) -> None:
    contract = CONTRACTS[name]
    again = read(toml_of(values_of(contract)))
    assert again == contract
    assert list(again.columns) == list(contract.columns)


@settings(max_examples=150, deadline=None)
@given(contracts())
def test_any_contract_is_itself_when_it_is_written_and_read(contract: Contract) -> None:
    assert read(toml_of(values_of(contract))) == contract


def test_defaults_are_left_out_and_a_field_is_a_table() -> None:
    contract = Contract.model_validate({
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "who",
        "fields": {
            "who": {"source": "Who?", "type": "string", "required": True},
            "cups": {"source": "Cups", "type": "integer", "allowed": [1, 2], "description": ""},
        },
    })  # fmt: skip
    assert toml_of(values_of(contract)) == (
        'name = "tea"\ntitle = "Tea"\ntopic = "Tea"\nkey = "who"\n'
        '\n[fields.who]\ntype = "string"\nsource = "Who?"\nrequired = true\n'
        '\n[fields.cups]\ntype = "integer"\nsource = "Cups"\nallowed = [1, 2]\n'
    )


def test_a_field_that_takes_no_word_for_missing_says_so_beside_a_survey_that_has_some() -> None:
    contract = Contract.model_validate({
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "who", "missing": ["NA"],
        "fields": {
            "who": {"source": "Who", "type": "string", "required": True, "missing": []},
            "tea": {"source": "Tea", "type": "string"},
        },
    })  # fmt: skip
    assert values_of(contract)["fields"]["who"]["missing"] == []
    assert "missing" not in values_of(contract)["fields"]["tea"]
