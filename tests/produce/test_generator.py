"""Made-up answers: the same for the same seed, true to the contract, and wrong in the stated share."""

import csv
import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from support.reference_verdict import verdict
from support.validation import MAX_BYTES, TYPED, TYPED_RULES
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError, InputError
from surveylake.paths import CONF
from surveylake.produce.defects import defects
from surveylake.produce.delivery import Record
from surveylake.produce.generator import Plan, records, write_csv
from surveylake.produce.value_pools import load_frequencies

SURVEY = CONF / "surveys" / "food_preference.toml"
FOOD = load_contract(SURVEY)
STATED = load_frequencies(SURVEY)
OTHER = Contract.model_validate({
    "name": "trip", "title": "Trips", "topic": "Trips", "key": "number",
    "fields": {
        "number": {"source": "No", "type": "integer", "required": True},
        "day": {"source": "Day %", "type": "date", "required": True},
        "price": {"source": "Price", "type": "decimal(6,2)", "min": 1, "max": 50},
        "paid": {"source": "Paid", "type": "boolean"},
        "note": {"source": "Note", "type": "string"},
    },
})  # fmt: skip


def rows_of(plan: Plan, chunk_size: int = 10_000) -> list[Record]:
    return [record for chunk in records(plan, chunk_size) for record in chunk]


def test_the_same_seed_makes_the_same_answers() -> None:
    assert rows_of(Plan(FOOD, STATED, 500, 7, 0.1)) == rows_of(Plan(FOOD, STATED, 500, 7, 0.1), chunk_size=33)
    assert rows_of(Plan(FOOD, STATED, 500, 7)) != rows_of(Plan(FOOD, STATED, 500, 8))


def test_an_answer_is_written_as_the_producer_writes_a_row() -> None:
    for number, (row, line, key, value) in enumerate(rows_of(Plan(FOOD, STATED, 200))):
        assert value is not None
        cells = json.loads(value)
        assert list(cells) == FOOD.sources
        assert value == json.dumps(cells, ensure_ascii=False).encode()
        assert key == cells["Participant_ID"].encode()
        assert (row, line) == (number, number + 1)


def test_participants_are_many_and_distinct_past_one_block() -> None:
    assert len({key for _, _, key, _ in rows_of(Plan(FOOD, STATED, 25_000))}) == 25_000


def test_clean_answers_keep_to_the_contract_without_stated_frequencies() -> None:
    for *_, value in rows_of(Plan(FOOD, {}, 2_000)):
        cells = json.loads(value or b"")
        assert cells["Gender"] in FOOD.fields["gender"].allowed
        assert cells["Nationality"] in FOOD.fields["nationality"].spellings
        assert 5 <= int(cells["Age"]) <= 110


def test_stated_frequencies_are_met_exactly_by_a_whole_number_of_draws() -> None:
    cells = [json.loads(value or b"") for *_, value in rows_of(Plan(FOOD, STATED, 289))]
    for source in ("Gender", "Food", "Juice", "Dessert"):
        assert Counter(row[source] for row in cells) == STATED[source]


def test_another_contract_goes_the_same_way() -> None:
    for number, (*_, key, value) in enumerate(rows_of(Plan(OTHER, {}, 300)), start=1):
        cells = json.loads(value or b"")
        assert key == b"%d" % number
        assert date.fromisoformat(cells["Day %"]).year == 2024
        assert 1 <= Decimal(cells["Price"]) <= 50
        assert Decimal(cells["Price"]).as_tuple().exponent == -2
        assert cells["Paid"] in ("true", "false")


def test_answers_of_every_type_are_accepted_and_their_defects_are_not() -> None:
    """By the judge that shares nothing with the generator."""
    for *_, value in rows_of(Plan(TYPED, {"news web": {"web": 1}}, 500)):
        assert verdict(value, TYPED, MAX_BYTES, TYPED_RULES).failed_rules == (), value
    kinds = defects(TYPED)
    spoiled = rows_of(Plan(TYPED, {"news web": {"web": 1}}, len(kinds), bad=1.0))
    for kind, (*_, value) in zip(kinds, spoiled, strict=True):
        reasons = verdict(value, TYPED, MAX_BYTES, TYPED_RULES).failed_rules
        assert reasons == () if not kind.reason else kind.reason in reasons, kind.name


