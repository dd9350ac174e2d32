"""A contract is read whole or refused with the key that is wrong; the example in docs/contract.md is one."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from support.validation import FOOD, SECOND
from surveylake.contract import model as contracts
from surveylake.contract.complaints import explain
from surveylake.contract.field_types import BLANK_RUN, Part
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError
from surveylake.paths import CONF, ROOT
from surveylake.validate.strict_json import BLANKS

DOCS = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")


def plain(**changes: Any) -> dict[str, Any]:
    """The smallest contract, as TOML gives it, with changes at its top."""
    return {
        "name": "s", "title": "S", "topic": "s", "key": "who",
        "fields": {"who": {"source": "Who", "type": "string", "required": True}},
    } | changes  # fmt: skip


def with_field(name: str = "x", **field: Any) -> dict[str, Any]:
    return plain(fields={**plain()["fields"], name: {"source": "X", "type": "string"} | field})


def with_claim(more: str, less: str, **field: Any) -> dict[str, Any]:
    """A contract whose hypothesis is about x: a closed list of two answers, or as `field` says."""
    field = field or {"allowed": ["Female", "Male"]}
    return with_field(**field) | {"hypothesis": {"claim": "c", "field": "x", "more": more, "less": less}}


def wrong(document: dict[str, Any]) -> str:
    """What a contract is refused with."""
    with pytest.raises(ValidationError) as error:
        Contract.model_validate(document)
    return explain(error.value, root=Contract)


def test_the_first_survey_loads_with_its_columns_in_order() -> None:
    assert list(FOOD.columns.items()) == [
        ("participant_id", "string"), ("gender", "string"), ("nationality", "string"), ("age", "int"), ("food", "string"),
        ("juice", "string"), ("dessert", "string"), ("age_group", "string"), ("is_woman", "boolean"),
    ]  # fmt: skip
    assert FOOD.sources == ["Participant_ID", "Gender", "Nationality", "Age", "Food", "Juice", "Dessert"]


def test_a_very_different_survey_loads_too() -> None:
    assert SECOND.columns == {
        "visit": "string", "visited_on": "date", "paid": "decimal(10,2)", "repaired": "boolean", "thing": "string",
        "month": "string", "paid_something": "boolean",
    }  # fmt: skip


def test_an_unknown_key_is_named() -> None:
    assert wrong(plain(colour="red")).startswith(
        "colour: unknown key; the keys here are name, title, topic, "
    )
    assert wrong(with_field(maximum=3)) == "fields.x.maximum: unknown key; did you mean max?"


def test_a_missing_key_is_named() -> None:
    document = plain()
    del document["topic"]
    assert wrong(document) == "topic: is missing; write topic = …"


def test_every_error_is_told_at_once() -> None:
    lines = wrong(plain(colour="red", title=3)).splitlines()
    assert [line.strip().partition(":")[0] for line in lines] == ["title", "colour"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (with_field(type="text"), "unknown type 'text'"),
        (with_field(type="decimal(39,2)"), "precision is 1 to 38"),
        (with_field(type="decimal(0,0)"), "precision is 1 to 38"),
        (with_field(type="decimal(4,5)"), "precision is 1 to 38"),
        (with_field(min=1), "min and max are for numbers"),
        (with_field(type="date", allowed=["x"]), "is for strings, scales, sets and integers"),
        (with_field(type="integer", min=5, max=4), "nothing would be accepted"),
        (with_field(type="integer", min=float("nan")), "nan is no number here"),
        (with_field(type="integer", max=float("inf")), "inf is no number here"),
        (with_field(type="integer", min=10**38), "has more than 38 digits"),
        (with_field(type="double", max=-(10**400)), "has more than 38 digits"),
        (with_field(type="integer", min="5"), "without quotes: min = 5"),
        (with_field(required="yes"), "write required = true or required = false"),
        (with_field(allowed=["Fresh  Juice"]), "can never be met"),
        (with_field(allowed=["Yes "]), "can never be met"),
        (with_field(allowed=[""]), "can never be met"),
        (with_field(spellings={"A": ["a\u00a0b"]}), "can never be met"),
        (with_field(spellings={"A": ["x"], "B": ["x"]}), "spelled for two names: x"),
        (with_field(spellings={"A": ["B"], "B": []}), "spelled for two names: B"),
        (with_field(allowed=["A"], spellings={"A": [], "B": ["b"]}), "spellings of what is not allowed: B"),
        (with_field(pattern="("), "not a regular expression"),
        (with_field(pattern="(a+)+$"), "for ever"),
        (with_field(pattern="(?P<n>a)"), "mean the same everywhere"),
        (with_field(source='a"b'), "holds a double quote (letter 2)"),
        (with_field(source=""), "is empty; write the name that the column has"),
        (with_field(source="Who"), "two fields have the source 'Who': who, x"),
        (with_field(type="scale"), "a scale lists its answers in their order"),
        (with_field(type="integer", labels={"1": "A"}), "labels is for strings, scales and sets"),
        (with_field(labels={"1": "A", "2": "1"}), "spelled for two names: 1"),
        (with_field(labels={"1": "A"}, allowed=["B"]), "labels of what is not allowed: A"),
        (with_field(labels={"1": "A"}, missing=["1"]), "1 has another meaning"),
        (with_field(type="set", allowed=["a;b"]), "'a;b' holds the separator ';'"),
        (with_field(separator=","), "separator is for sets; the type is string"),
        (with_field(type="set", separator=" "), "cannot separate answers"),
        (with_field(order=["a", "a"]), "twice in the order: a"),
        (with_field(order=["b"], allowed=["a"]), "in the order, and not allowed: b"),
        (with_field(unit="kg"), "a unit is for numbers"),
        (with_field(required=True, when_wrong="blank"), "a required field cannot be left blank"),
        (with_field(required=True, when_absent="blank"), "a required field cannot be left blank"),
        (with_field(when_wrong="drop"), "'reject' or 'blank'"),
        (with_field(type="date", format="M/d/yyyy H:mm"), "says the time of day"),
        (with_field(type="timestamp", format="M/d/yyyy"), "says a day only"),
        (with_field(type="date", format="D/M/YYYY"), "'D' has no meaning; write yyyy, yy, MMM"),
        (with_field(type="date", format="dd.MM."), "must say the year once (y)"),
        (with_field(type="timestamp", format="dd.MM.yyyy h:mm"), "h counts to 12 and goes with a"),
        (with_field(type="timestamp", format="dd.MM.yyyy :mm"), "without the hour"),
        (with_field(type="timestamp", format="dd.MM.yyyy 'um HH:mm"), "a quote that does not end"),
        (with_field(type="timestamp", format="yyyy-MM-dd HH:mmXXX", zone="UTC"), "leave zone out"),
        (with_field(type="timestamp", zone="Vienna"), "'Vienna' is no time zone"),
        (plain(derived={"y": {"type": "string"}}), "derived.y.sql: is missing"),
        (plain(derived={"y": {"type": "set", "choices": {"A": "z"}}}), "derived.y.choices: not a field: 'z'"),
        (plain(derived={"y": {"type": "string", "choices": {"A": "who"}}}), "choices make a set"),
        (with_field("blanked", when_wrong="blank"), "fields.blanked: is the column in which"),
        (with_field(type="set") | {"summaries": {"by": [["x"]]}}, "x is a set, of which a person has several answers"),
        (with_field(type="timestamp") | {"summaries": {"by": [["x"]]}}, "derive a day or a month of it"),
        (with_field("Age"), "snake_case"),
        (with_field("offset"), "every records table has"),
        (with_field("answers"), "every summary has"),
        (plain(fields={}), "fields: is empty; at least 1 is needed"),
        (plain(key="age"), "key 'age' is not one of the fields"),
        (plain(fields={"who": {"source": "Who", "type": "string"}}), "required = true"),
        (plain(topic="a topic"), "letter 2 is a blank"),
        (plain(unknown_fields="keep"), "'ignore' or 'reject'"),
        (plain(rules={"Bad name": "true"}), "snake_case"),
        (plain(derived={"who": {"type": "string", "sql": "'x'"}}), "both a field and a derived column: who"),
        (plain(summaries={"by": [["age"]]}), "summaries.by: not a column: 'age'"),
        (plain(summaries={"by": [[]]}), "summaries.by: is empty; at least 1 is needed"),
        (plain(summaries={"by": [["who", "who", "who"]]}), "summaries.by: has 3 entries; 2 are the most"),
        (plain(summaries={"by": [["who"], ["who"]]}), "twice the same: who"),
        (plain(summaries={"by": [["who", "who"]]}), "twice the same: who_who"),
        (plain(summaries={"measure": "who"}), "summaries.measure: a measure must be a number; who is of type string"),
        (plain(charts={"group": "sex"}), "charts.group: not a column: 'sex'; columns are who"),
        (plain(hypothesis={"claim": "c", "field": "sex", "more": "a", "less": "b"}), "hypothesis.field: not a column: 'sex'"),
        (with_claim("female", "Male"), "hypothesis.more: nobody can answer 'female' in x; did you mean Female?"),
        (with_claim("Female", "Other"), "hypothesis.less: nobody can answer 'Other' in x; answers are Female, Male"),
        (with_claim("Male", "Male"), "hypothesis.less: more and less are both 'Male'"),
        (with_claim("yes", "false", type="boolean"), "hypothesis.more: nobody can answer 'yes' in x; answers are true, false"),
        (with_claim("2", "3", type="integer", allowed=[1, 2]), "hypothesis.less: nobody can answer '3' in x"),
        (with_field("quant") | {"summaries": {"by": [["quant"]], "received_by": "quant"}}, "summaries.by: a summary by quant"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(document: dict[str, Any], message: str) -> None:
    assert message in wrong(document)


def test_a_decimal_may_be_written_with_a_space() -> None:
    assert Contract.model_validate(with_field(type="decimal(10, 2)")).columns["x"] == "decimal(10,2)"


def test_a_contract_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FOOD.title = "another"  # type: ignore[misc]


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no contract at .*none\.toml") as error:
        load_contract(tmp_path / "none.toml")
    assert "--survey" in error.value.hint


@pytest.mark.parametrize(
    "content", [b"name = ", b"\xff\xfe", b"name = 'a'\nname = 'b'", b"n = 1" + b"0" * 5000]
)
def test_a_file_that_is_not_toml_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml is not a readable TOML file"):
        load_contract(tmp_path / "bad.toml")


def test_a_wrong_contract_is_an_error_that_names_file_and_key(tmp_path: Path) -> None:
    path = tmp_path / "food.toml"
    path.write_text((CONF / "surveys/food_preference.toml").read_text().replace("max = 110", "maxx = 110"))
    with pytest.raises(ConfigError, match=r"food\.toml: fields\.age\.maxx: unknown key"):
        load_contract(path)


def test_the_fingerprint_is_of_the_content_and_not_of_the_layout(tmp_path: Path) -> None:
    text = (CONF / "surveys/food_preference.toml").read_text()
    same, other = tmp_path / "same.toml", tmp_path / "other.toml"
    same.write_text("# a comment\n" + text.replace("\nmin = 5\nmax = 110\n", "\nmax    = 110\nmin = 5\n"))
    other.write_text(text.replace("max = 110", "max = 111"))
    assert load_contract(same).fingerprint == FOOD.fingerprint
    assert load_contract(other).fingerprint != FOOD.fingerprint
    assert re.fullmatch("[0-9a-f]{64}", FOOD.fingerprint)


def test_the_fingerprint_of_a_contract_of_an_earlier_release_is_what_it_was() -> None:
    """It stands in the tables of existing lakes. A key that came later counts only where it is used."""
    assert FOOD.fingerprint.startswith("e30390f2239ae528")
    answered = FOOD.fields["juice"].model_copy(update={"missing": ["NA"]})
    assert (
        FOOD.model_copy(update={"fields": {**FOOD.fields, "juice": answered}}).fingerprint != FOOD.fingerprint
    )


@given(st.text(max_size=12))
def test_blanks_are_the_same_to_the_contract_and_to_the_gate(text: str) -> None:
    java = re.compile(BLANKS, re.ASCII)
    assert BLANK_RUN.sub("_", text) == re.sub(f"(?:{java.pattern})+", "_", text, flags=re.ASCII)


def test_the_example_in_the_docs_is_a_contract(tmp_path: Path) -> None:
    example = example_in_the_docs()
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    loaded = load_contract(tmp_path / "example.toml")
    assert loaded.name == tomllib.loads(example)["name"]


def example_in_the_docs() -> str:
    blocks = re.findall(r"```toml\n(.*?)```", DOCS, flags=re.DOTALL)
    return str(max(blocks, key=len))


def test_the_docs_name_every_key_of_a_contract() -> None:
    """And the example uses them, so that each is seen in place."""
    parts = [
        m
        for m in vars(contracts).values()
        if isinstance(m, type) and issubclass(m, BaseModel) and m is not Part
    ]
    keys = {key for part in parts for key in part.model_fields}
    assert {key for key in keys if f"`{key}`" not in DOCS} == set()


def test_the_docs_name_no_key_that_a_contract_does_not_know() -> None:
    parts = [
        m
        for m in vars(contracts).values()
        if isinstance(m, type) and issubclass(m, BaseModel) and m is not Part
    ]
    keys = {key for part in parts for key in part.model_fields}
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", DOCS, flags=re.MULTILINE))
    assert rows - keys == set()
