"""What a report says where there is little to say: no table, one answer only, a p beside the level, numbers of any size."""

import html
from dataclasses import replace

import pytest

from support.findings_sample import EMPTY, FOOD, SAMPLE, of_groups, summary
from support.findings_sample import report as statements_of
from surveylake.export.report.render import write_report


def pages(findings, folder):
    """The words of report.md, without what escapes them, and of report.html."""
    folder.mkdir(exist_ok=True)
    write_report(statements_of(findings), findings, [], folder)
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("report.md", "report.html")]
    return texts[0].replace("\\", ""), html.unescape(texts[1])


def answering(outcome, *cells):
    """Findings whose people answered an outcome so: (group, answer, people)."""
    both = summary(("gender", outcome), list(cells))
    return replace(SAMPLE, outcomes={**SAMPLE.outcomes, outcome: both})


def test_a_question_without_a_table_has_no_card_that_says_that_there_are_no_answers(tmp_path):
    by = [columns for columns in FOOD.summaries.by if columns != ["gender"]]
    contract = FOOD.model_copy(update={"summaries": FOOD.summaries.model_copy(update={"by": by})})
    tables = {columns: table for columns, table in SAMPLE.summaries.items() if columns != ("gender",)}
    for text in pages(replace(SAMPLE, contract=contract, summaries=tables), tmp_path):
        assert "No data" not in text
        assert "How many answered, by gender?" not in text
        assert "165 women, 123 men" in text
    for text in pages(EMPTY, tmp_path):
        assert "How many answered, by gender?" in text
        assert "Gender: nobody answered yet" in text


def test_the_heading_says_which_groups_are_compared(tmp_path):
    for text in pages(SAMPLE, tmp_path):
        assert "where the two largest groups are furthest apart" in text
        assert "where the shares are furthest apart" not in text


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("Female", "Yes", 100), ("Male", "Yes", 90)], "nothing to compare: the table has one answer only"),
        ([("Female", "Yes", 100), ("Female", "No", 90)], "nothing to compare: the table has one group only"),
        ([("Female", "Yes", 190)], "nothing to compare: the table has one group and one answer only"),
    ],
)
def test_answers_that_cannot_be_compared_are_not_called_no_data(tmp_path, cells, said):
    findings = answering("dessert", *cells)
    (test,) = statements_of(findings).all("association", "gender", "dessert")
    assert (test.text, test.n, test.test, test.p, test.more["conclusion"]) == (
        said,
        190,
        "none",
        None,
        "nothing to compare",
    )
    assert f"| dessert | {said} |" in pages(findings, tmp_path)[0]


def test_nobody_is_still_no_data():
    (test,) = statements_of(EMPTY).all("association", "gender", "dessert")
    assert (test.text, test.n, test.test, test.more["conclusion"]) == ("no data", 0, "no data", "no data")


@pytest.mark.parametrize(
    ("women", "men", "said"),
    [
        (545, 491, "in 4.98 % of surveys this size; under 5 % counts as support"),
        (182, 151, "in 5.002 % of surveys this size: too often"),
    ],
)
def test_a_p_beside_the_level_is_said_on_its_side(tmp_path, women, men, said):
    for text in pages(of_groups({"Female": women, "Male": men}), tmp_path):
        assert said in text


def test_measures_large_and_small_are_readable_in_the_tables(tmp_path):
    table = summary(("gender",), [
        ("Female", 20, 1234567.4, 1234567.0, 999.5, 1_000_000, 2_000_000), ("Male", 15, 0.0366667, 0.035, 0.0123, 0.02, 0.06),
    ])  # fmt: skip
    findings = replace(SAMPLE, summaries={**SAMPLE.summaries, table.by: table})
    measures = {
        measure.groups[0]: measure.text for measure in statements_of(findings).all("measure", "gender")
    }
    assert measures == {
        "Female": "Female: mean 1,234,567.4, median 1,234,567, sd 999.5, min 1,000,000, max 2,000,000",
        "Male": "Male: mean 0.0367, median 0.035, sd 0.0123, min 0.02, max 0.06",
    }
    text = pages(findings, tmp_path)[0]
    assert "| Female | 20 | 57.1 % | 1,234,567.4 | 1,234,567 | 999.5 | 1,000,000 | 2,000,000 |" in text
    assert "| Male | 15 | 42.9 % | 0.0367 | 0.035 | 0.0123 | 0.02 | 0.06 |" in text
