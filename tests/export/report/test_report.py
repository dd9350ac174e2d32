"""The report: what it says, that every number in it is computed, and that no data can run or load anything in it."""

import base64
import hashlib
import html
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from support.findings_sample import EMPTY, FOOD, PLAIN, SAMPLE, of_groups, summary
from support.findings_sample import report as statements_of
from surveylake.aggregate.findings import Line, ReceivedLine
from surveylake.export.charts.render import draw_charts
from surveylake.export.reason_text import in_words, remedy
from surveylake.export.report.render import markdown, write_report

HOSTILE = "<script>alert(1)</script> | [x](http://evil.example) `$x$` {{7*7}} \"'&"


class Page(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data + " "


def report(findings, folder):
    """The texts of pipeline.svg, report.md and report.html."""
    statements = statements_of(findings)
    paths = write_report(statements, findings, draw_charts(statements, findings, folder / "charts"), folder)
    assert [path.name for path in paths] == ["report.json", "pipeline.svg", "report.md", "report.html"]
    return [path.read_text(encoding="utf-8") for path in paths[1:]]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return report(SAMPLE, tmp_path_factory.mktemp("report"))


def test_the_two_questions_are_answered_first(sample):
    text = " ".join(Page(sample[2]).text.split())
    assert "How many answered, by gender? women 165 57.3 % men 123 42.7 % n = 288 people." in text
    assert (
        "Is it so that women consume more than men at this snack bar? Supported, as far as answers can say"
        in text
    )
    assert text.index("Is it so that") < text.index("What the test says") < text.index("Charts")


def test_the_test_is_told_with_share_interval_p_and_caveat(sample):
    for text in (Page(sample[2]).text, sample[1].replace("\\", "")):
        assert "57.3 % of the 288 women and men are women: 165 women, 123 men." in text
        assert (
            "One-sided exact binomial test against one half, as the claim has a direction: p = 0.008." in text
        )
        assert "With 95 % confidence the share of women is 52.3 % or more" in text
        assert "would turn up in 0.8 % of surveys this size" in text
        assert "These are answers to a survey, not sales" in text


def test_what_was_received_is_shown_where_it_differs_from_what_is_counted(sample):
    assert "Female: 166 as received, 165 accepted, 165 counted." in sample[1]
    assert "| Male | 123 | 123 | 123 |" in sample[1]
    assert "Male: 123 as received" not in sample[1]


def test_rejections_are_told_by_reason_and_spellings_by_name(sample):
    assert "| Age is out of range (allowed: 5 to 110) | out\\_of\\_range:Age | 1 |" in sample[1]
    assert (
        "kept as written: Martian; and 1 spelling of fewer than 5 people each, not named here." in sample[1]
    )
    assert "Venusian" not in "".join(sample)


def test_provenance_names_version_offsets_and_contract(sample):
    for text in sample[1].replace("\\", ""), sample[2]:
        assert "records, version 3" in text
        assert FOOD.fingerprint in text
    assert "| Food | 1 | 1 | 0 | 77 | 78 |" in sample[1]


def test_the_pictures_numbers_are_the_findings(sample):
    text = " ".join(ElementTree.fromstring(sample[0]).itertext())
    for number in (
        "289 received",
        "288 accepted",
        "1 rejected",
        "288 people",
        "9 tables",
        "9 charts",
        "4 partitions",
    ):
        assert number in text


def test_other_findings_give_other_numbers_everywhere(tmp_path):
    texts = report(of_groups({"Female": 411, "Male": 707}), tmp_path)
    for text in texts[1:]:
        assert not re.search(
            r"\b(165|123|288|289|57\.3|166)\b",
            re.sub(r"data:\S+|[0-9a-f]{64}|<svg.*?</svg>|style.*?/style", "", text, flags=re.S),
        )
        assert "Not supported by the answers" in text
        assert "the answers lean the other way" in text


def test_the_page_loads_and_runs_nothing(sample):
    tags = Page(sample[2]).tags
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "href", "srcset")
        ], tag
        assert attributes.get("src", "data:").startswith("data:")
    assert "http://" not in re.sub(r'xmlns="[^"]+"', "", sample[2])
    assert "https://" not in sample[2]


