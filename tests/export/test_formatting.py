"""Values in sentences: a right-to-left value is isolated, so that it cannot reorder the words and numbers around it."""

import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from support.findings_sample import FOOD, of_groups, report
from surveylake.aggregate.findings import ReceivedLine
from surveylake.export.charts.render import draw_charts
from surveylake.export.charts.style import drawing, text_width, wrapped
from surveylake.export.formatting import in_sentence, isolated, shorten
from surveylake.export.report.render import markdown, write_report

FSI, PDI = "\u2068", "\u2069"
ARABIC, HEBREW = "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"


def outside(text):
    """The text without what is isolated in it."""
    return re.sub(f"{FSI}[^{FSI}{PDI}]*{PDI}", "", text)


def turned(text):
    return {char for char in text if unicodedata.bidirectional(char) in ("R", "AL", "AN")}


@pytest.mark.parametrize("value", [ARABIC, HEBREW, "\u0663", f"a {ARABIC} b"])
def test_a_value_with_right_to_left_letters_is_isolated(value):
    assert in_sentence(value) == f"{FSI}{value}{PDI}"


@pytest.mark.parametrize("value", ["", "Female", "2 %", "中国", "हिन्दी", "Ürgüp", "a:b", None])
def test_any_other_value_is_not(value):
    assert in_sentence(value) == shorten(value)


def test_an_isolate_of_the_data_is_dropped_and_a_cut_value_stays_closed():
    assert in_sentence(f"{ARABIC}{PDI}{FSI}") == isolated(ARABIC)
    assert in_sentence(ARABIC, 3) == f"{FSI}{ARABIC[:2]}…{PDI}"


def test_an_isolate_that_is_broken_over_lines_is_closed_in_each():
    with drawing():
        lines = wrapped(f"{isolated(' '.join([HEBREW] * 12))} 3", 12.5, "bold", 3).split("\n")
    assert len(lines) > 1
    assert all(FSI in line for line in lines)
    assert not any(turned(outside(line)) for line in lines)


def test_markdown_keeps_the_isolates_of_a_sentence():
    assert markdown(f"{isolated(ARABIC)} 3") == f"{isolated(ARABIC)} 3"


class _Words(HTMLParser):
    """The texts of a page, and its alternative texts."""

    def __init__(self, page):
        super().__init__()
        self.words = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.words += [value for name, value in attrs if name in ("alt", "aria-label")]

    def handle_data(self, data):
        self.words.append(data)


def test_no_sentence_of_a_report_is_reordered_by_a_name_and_no_picture_shows_a_box(tmp_path):
    claim = FOOD.hypothesis.model_copy(
        update={"more": ARABIC, "less": HEBREW, "words": {ARABIC: ARABIC, HEBREW: HEBREW}}
    )
    findings = replace(
        of_groups({ARABIC: 9, HEBREW: 7, "Female": 7}),
        contract=FOOD.model_copy(update={"hypothesis": claim}),
        received_by=(ReceivedLine(ARABIC, "named", 12, 9, 9), ReceivedLine(HEBREW, "named", 7, 7, 7)),
        unknown_spellings={"nationality": {HEBREW: 6}},
    )
    statements = report(findings)
    charts = draw_charts(statements, findings, tmp_path / "charts")
    assert {chart.boxes for chart in charts} == {""}
    for chart in charts:
        assert not turned(outside(f"{chart.title} {chart.caption} {chart.alt}")), chart.name
    for statement in statements.statements:
        words = [statement.text, *(str(part) for part in statement.more.values() if isinstance(part, str))]
        assert not turned(outside(" ".join(words))), statement
    write_report(statements, findings, charts, tmp_path)
    alone = {ARABIC, HEBREW}
    page = _Words((tmp_path / "report.html").read_text(encoding="utf-8")).words
    assert not {text for text in page if turned(outside(text))} - alone, (
        "a cell may hold nothing but the name"
    )
    cells = re.split(r"[|\n]", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert not {cell.strip() for cell in cells if turned(outside(cell))} - alone


def test_an_isolate_takes_no_room_in_a_picture():
    with drawing() as boxes:
        assert text_width(isolated(ARABIC)) == text_width(ARABIC)
    assert boxes == set()
