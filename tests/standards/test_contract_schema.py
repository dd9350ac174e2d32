"""The schema of contract files knows every key, and an editor shows a mistake where it is made."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.made_contracts import made_contract
from support.standards import FILES
from surveylake.contract.model import Contract
from surveylake.paths import CONF, ROOT
from surveylake.standards.contract_schema import contract_schema
from surveylake.standards.contract_values import values_of

FILE = CONF / "contract.schema.json"
SCHEMA = json.loads(contract_schema())
CHECKER = Draft202012Validator(SCHEMA)


def test_the_file_in_the_repository_is_current() -> None:
    assert FILE.read_text("utf-8") == contract_schema(), "the model changed: run make docs"


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_contract_of_this_repository_fits(path: Path) -> None:
    CHECKER.validate(tomllib.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("seed", range(40))
def test_any_contract_fits(seed: int) -> None:
    CHECKER.validate(values_of(made_contract(seed)))


GOOD: dict[str, Any] = {
    "name": "tea", "title": "Tea", "topic": "Tea", "key": "who",
    "fields": {"who": {"source": "Who", "type": "string", "required": True}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        ("fields.who.requird", True), ("fields.who.type", "text"), ("fields.who.type", "decimal(6)"), ("fields.Who", {}),
        ("fields.who.allowed", "yes"), ("unknown_fields", "drop"), ("input.decimal", ";"), ("tile", "Tea"), ("missing", "NA"),
        ("charts.bands", "who"), ("fields", {}), ("key", 5), ("summaries.by", [["who", "who", "who"]]),
    ],
)  # fmt: skip
def test_a_mistake_is_shown(at: str, wrong: Any) -> None:
    content = json.loads(json.dumps(GOOD))
    CHECKER.validate(content)
    *path, last = at.split(".")
    part = content
    for name in path:
        part = part.setdefault(name, {})
    part[last] = wrong
    assert not CHECKER.is_valid(content)


def test_every_key_has_its_meaning() -> None:
    """An editor shows it beside the key, and docs/contract.md has its tables from the same texts."""
    parts = {"Contract": SCHEMA, **SCHEMA["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, value in part["properties"].items()
        if not value.get("description")
    ]
    assert silent == []


def test_the_sample_s_contract_names_the_schema_for_editors() -> None:
    sample = CONF / "surveys" / "food_preference.toml"
    line = sample.read_text("utf-8").splitlines()[0]
    assert line.startswith("#:schema ")
    assert (sample.parent / line.removeprefix("#:schema ")).resolve() == FILE
    assert ROOT in FILE.parents


def test_the_schema_knows_what_the_model_knows() -> None:
    assert set(SCHEMA["properties"]) == set(Contract.model_fields)