def test_the_policy_allows_inline_images_and_this_style_alone(sample):
    style = re.search(r"<style>(.*?)</style>", sample[2], re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(
        a["content"] for _, a in Page(sample[2]).tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert (
        policy
        == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_every_chart_is_in_the_page_with_its_words_and_the_colours_of_a_dark_page(sample):
    images = [attributes for tag, attributes in Page(sample[2]).tags if tag == "img"]
    assert len(images) == 9
    for image in images:
        svg = base64.b64decode(image["src"].partition(",")[2]).decode()
        ElementTree.fromstring(svg)
        assert "prefers-color-scheme: dark" in svg
        assert "n = 288" in image["alt"]
        assert int(image["width"]) > 0 < int(image["height"])


def test_the_markdown_links_the_pictures_beside_it(sample):
    assert "](charts/bar_gender.png)" in sample[1]
    assert "](pipeline.svg)" in sample[1]


def test_hostile_text_stays_text(tmp_path):
    table = summary(("gender",), [(HOSTILE, 9), ("Female", 7)])
    findings = replace(
        EMPTY, summaries={table.by: table}, unknown_spellings={"nationality": {HOSTILE: 9}}, rejected_by_rule={HOSTILE: 3},
        received=19, received_by=(ReceivedLine(HOSTILE, "named", 9, 8, 8),),
        contract=FOOD.model_copy(update={"title": HOSTILE}),
    )  # fmt: skip
    pipeline, text, page = report(findings, tmp_path)
    assert "script" not in {tag for tag, _ in Page(page).tags}
    assert "<script" not in pipeline + text + page
    assert "{{7*7}}" in Page(page).text
    assert "[x](http" not in text
    assert "\\[x\\](http" in text
    ElementTree.fromstring(pipeline)


def test_the_question_stands_with_its_table_and_its_chart(tmp_path):
    asked = FOOD.fields["gender"].model_copy(update={"label": "Are you a woman or a man?"})
    contract = FOOD.model_copy(update={"fields": {**FOOD.fields, "gender": asked}})
    _, text, page = report(replace(SAMPLE, contract=contract), tmp_path)
    assert "gender: Are you a woman or a man?" in Page(page).text
    assert "gender: Are you a woman or a man?" in text
    captions = [tag["alt"] for kind, tag in Page(page).tags if kind == "img"]
    assert [alt for alt in captions if "gender: Are you a woman or a man? n = 288 people" in alt]
    assert not [alt for alt in captions if alt.startswith("Bar chart of answers by juice") and "?" in alt]


def test_answers_that_were_left_blank_are_counted_by_reason(tmp_path):
    text, page = report(replace(SAMPLE, blanked_by_reason={"not_a_number:Age": 7}), tmp_path)[1:]
    for words in (text.replace("\\", ""), Page(page).text):
        assert "left blank" in words and "Age is not a number" in words and "not_a_number:Age" in words
    assert "| Age is not a number | not\\_a\\_number:Age | 7 |" in text
    assert "left blank" not in report(SAMPLE, tmp_path / "none")[1]


def test_a_group_is_called_by_its_whole_name_as_received(tmp_path):
    """A name may hold what separates the words of a statement."""
    lines = (ReceivedLine("a:b", "named", 9, 8, 8), ReceivedLine("a, b: c", "named", 7, 7, 7))
    blank = ReceivedLine(None, "named", 6, 6, 6)
    _, text, page = report(replace(SAMPLE, received_by=(*lines, blank)), tmp_path)
    for row in ("| a:b | 9 | 8 | 8 |", "| a, b: c | 7 | 7 | 7 |", "| without gender | 6 | 6 | 6 |"):
        assert row in text
    for cell in ("a:b", "a, b: c", "without gender"):
        assert f'<td class="name">{cell}</td>' in page


def test_no_answers_at_all_make_a_report_that_says_so(tmp_path):
    _, text, page = report(EMPTY, tmp_path)
    assert "No data: nobody answered yet" in text
    assert "Nothing was rejected." in text
    assert Page(page).text.count("nobody answered") >= 9


def test_when_everything_was_rejected_the_report_says_why_and_what_to_do(tmp_path):
    """Field row A7."""
    findings = replace(EMPTY, received=40, rejected_by_rule={"not_allowed:Gender": 40})
    _, text, page = report(findings, tmp_path)
    for words in (text.replace("\\", ""), Page(page).text):
        assert "No data: none of the 40 records received was accepted" in words
        assert "nobody answered yet" not in words
        assert (
            "40 of 40 records were rejected, all because Gender is not one of the allowed answers (allowed: Female or Male)."
            in words
        )
        assert "correct fields.gender in the contract, then run jobs/replay.py" in words


def test_people_are_told_what_their_key_did(tmp_path):
    """Field row A6."""
    _, text, _ = report(replace(SAMPLE, accepted=291, received=292), tmp_path / "few")
    assert "3 answers were replaced by a later one of the same participant\\_id." in text
    assert "may not say who answered" not in text
    _, text, _ = report(replace(SAMPLE, accepted=658, received=659), tmp_path / "many")
    assert "That is 56.2 % of the answers accepted: participant\\_id may not say who answered." in text


def test_blanks_stand_beside_a_table_and_are_no_part_of_its_shares(tmp_path):
    """Field row A2."""
    table = summary(("gender",), [("F", 40), ("M", 40)], blank=10)
    _, text, _ = report(replace(SAMPLE, summaries={table.by: table}), tmp_path)
    assert "n = 80; 10 did not answer gender." in text
    assert "| F | 40 | 50.0 % |" in text


def test_the_report_as_data_holds_what_the_pages_say(tmp_path):
    report(SAMPLE, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    by_kind = {statement["what"]: statement for statement in content["statements"]}
    assert (content["format"], content["records_version"], content["smallest_group"]) == (
        "surveylake report 1",
        3,
        5,
    )
    assert by_kind["claim"]["n"] == 288
    assert by_kind["claim"]["share"] == pytest.approx(165 / 288)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for statement in content["statements"]:
        if statement["what"] == "chart":
            assert html.escape(statement["more"]["alt"], quote=False) in page.replace("&#39;", "'").replace(
                "&#34;", '"'
            )


def test_nothing_is_said_of_a_test_where_it_would_tell_of_cells_that_are_not_shown(tmp_path):
    both = replace(
        SAMPLE.outcomes["food"],
        lines=(*SAMPLE.outcomes["food"].lines[:2], Line(("(not shown)",) * 2, "held", 123, {})),
    )
    _, text, page = report(replace(SAMPLE, outcomes={**SAMPLE.outcomes, "food": both}), tmp_path)
    assert "p, Holm: adjusted for testing 2 questions." in page
    assert "| food | not said; what people answered who are not shown could be worked out from it |" in text
    assert "| 288 | not said | – | not said | not said | – |" in text
    assert "p, Holm: adjusted for testing 3 questions." in report(SAMPLE, tmp_path)[2]


def test_a_contract_without_hypothesis_charts_and_measure_makes_a_report(tmp_path):
    table = summary(("colour",), [("red", 7), ("blue", 5)])
    findings = replace(
        EMPTY,
        contract=PLAIN,
        received=12,
        accepted=12,
        responses=12,
        summaries={table.by: table},
        outcomes={},
    )
    _, text, page = report(findings, tmp_path)
    assert "| red | **7** | 58.3 % |" in text
    assert "Is it so that" not in text + page
    assert "| colour | answers | share |" in text


def test_a_group_under_the_smallest_is_withheld_with_the_share_that_tells_it(tmp_path):
    findings = replace(
        EMPTY, group_counts={"Female": 171, "Male": 3}, responses=174, accepted=174, received=174
    )
    for text in report(findings, tmp_path)[1:]:
        assert "Withheld: one of the two groups is too small to publish" in text
        assert "171" not in re.sub(r"data:\S+", "", text)
        assert "98.3 %" not in text


def test_long_tables_are_cut_and_say_where_the_rest_is(tmp_path):
    _, text, _ = report(of_groups({f"group {i}": 9 for i in range(500)}), tmp_path)
    assert "460 more rows are in summary_gender.csv." in text


def test_wide_tables_are_cut_and_say_where_the_rest_is(tmp_path):
    steps = [str(step) for step in range(11)]
    pairs = [(group, step, 9) for group in ("Female", "Male") for step in steps]
    findings = replace(SAMPLE, summaries={("gender", "food"): summary(("gender", "food"), pairs)})
    for text in report(findings, tmp_path)[1:]:
        assert "Columns are the first 8 of 11 values of food; all are in summary_gender_food.csv." in text
    pairs = [(group, step, 9) for group in ("Female", "Male") for step in steps[:8]]
    findings = replace(SAMPLE, summaries={("gender", "food"): summary(("gender", "food"), pairs)})
    assert "Columns are the first" not in report(findings, tmp_path)[1]


def test_many_partitions_are_cut_and_say_where_the_rest_is(tmp_path):
    offsets = tuple(replace(SAMPLE.offsets[0], partition=i) for i in range(1_000))
    _, text, _ = report(replace(SAMPLE, offsets=offsets), tmp_path)
    assert "976 more partitions are in manifest.json." in text


def test_the_same_findings_give_the_same_bytes(tmp_path, sample):
    assert report(SAMPLE, tmp_path) == sample


@pytest.mark.parametrize(("reason", "step"), [
    ("not_allowed:Gender", "If the answers are right, correct fields.gender in the contract"),
    ("missing_field:Age", "correct fields.age.source in the contract"),
    ("malformed", "Whoever fills the topic does not send JSON objects"),
])  # fmt: skip
def test_a_reason_comes_with_what_to_do(reason, step):
    assert step in remedy(reason, FOOD)


@pytest.mark.parametrize(("reason", "said"), [
    ("malformed", "not readable as JSON"),
    ("missing_field:Age", "Age is missing"),
    ("not_allowed:Gender", "Gender is not one of the allowed answers (allowed: Female or Male)"),
    ("out_of_range:Nobody", "Nobody is out of range"),
    ("adults_only", "the survey's rule 'adults_only' does not hold"),
])  # fmt: skip
def test_a_reason_is_said_in_words(reason, said):
    assert in_words(reason, FOOD) == said


def test_of_many_allowed_answers_it_is_said_that_there_are_more():
    towns = FOOD.fields["gender"].model_copy(update={"allowed": [f"town {number}" for number in range(30)]})
    contract = FOOD.model_copy(update={"fields": {"gender": towns}})
    said = in_words("not_allowed:Gender", contract)
    assert said.endswith(
        "(allowed: town 0, town 1, town 2, town 3, town 4, town 5, town 6, town 7 and 22 more)"
    )


def test_a_range_open_at_one_end_is_said_so():
    open_top = FOOD.model_copy(
        update={"fields": {"age": FOOD.fields["age"].model_copy(update={"max": None})}}
    )
    open_foot = FOOD.model_copy(
        update={"fields": {"age": FOOD.fields["age"].model_copy(update={"min": None})}}
    )
    assert in_words("out_of_range:Age", open_top).endswith("(allowed: 5 and more)")
    assert in_words("out_of_range:Age", open_foot).endswith("(allowed: up to 110)")


def test_markdown_keeps_data_on_its_line():
    assert markdown("a|b\n# c_d <e> & f") == "a\\|b \\# c\\_d &lt;e&gt; &amp; f"
