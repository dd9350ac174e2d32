"""The files of five survey tools, with their quirks, as the contracts beside them have them read and judged."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from support.reference_verdict import Row, Verdict, verdict
from surveylake.contract.model import Contract, load_contract
from surveylake.paths import CONF
from surveylake.produce.csv_rows import chunks, read_answers

EXAMPLES = CONF / "surveys" / "examples"
MAX_BYTES = 65_536


@dataclass(frozen=True)
class Judged:
    """What becomes of a file."""

    contract: Contract
    notes: tuple[str, ...]
    verdicts: list[Verdict]

    @property
    def people(self) -> dict[Any, Row]:
        """Who answered -> the newest accepted row."""
        return {found.row[self.contract.key]: found.row for found in self.verdicts if found.accepted}

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for found in self.verdicts for reason in found.failed_rules)


def judged(name: str, **rules: Any) -> Judged:
    contract = load_contract(EXAMPLES / f"{name}.toml")
    (path,) = (file for file in EXAMPLES.glob(f"{name}.*") if file.suffix != ".toml")
    answers = read_answers(Path(path), contract)
    assert answers.bad == {}
    values = [value for chunk in chunks(answers, contract) for *_, value in chunk]
    return Judged(contract, answers.notes, [verdict(value, contract, MAX_BYTES, rules) for value in values])


def test_limesurvey_codes_become_answers_and_who_left_is_not_counted() -> None:
    found = judged("limesurvey")
    assert (len(found.verdicts), len(found.people)) == (26, 24)
    assert found.reasons == {"blank:submitdate": 1, "out_of_range:G01Q02": 1}
    assert found.notes[0] == "byte order mark at the start: left out"
    assert found.people[4] | {"submitted_at": 0} == {
        "id": 4, "submitted_at": 0, "gender": "Male", "age": 26, "by_bus": None, "by_bike": None, "by_car": None,
        "by_other": None, "happy_with_way": "strongly disagree", "would_change": "disagree", "comment": None,
    }  # fmt: skip
    assert found.people[4]["submitted_at"] == datetime(2024, 5, 3, 6, 37, tzinfo=UTC)
    assert (found.people[6]["by_other"], found.people[18]["gender"]) == ("tram", "Other")
    assert (found.people[8]["comment"], found.people[11]["comment"]) == (
        'They say "soon"; I say never.', "First line second line",
    )  # fmt: skip
    assert found.people[16]["gender"] is None


def test_google_forms_has_a_person_for_each_row_even_where_two_are_alike() -> None:
    found = judged("google_forms")
    assert len(found.verdicts) == len(found.people) == 30
    people = list(found.people.values())
    assert people[20] == people[21] | {"row": people[20]["row"]}
    assert people[0]["answered_at"] == datetime(2014, 8, 27, 20, 30, 36, tzinfo=UTC)
    assert (people[0]["tools"], people[11]["tools"]) == (["Python", "Excel"], ["Python", "Julia"])
    assert (people[3]["age"], people[8]["age"], people[0]["age"]) == (None, None, 30)
    assert (people[20]["from_home"], people[27]["enjoys"]) == (None, None)


def test_microsoft_forms_is_read_from_its_workbook() -> None:
    found = judged(
        "microsoft_forms", completed_after_it_was_started=lambda row: row["completed_at"] >= row["started_at"]
    )
    assert (len(found.verdicts), len(found.people)) == (24, 23)
    assert found.reasons == {"not_allowed:How do you come to work?": 1}
    assert 4 not in found.people, "who comes by boat"
    assert found.people[6]["started_at"] == datetime(2024, 5, 6, 22, 0, tzinfo=UTC), "midnight in Vienna"
    assert found.people[1]["last_visit"] == date(2024, 4, 2)
    assert found.people[7]["days"] is None, "nine days a week"
    assert found.people[9]["canteen"] is None
    assert all(isinstance(row["ways"], list) and "" not in row["ways"] for row in found.people.values())


def test_qualtrics_has_three_header_rows_and_its_author_s_previews() -> None:
    found = judged("qualtrics", is_finished=lambda row: row["finished"])
    assert (len(found.verdicts), len(found.people)) == (28, 26)
    assert found.reasons == {"not_allowed:Status": 1, "is_finished": 1}
    people = list(found.people.values())
    assert people[0]["recorded_at"] == datetime(2024, 5, 4, 15, 13, 1, tzinfo=UTC)
    assert (people[3]["news"], people[3]["other_news"]) == (["TV", "Other"], "Podcasts, mostly")
    assert people[5]["born"] is None, "'87"
    assert Counter(row["gender"] is None for row in people)[True] == 1, "prefers not to say"


def test_surveymonkey_names_a_question_above_its_first_column_only() -> None:
    found = judged("surveymonkey")
    assert (len(found.verdicts), len(found.people)) == (27, 26)
    assert not found.reasons
    assert "columns 11 (K), 12 (L) have no name: sent as #11, #12" in found.notes
    people = list(found.people.values())
    assert people[0]["ended_at"] == datetime(2024, 5, 4, 10, 14, tzinfo=UTC)
    assert people[1]["other_fruit"] == "Quinces, if there are any"
    assert people[2]["comes_again"] == 10, "answered again"
    assert {row["apples"] for row in people} == {"Apples", None}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_field_of_every_example_is_in_the_tool_s_own_file(path: Path) -> None:
    contract = load_contract(path)
    (file,) = (other for other in EXAMPLES.glob(f"{path.stem}.*") if other.suffix != ".toml")
    assert set(contract.file_sources) <= set(read_answers(file, contract).header)


def test_there_is_an_example_for_each_tool() -> None:
    tools = {"limesurvey", "google_forms", "microsoft_forms", "qualtrics", "surveymonkey"}
    assert {path.stem for path in EXAMPLES.iterdir()} == tools
