"""A contract goes to the Open Data Contract Standard and comes back the same."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from support.made_contracts import contracts
from support.standards import CONTRACTS
from support.validation import FOOD, SECOND
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.standards.odcs_export import odcs_of
from surveylake.standards.odcs_import import checked, read_odcs

FOREIGN = """\
apiVersion: v3.0.2
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
name: Orders survey
version: 1.0.0
status: active
schema:
- name: answers
  properties:
  - name: OrderId
    logicalType: string
    primaryKey: true
    physicalType: varchar(9)
  - name: amount
    logicalType: number
    physicalType: NUMERIC(10, 2)
    logicalTypeOptions: {minimum: 0, multipleOf: 5}
    classification: public
  - name: how did you hear of us
    logicalType: string
    quality:
    - {type: library, metric: invalidValues, arguments: {validValues: [web, shop]}, mustBe: 0}
    - {type: library, metric: nullValues, mustBeLessThan: 5}
  - {name: nested, logicalType: object}
- name: other
"""


def back(tmp_path: Path, contract: Contract, lake: str = "") -> Contract:
    path = tmp_path / "contract.odcs.yaml"
    path.write_text(odcs_of(contract, lake), encoding="utf-8")
    imported = read_odcs(path)
    assert imported.left_out == []
    return checked(path, imported)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_contract_of_this_repository_comes_back(tmp_path: Path, name: str) -> None:
    contract = CONTRACTS[name]
    again = back(tmp_path, contract, "/data/lake")
    assert again == contract
    assert (list(again.columns), list(again.rules)) == (list(contract.columns), list(contract.rules))


@settings(max_examples=60, deadline=None)
@given(contracts())
def test_any_contract_comes_back(tmp_path_factory: pytest.TempPathFactory, contract: Contract) -> None:
    again = back(tmp_path_factory.getbasetemp(), contract)
    assert again == contract
    assert list(again.columns) == list(contract.columns)


def exported(contract: Contract, lake: str = "") -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(odcs_of(contract, lake))
    return document


def columns(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in document["schema"][0]["properties"]}


def test_what_the_standard_can_say_stands_in_its_own_words() -> None:
    document = exported(SECOND)
    found = columns(document)
    assert (document["id"], document["name"], document["apiVersion"]) == (SECOND.name, SECOND.title, "v3.1.0")
    assert found["paid"]["logicalTypeOptions"] == {"minimum": 0, "maximum": 5000}
    assert (found["paid"]["logicalType"], found["paid"]["physicalType"]) == ("number", "decimal(10,2)")
    assert found["visit"]["primaryKey"] and found["visit"]["unique"] and found["visit"]["required"]
    assert columns(exported(FOOD))["gender"]["quality"][0]["arguments"] == {"validValues": ["Female", "Male"]}
    assert found["month"]["transformLogic"] == SECOND.derived["month"].sql
    assert {rule["name"]: rule["implementation"] for rule in document["schema"][0]["quality"]} == SECOND.rules


def test_nothing_is_said_twice() -> None:
    """So a file that somebody changed has one place to look at."""
    for column in columns(exported(SECOND)).values():
        own = {entry["property"] for entry in column.get("customProperties", [])}
        assert not own & {"required", "description", "allowed", "min", "max", "pattern", "label", "sql"}


def test_the_lake_is_named_where_it_is_given() -> None:
    assert exported(SECOND, "/data/lake/")["servers"] == [
        {"server": "lake", "type": "local", "path": "/data/lake/{model}", "format": "delta"}
    ]
    assert "servers" not in exported(SECOND)


def test_the_version_changes_with_what_the_contract_says() -> None:
    other = SECOND.model_copy(update={"unknown_fields": "ignore"})
    assert SECOND.unknown_fields != "ignore"
    assert exported(other)["version"] != exported(SECOND)["version"]


# --- contracts that others wrote


def test_a_contract_of_another_hand_becomes_one_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(FOREIGN, encoding="utf-8")
    imported = read_odcs(path)
    contract = checked(path, imported)
    assert contract.key == "order_id" and contract.fields["order_id"].required
    assert contract.types == {
        "order_id": "string", "amount": "decimal(10,2)", "how_did_you_hear_of_us": "string", "nested": "string",
    }  # fmt: skip
    assert contract.sources == ["OrderId", "amount", "how did you hear of us", "nested"]
    assert contract.fields["amount"].min == 0
    assert contract.fields["how_did_you_hear_of_us"].allowed == ["web", "shop"]
    assert imported.left_out == [
        "table 'other'", "amount: classification", "amount: multipleOf",
        "how_did_you_hear_of_us: quality 'nullValues'", "nested: type 'object', read as a text",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (FOREIGN.replace("primaryKey: true", "unique: true"), "does not say who answered"),
        ("name: x\n", "is no data contract of the standard's version 3"),
        ("- 1\n", "is no data contract of the standard's version 3"),
        ("apiVersion: v3.1.0\n", "has no table under schema"),
        ("a: [1\nb: 2\n", "line 2: this is no YAML"),
        ("a: \xe9".encode("latin-1"), "this is no YAML"),
    ],
)  # fmt: skip
def test_a_file_that_makes_no_contract_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_odcs(path)
    assert caught.value.hint


def test_a_wrong_value_is_named_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(FOREIGN.replace("minimum: 0", "minimum: low"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"makes no contract: fields\.amount\.min: 'low' is a text"):
        checked(path, read_odcs(path))