@pytest.mark.parametrize(
    ("rows", "share", "spoiled"),
    [(1000, 0.02, 20), (20_000, 0.1, 2000), (10, 1.0, 10), (289, 1 / 289, 1), (99, 0, 0)],
)
def test_the_share_of_defects_is_kept_to_the_row(rows: int, share: float, spoiled: int) -> None:
    clean, mixed = rows_of(Plan(FOOD, STATED, rows, 3)), rows_of(Plan(FOOD, STATED, rows, 3, share))
    assert sum(before != after for before, after in zip(clean, mixed, strict=True)) == spoiled


def test_each_kind_of_defect_does_what_its_reason_says() -> None:
    kinds = defects(FOOD)
    values = dict(
        zip(
            [kind.reason for kind in kinds],
            [value for *_, value in rows_of(Plan(FOOD, STATED, len(kinds), 1, 1.0))],
            strict=True,
        )
    )
    assert len(values) == len(kinds) == 17
    assert json.loads(values["out_of_range:Age"] or b"")["Age"].endswith("0")
    assert int(json.loads(values["out_of_range:Age"] or b"")["Age"]) > 110
    assert not json.loads(values["not_a_number:Age"] or b"")["Age"].isdigit()
    assert json.loads(values["not_allowed:Gender"] or b"")["Gender"] not in ("Female", "Male")
    assert not json.loads(values["blank:Gender"] or b"")["Gender"].strip()
    assert json.loads(values[""] or b"")["Nationality"] == "China "
    assert "Gender" not in json.loads(values["missing_field:Gender"] or b"")
    assert "gENDER" in json.loads(values["wrong_case:Gender"] or b"")
    assert isinstance(json.loads(values["wrong_type:Gender"] or b"")["Gender"], list)
    assert (values["duplicate_key"] or b"").count(b'"Gender"') == 2
    assert json.loads(values["duplicate_key"] or b"")
    assert isinstance(json.loads(values["not_an_object"] or b""), list)
    for reason in ("malformed", "trailing_data"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(values[reason] or b"")
    with pytest.raises(UnicodeDecodeError):
        (values["bad_encoding"] or b"").decode()
    assert values["empty_payload"] == b""
    assert values["tombstone"] is None
    assert json.loads((values["schema_registry"] or b"")[5:]).keys() == set(FOOD.sources)
    assert json.loads(json.loads(values["encoded_twice"] or b"")).keys() == set(FOOD.sources)


def test_a_csv_holds_only_what_cells_can(tmp_path: Path) -> None:
    assert write_csv(Plan(FOOD, STATED, 100, 1, 1.0), tmp_path / "made.csv") == 100
    content = (tmp_path / "made.csv").read_bytes()
    assert content.count(b"\r\n") == 101
    assert all(len(row) == 7 for row in csv.reader(content.decode().splitlines()))
    assert [path.name for path in tmp_path.iterdir()] == ["made.csv"]


def test_a_csv_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(Plan(FOOD, STATED, 1), tmp_path / "none" / "made.csv")


def test_the_sample_is_what_the_generator_makes(tmp_path: Path) -> None:
    write_csv(Plan(FOOD, STATED, 289, 136, 1 / 289), tmp_path / "sample.csv")
    sample = SURVEY.with_suffix(".sample.csv")
    assert sample.read_bytes() == (tmp_path / "sample.csv").read_bytes()


def test_the_sample_has_the_shape_and_the_defects_of_a_real_survey() -> None:
    with SURVEY.with_suffix(".sample.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["Gender"] for row in rows) == {"Female": 166, "Male": 123}
    twice = [who for who, times in Counter(row["Participant_ID"] for row in rows).items() if times > 1]
    assert len(twice) == 1
    assert [row["Age"] for row in rows if row["Participant_ID"] in twice] == ["30", "300"]
    assert [row["Gender"] for row in rows if int(row["Age"]) > 110] == ["Female"]
    assert {"Malaysian", "MALAYSIAN", "MY", "Malaysia ", "Indonesain"} <= {row["Nationality"] for row in rows}


def test_arguments_out_of_bounds_are_refused() -> None:
    for wrong in ({"rows": -1}, {"rows": 1, "bad": 1.5}, {"rows": 1, "seed": -1}):
        with pytest.raises(ConfigError):
            Plan(FOOD, STATED, **wrong)  # type: ignore[arg-type]


def test_frequencies_must_fit_the_contract(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fields the contract lacks: Gander"):
        rows_of(Plan(FOOD, {"Gander": {"Female": 1}}, 1))
    (tmp_path / "s.frequencies.toml").write_text("[Gender]\nFemale = 'many'\n")
    with pytest.raises(ConfigError, match=r"Gender\.Female"):
        load_frequencies(tmp_path / "s.toml")
    assert load_frequencies(tmp_path / "none.toml") == {}
