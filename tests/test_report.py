"""The report: what it says, that every number in it is computed, and that no data can run or load anything in it."""

import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from findings_sample import EMPTY, FOOD, PLAIN, SAMPLE, of_groups, summary
from surveylake.charts import draw_charts
from surveylake.evidence import weigh
from surveylake.reasons import in_words
from surveylake.report import markdown, write_report

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


def report(findings, folder, smallest_group=5):
    """The three files' texts: pipeline.svg, report.md, report.html."""
    charts = draw_charts(findings, folder / "charts")
    paths = write_report(findings, weigh(findings), charts, folder, smallest_group)
    assert [path.name for path in paths] == ["pipeline.svg", "report.md", "report.html"]
    return [path.read_text(encoding="utf-8") for path in paths]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return report(SAMPLE, tmp_path_factory.mktemp("report"))


def test_the_two_questions_are_answered_first(sample):
    text = " ".join(Page(sample[2]).text.split())
    assert "How many answered, by gender? women 165 57.3 % men 123 42.7 %" in text
    assert (
        "Is it so that women consume more than men at this snack bar? Supported, as far as answers can say"
        in text
    )
    assert text.index("Is it so that") < text.index("What the test says") < text.index("Charts")


def test_the_test_is_told_with_share_interval_p_and_caveat(sample):
    for text in (Page(sample[2]).text, sample[1].replace("\\", "")):
        assert "57.3 % of the 288 answers are from women: 165 women, 123 men." in text
        assert "51.4 % to 63.1 %" in text
        assert "two-sided p = 0.016, one-sided p = 0.008" in text
        assert "These are answers to a survey, not sales" in text


def test_what_was_received_is_shown_where_it_differs_from_what_is_counted(sample):
    assert "Female: 166 as received, 165 accepted, 165 counted." in sample[1]
    assert "| Male | 123 | 123 | 123 |" in sample[1]
    assert "Male: 123 as received" not in sample[1]


def test_rejections_are_told_by_reason_and_spellings_by_name(sample):
    assert "| Age is out of range (allowed: 5 to 110) | out\\_of\\_range:Age | 1 |" in sample[1]
    assert "kept as written: Muslim." in sample[1]


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
    table = summary(("gender",), [(HOSTILE, 9), ("Female", 7)], 16)
    findings = replace(
        EMPTY, summaries={table.name: table}, unmapped={"nationality": (HOSTILE,)}, rejected_by_rule={HOSTILE: 3},
        received_by=({"gender": HOSTILE, "received": 9, "accepted": 8, "responses": 8},),
        contract=FOOD.model_copy(update={"title": HOSTILE}),
    )  # fmt: skip
    pipeline, text, page = report(findings, tmp_path)
    assert "script" not in {tag for tag, _ in Page(page).tags}
    assert "<script" not in pipeline + text + page
    assert "{{7*7}}" in Page(page).text
    assert "[x](http" not in text
    assert "\\[x\\](http" in text
    ElementTree.fromstring(pipeline)


def test_no_answers_at_all_make_a_report_that_says_so(tmp_path):
    _, text, page = report(EMPTY, tmp_path)
    assert "No data: nobody answered yet" in text
    assert "Nothing was rejected." in text
    assert Page(page).text.count("no data") >= 9


def test_a_contract_without_hypothesis_charts_and_measure_makes_a_report(tmp_path):
    table = summary(("colour",), [("red", 7), ("blue", 5)], 12)
    findings = replace(EMPTY, contract=PLAIN, responses=12, summaries={table.name: table})
    _, text, page = report(findings, tmp_path)
    assert "| red | **7** | 58.3 % |" in text
    assert "Is it so that" not in text + page
    assert "| colour | answers | share |" in text


def test_a_group_under_the_smallest_is_withheld_with_the_share_that_tells_it(tmp_path):
    findings = replace(EMPTY, group_counts={"Female": 171, "Male": 3}, responses=174)
    for text in report(findings, tmp_path)[1:]:
        assert "Withheld: one of the two groups is too small to publish" in text
        assert "171" not in re.sub(r"data:\S+", "", text)
        assert "98.3 %" not in text


def test_long_tables_are_cut_and_say_where_the_rest_is(tmp_path):
    _, text, _ = report(of_groups({f"group {i}": 9 for i in range(500)}), tmp_path)
    assert "460 more rows are in summary_gender.csv." in text


def test_many_partitions_are_cut_and_say_where_the_rest_is(tmp_path):
    offsets = tuple(replace(SAMPLE.offsets[0], partition=i) for i in range(1_000))
    _, text, _ = report(replace(SAMPLE, offsets=offsets), tmp_path)
    assert "976 more partitions are in manifest.json." in text


def test_the_same_findings_give_the_same_bytes(tmp_path, sample):
    assert report(SAMPLE, tmp_path) == sample


@pytest.mark.parametrize(("reason", "said"), [
    ("malformed", "not readable as JSON"),
    ("missing_field:Age", "Age is missing"),
    ("not_allowed:Gender", "Gender is not one of the allowed answers (allowed: Female or Male)"),
    ("out_of_range:Nobody", "Nobody is out of range"),
    ("adults_only", "the survey's rule 'adults_only' does not hold"),
])  # fmt: skip
def test_a_reason_is_said_in_words(reason, said):
    assert in_words(reason, FOOD) == said


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
