"""Made-up files in the shapes that people publish: drafted, edited in a few lines, and every person counted."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import check
import draft
from support import field_twins, reference_verdict
from support.field_twins import TWINS, Twin
from surveylake.contract.model import Contract, load_contract
from surveylake.draft.contract_text import contract_text
from surveylake.draft.survey_draft import draft_survey
from surveylake.produce.csv_rows import chunks, read_answers

MOST_EDITS = 10
NAMES = [made.__name__ for made in TWINS]
Edits = dict[str, str]
"""A line of the draft -> what a person writes in its place."""
EDITS: dict[str, Edits] = {
    "google_form_small": {'title = "Google form small"': 'title = "Who cooks?"'},
    "google_form_large": {
        'allowed = ["5-Jan", "25-Jun", "26-100", "100-500", "500-1000", "More than 1000"]':
            'allowed = ["1-5", "6-25", "26-100", "100-500", "500-1000", "More than 1000"]\nspellings = { "1-5" = ["5-Jan"], "6-25" = ["25-Jun"] }',
        "#[fields.gender.spellings]": "[fields.gender.spellings]",
        "#Male = ": "Male = ", "#Female = ": "Female = ", "#Woman = ": "Woman = ",
        'type = "integer"                        # 1,258 of 1,259 answers are whole numbers, from -1726 to 329':
            'type = "integer"\nmin = 5\nmax = 110',
    },
    "free_text_and_units": {
        "# 2 different numbers in 125 answers; if they are codes: type = \"string\", and labels = { 1 = \"…\", 2 = \"…\" }\nallowed = [1, 2]\n\n[fields.breakfast]":
            "\n[fields.breakfast]",
    },
    "lists_and_cut": {'type = "integer"                        # 279 of 308': 'type = "string"                         # 279 of 308',
                      '# 29 answers are not of this type: \'Less than 1 year\' 19 times, \'More than 50 years\' 10 times\nwhen_wrong = "blank"': ""},
    "weights": {'key = "row"': 'key = "column_1"', 'type = "integer"                        # all 350': 'required = true\ntype = "integer"                        # all 350'},
    "spanish": {"#[fields.municipio.spellings]": "[fields.municipio.spellings]", '#"Mérida" = ': '"Mérida" = '},
    "mac_two_headers": {'title = "Mac two headers"': 'title = "Which film?"'},
}  # fmt: skip


@dataclass(frozen=True)
class Drafted:
    """A twin, its file, and its contract as it was drafted."""

    twin: Twin
    file: Path
    text: str

    def contract(self, edits: Edits | None = None) -> Contract:
        """The contract, with the edits; each is of one place."""
        return load_contract(self.survey(edits))

    def survey(self, edits: Edits | None = None) -> Path:
        """The file of the contract."""
        text = self.text
        for line, other in (edits or {}).items():
            assert text.count(line) == 1, f"once in the draft: {line}"
            text = text.replace(line, other)
        path = self.file.with_suffix(".edited.toml")
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drafted]:
    """Every twin, drafted by the verb."""
    folder, found = tmp_path_factory.mktemp("twins"), {}
    for made in TWINS:
        twin = made()
        file = twin.write(folder)
        assert draft.main([str(file)]) == 0
        found[twin.name] = Drafted(twin, file, file.with_suffix(".toml").read_text(encoding="utf-8"))
    return found


def people_by_the_second_judge(file: Path, contract: Contract) -> tuple[int, int]:
    """How many records the second judge accepts, and from how many people."""
    answers = read_answers(file, contract)
    verdicts = [
        reference_verdict.verdict(value, contract, 65_536)
        for chunk in chunks(answers, contract)
        for _, _, _, value in chunk
    ]
    accepted = [verdict.row[contract.key] for verdict in verdicts if verdict.accepted]
    return len(accepted), len(set(accepted))


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_counts_every_person_as_it_is(drafts: dict[str, Drafted], name: str) -> None:
    drafted = drafts[name]
    people = drafted.twin.people
    assert people_by_the_second_judge(drafted.file, drafted.contract()) == (people, people)


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_is_mended_in_ten_lines(drafts: dict[str, Drafted], name: str) -> None:
    drafted, edits = drafts[name], EDITS.get(name, {})
    people = drafted.twin.people
    assert len(edits) <= MOST_EDITS
    assert people_by_the_second_judge(drafted.file, drafted.contract(edits)) == (people, people)


@pytest.mark.parametrize("name", NAMES)
def test_check_says_how_many_people_there_are(
    drafts: dict[str, Drafted], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted = drafts[name]
    rows = f"{drafted.twin.people:,}"
    code = check.main([str(drafted.file), "--survey", str(drafted.survey(EDITS.get(name)))])
    assert f"{rows} of {rows} rows would be accepted, from {rows} people" in capsys.readouterr().out
    assert code == (9 if drafted.twin.bad_lines else 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_file_always_gives_the_same_draft(drafts: dict[str, Drafted], name: str) -> None:
    assert contract_text(draft_survey(drafts[name].file)) == drafts[name].text


def test_a_line_that_was_cut_is_named(drafts: dict[str, Drafted]) -> None:
    drafted = drafts["lists_and_cut"]
    assert list(read_answers(drafted.file, drafted.contract()).bad) == [drafted.twin.people + 2]


def test_the_twins_have_the_shapes_of_the_open_files() -> None:
    assert len(TWINS) == 14
    shapes = {
        made.__name__: (made().people, made().data.decode("latin-1").split("\n")[0].count(",") + 1)
        for made in TWINS
    }
    assert shapes["google_form_small"] == (101, 11)
    assert shapes["google_form_large"] == (1259, 27)
    assert shapes["likert_150"] == (300, 150)
    assert shapes["spanish"][1] == 39
    assert shapes["blank_genders"] == (288, 8)
    assert shapes["lists_and_cut"][1] == 84


@pytest.mark.parametrize(("name", "line"), [
    ("google_form_small", 'format = "M/d/yyyy H:mm"'),
    ("google_form_small", 'separator = ","'),
    ("google_form_small", "# timestamp_answer ('Timestamp') would swallow"),
    ("google_form_large", 'missing = ["NA"]'),
    ("google_form_large", "'5-Jan' is likely 1-5, '25-Jun' is likely 6-25"),
    ("google_form_large", 'when_wrong = "blank"                    # 1 answer is not of this type: \'99999999999\''),
    ("semicolons", 'delimiter = ";"'),
    ("likert_150", 'source = "Energy levels#2"'),
    ("likert_150", 'type = "scale"'),
    ("free_text_and_units", "2 answers are not of this type: '144 lbs', 'I'm not answering this.'"),
    ("poll_long_headers", "[derived.side_dishes_typically_dinner.choices]"),
    ("poll_long_headers", '"Sweet Potato" = "type_pie_dinner_sweet_potato"'),
    ("poll_long_headers", 'key = "respondent_id"'),
    ("weights", 'type = "double"'),
    ("weights", "# column_1 ('#1') is another one in each row, and does not look like somebody's id"),
    ("lists_and_cut", "# 1 line cannot be sent (line 321 has 16 cells, the header 84)"),
    ("lists_and_cut", 'type = "set"'),
    ("clean_decimals", 'type = "decimal(6,2)"'),
    ("spanish", 'format = "d/M/yyyy H:mm:ss"'),
    ("spanish", 'allowed = ["Nunca", "Rara vez", "A veces", "Casi siempre", "Siempre"]'),
    ("windows_and_blank_rows", 'encoding = "windows-1252"'),
    ("windows_and_blank_rows", 'decimal = ","'),
    ("windows_and_blank_rows", 'blank_rows = "skip"'),
    ("quoted_headers", "source = \"What does 'home' mean to you?\""),
    ("quoted_headers", 'label = "How \\"modern\\" is your kitchen? (1 = not, 5 = very)"'),
    ("mac_two_headers", 'encoding = "mac-roman"'),
    ("mac_two_headers", "header_rows = 2"),
    ("mac_two_headers", 'source = "#28"'),
    ("blank_genders", 'allowed = ["Female", "Male"]'),
])  # fmt: skip
def test_a_draft_recognises(drafts: dict[str, Drafted], name: str, line: str) -> None:
    assert line in drafts[name].text


def test_every_guess_has_its_evidence(drafts: dict[str, Drafted]) -> None:
    for drafted in drafts.values():
        lines = drafted.text.split("\n")
        for at, line in enumerate(lines):
            if line.startswith("type = "):
                assert "#" in line or lines[at - 1].startswith("#"), line


def test_the_seeds_make_the_same_files() -> None:
    assert field_twins.blank_genders().data == field_twins.blank_genders().data
