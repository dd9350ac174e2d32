"""The provenance in a commit: the JSON that earlier releases wrote, byte for byte, and what another program left there."""

import json

import pytest

from surveylake.lake.provenance import Provenance

RESPONSES = (
    '{"contract": "c0ffee", "ends": {"1": {"0": 5, "10": 7, "2": 6}, "10": {"0": 1}, "2": {"0": 9}}, '
    '"records_id": "an-id", "records_version": 12}'
)
SUMMARY = (
    '{"contract": "c0ffee", "records_id": "an-id", "records_version": 12, "rules": 2, "smallest_group": 5}'
)
REPLAY = '{"from_version": 3, "records": 4, "replay": "c0ffee"}'


@pytest.mark.parametrize("text", [RESPONSES, SUMMARY, REPLAY, "{}"])
def test_what_earlier_releases_wrote_is_written_byte_for_byte(text: str) -> None:
    provenance = Provenance.from_json(text)
    assert provenance.as_json() == text
    assert provenance.other == {}


def test_it_holds_the_values_under_their_names() -> None:
    assert Provenance.from_json(RESPONSES) == Provenance(
        records_version=12,
        records_id="an-id",
        contract="c0ffee",
        ends={1: {0: 5, 10: 7, 2: 6}, 10: {0: 1}, 2: {0: 9}},
    )
    assert Provenance.from_json(SUMMARY).smallest_group == 5
    assert Provenance.from_json(REPLAY) == Provenance(replay="c0ffee", records=4, from_version=3)


@pytest.mark.parametrize("text", ["", "by hand", "[1]", '"text"', "null", "{"])
def test_what_is_no_json_object_is_no_provenance(text: str) -> None:
    assert Provenance.from_json(text) == Provenance()


@pytest.mark.parametrize(
    "values",
    [
        {"other": 1},
        {"misstamped": {"partition": 0, "offsets": {"1": 2}}},
        {"records_version": "twelve"},
        {"ends": {"a": {"b": 1}}},
        {"ends": {"1": 2}},
        {"ends": [], "contract": None},
    ],
)
def test_what_another_program_wrote_is_passed_on_and_no_value_of_ours(values: dict[str, object]) -> None:
    provenance = Provenance.from_json(json.dumps(values))
    assert provenance == Provenance(other=values)
    assert provenance.as_json() == json.dumps(values, sort_keys=True)
