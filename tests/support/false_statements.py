"""False statements to put into a good report: what reports printed once (rows a1 to a13), and their kin."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Report = dict[str, Any]


class Copy:
    """A good report, about to be made false."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report: Report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        self.statements: list[Report] = self.report["statements"]

    def each(self, what: str, *columns: str, of: tuple[str, ...] = ()) -> Iterator[Report]:
        for s in self.statements:
            if (s["what"], tuple(s.get("columns", ()))) == (what, columns) and (
                not of or tuple(s["groups"]) == of
            ):
                yield s

    def one(self, what: str, *columns: str, of: tuple[str, ...] = ()) -> Report:
        (statement,) = self.each(what, *columns, of=of)
        return statement

    def chart(self, name: str) -> Report:
        return self.one("chart", of=(name,))

    def drop(self, what: str, *columns: str, of: tuple[str, ...] = ()) -> None:
        gone = list(map(id, self.each(what, *columns, of=of)))
        assert gone, "nothing to drop"
        self.statements[:] = [s for s in self.statements if id(s) not in gone]

    def swap(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def write(self) -> None:
        (self.folder / "report.json").write_text(
            json.dumps(self.report, ensure_ascii=False), encoding="utf-8"
        )


def put(statement: Report, text: str | None = None, **parts: Any) -> None:
    """Change parts of a statement; what is not one of its own is in `more`. None takes a part away."""
    if text is not None:
        statement["text"] = text
    for name, value in parts.items():
        is_own = name in ("value", "base", "share", "n", "test", "p", "rule") or isinstance(value, list)
        place = statement if is_own else statement["more"]
        if value is None and place is statement:
            place.pop(name, None)
        else:
            place[name] = value


def merged_shares(r: Copy) -> None:
    put(r.one("headline", "g", "a"), "never: 100.0 % of M (n = 58) and 100.0 % of F (n = 60)", share_1=1.0, share_2=1.0, n_1=58,
        n_2=60)  # fmt: skip


def merged_shares_in_words(r: Copy) -> None:
    put(r.one("headline", "g", "a"), "never: 100.0 % of F (n = 78) and 100.0 % of M (n = 100)")


def merged_shares_in_an_alternative_text(r: Copy) -> None:
    chart = r.chart("stacked_g_a")
    chart["more"]["alt"] = chart["more"]["alt"].replace("never 60 (76.9 %)", "never 60 (100.0 %)")


def merged_shares_in_a_chart_title(r: Copy) -> None:
    put(r.chart("stacked_g_a"), "never: 100.0 % of F (n = 60) and 100.0 % of M (n = 58)")


def blank_is_an_answer_in_the_test(r: Copy) -> None:
    put(r.one("association", "g", "a"), "differs by g", n=90, p=1e-18, p_holm=1e-18, statistic=90.0, degrees=4, v=0.71,
        groups=3, values=3, conclusion="differs")  # fmt: skip


def blank_is_an_answer_in_the_base(r: Copy) -> None:
    put(r.one("answered", "g"), "n = 90 people", value=90, blank=0)
    put(r.one("group", "g", of=("F",)), "F 40 (44.4 %)", base=90, share=40 / 90)


def blank_is_a_group(r: Copy) -> None:
    line = r.one("group", "a", of=("1-5",))
    at = r.statements.index(line)
    r.statements.insert(
        at, {**line, "groups": ["(none)"], "value": 19, "share": 19 / 99, "text": "(none) 19 (19.2 %)"}
    )


def one_grey_line(r: Copy) -> None:
    r.drop("cell", "g", "a")
    held = {"what": "held", "text": "208 people are in combinations that are not shown", "columns": ["g", "a"], "value": 208,
            "base": 208, "rule": "groups of fewer than 5 people are not named"}  # fmt: skip
    r.statements.append(held)
    put(
        r.one("headline", "g", "a"),
        "G and a: not shown: fewer than 5 people",
        value=None,
        rule="not shown",
        groups=[],
    )


def a_large_group_is_hidden(r: Copy) -> None:
    r.drop("group", "g", of=("F",))
    put(r.one("pooled", "g"), "Other (2 groups) 54 (51.4 %)", value=54, share=54 / 105)
    put(r.one("headline", "g"), "G: M leads, 51 of 105 (48.6 %)", groups=["M"])


def one_of_two_leads(r: Copy) -> None:
    put(r.one("headline", "g"), "G: M leads, 51 of 105 (48.6 %)", groups=["M"])


def a_rare_value_is_named_in_words(r: Copy) -> None:
    put(r.one("pooled", "g"), "Xenon and others: fewer than 5 people")


def a_rare_value_is_a_group(r: Copy) -> None:
    line = r.one("group", "g", of=("F",))
    r.statements.append(
        {**line, "groups": ["Xenon"], "value": 3, "share": 3 / 105, "text": "Xenon 3 (2.9 %)"}
    )


def a_rare_value_has_a_mean(r: Copy) -> None:
    line = r.one("measure", "g", of=("M",))
    r.statements.append(
        {**line, "groups": ["Other (fewer than 5 each)"], "text": "Other (fewer than 5 each): mean 34.1"}
    )


def a_rare_value_is_in_a_csv(r: Copy) -> None:
    r.swap("summary_quant.csv", "Other (fewer than 5 each),,,", "Xenon,3,3,3")


def a_rare_value_is_in_a_picture(r: Copy) -> None:
    r.swap("charts/bar_g.svg", "<!-- F -->", "<!-- Xenon -->")


def a_rare_value_is_on_the_page(r: Copy) -> None:
    r.swap("report.html", '<p class="note">', '<p class="note">Xenon ')


def a_person_is_named(r: Copy) -> None:
    put(r.one("people"), r.one("people")["text"] + " The last was P105.")


def a_small_cell_is_shown(r: Copy) -> None:
    cell = r.one("cell", "g", "a", of=("F", "never"))
    r.statements.append(
        {**cell, "groups": ["F", "some"], "value": 3, "base": 91, "share": 3 / 91, "text": "some 3 (3.3 %)"}
    )


def a_mean_is_kept_back_for_nobody(r: Copy) -> None:
    put(
        r.one("measure", "g", of=("F",)),
        "F: median 4.5, min 0, max 9",
        mean=None,
        sd=None,
        rule="some means are not said",
    )


def a_cell_is_kept_back_for_nobody(r: Copy) -> None:
    r.drop("cell", "g", "a", of=("F", "no"))
    held = {"what": "held", "text": "10 people are in combinations that are not shown", "columns": ["g", "a"], "value": 10,
            "base": 60, "rule": "groups of fewer than 5 people are not named"}  # fmt: skip
    r.statements.append(held)


def a_largest_value_is_of_protected_people(r: Copy) -> None:
    put(r.one("measure", "g", of=("M",)), max=49)


def received_by_readable_measure(r: Copy) -> None:
    put(r.one("as received", "g", of=("M",)), "M: 37 as received, 40 accepted, 40 counted", value=37)


def received_loses_a_group(r: Copy) -> None:
    r.drop("as received", "g", of=("M",))


def no_word_of_the_key(r: Copy) -> None:
    r.drop("replaced", "id")


def no_warning_of_the_key(r: Copy) -> None:
    r.drop("warning", "id")


def all_rejected_and_no_word(r: Copy) -> None:
    r.drop("warning")


def all_rejected_and_nobody_answered(r: Copy) -> None:
    put(r.one("claim", "g"), "No data: nobody answered yet")


def nothing_in_surveys(r: Copy) -> None:
    claim = r.one("claim", "g")
    put(claim, meaning=claim["more"]["meaning"].replace("fewer than 0.1 %", "0.0 %"))


def numbers_by_size(r: Copy) -> None:
    groups = sorted(r.each("group", "g"), key=lambda s: -s["value"])
    r.drop("group", "g")
    r.statements += groups


def bands_by_name(r: Copy) -> None:
    bands = sorted(r.each("group", "a"), key=lambda s: s["groups"][0])
    r.drop("group", "a")
    r.statements += bands


def an_outcome_without_shares(r: Copy) -> None:
    for what in ("answered", "row", "cell", "headline"):
        r.drop(what, "g", "a")


def every_value_is_an_unknown_spelling(r: Copy) -> None:
    r.statements.append({"what": "spelling", "text": "M", "columns": ["g"], "groups": ["M"], "value": 30})


def an_unknown_spelling_is_left_out(r: Copy) -> None:
    r.drop("spelling", "a", of=("perhaps",))


def two_sided(r: Copy) -> None:
    put(r.one("claim", "g"), "Not supported by the answers", p=0.0519, conclusion="not supported")


def two_sided_interval(r: Copy) -> None:
    put(r.one("claim", "g"), low=0.499)


def no_word_of_the_side(r: Copy) -> None:
    claim = r.one("claim", "g")
    put(claim, test="exact binomial", numbers=claim["more"]["numbers"].replace("One-sided exact", "Exact"))


def the_wrong_direction(r: Copy) -> None:
    claim = r.one("claim", "g")
    put(claim, meaning=claim["more"]["meaning"].replace("More F than M", "More M than F"))


def one_groups(r: Copy) -> None:
    chart = r.chart("pie_g")
    chart["more"]["alt"] = chart["more"]["alt"].replace("Other (1 group)", "Other (1 groups)")


def one_records(r: Copy) -> None:
    put(r.one("replaced", "id"), "1 answers were replaced by a later one of the same id.")


def population_deviation(r: Copy) -> None:
    sd = r.one("measure", "g", of=("F",))["more"]["sd"]
    put(r.one("measure", "g", of=("F",)), sd=sd * (19 / 20) ** 0.5)


def a_mean_of_all(r: Copy) -> None:
    put(r.one("measure", "g", of=("F",)), "F: mean 4.6, median 4.5, sd 2.9, min 0, max 9")


def not_adjusted(r: Copy) -> None:
    for item in ("item1", "item5"):
        put(r.one("association", "g", item), p_holm=r.one("association", "g", item)["p"])


def another_strength(r: Copy) -> None:
    put(r.one("association", "g", "item1"), v=0.19)


def no_word_of_thin_cells(r: Copy) -> None:
    put(r.one("association", "g", "item2"), "differs by g")


def exact_numbers_beside_held_cells(r: Copy) -> None:
    put(r.one("association", "g", "item0"), p=0.4, rule=None)


def a_test_of_hidden_cells(r: Copy) -> None:
    put(
        r.one("association", "g", "item0"), "no difference shown", conclusion="no difference shown", rule=None
    )


def everybody_is_drawn(r: Copy) -> None:
    caption = r.chart("scatter_n_g")["more"]["caption"]
    r.chart("scatter_n_g")["more"]["caption"] = re.sub(
        r"\d+ of \d+ people are drawn", "Everybody is drawn", caption
    )


def drawn_of_those_with_a_measure(r: Copy) -> None:
    caption = r.chart("scatter_n_g")["more"]["caption"]
    r.chart("scatter_n_g")["more"]["caption"] = re.sub(
        r"of \d+ people are drawn", "of 296 people are drawn", caption
    )


def a_small_mean_is_nothing(r: Copy) -> None:
    statement = r.one("measure", "g", of=("F",))
    put(statement, re.sub(r"mean [\d.]+", "mean 0.0", statement["text"]))


def one_answer_is_no_data(r: Copy) -> None:
    put(r.one("association", "g", "a"), "no data", test="no data", conclusion="no data")


def on_the_other_side_of_the_level(r: Copy) -> None:
    claim = r.one("claim", "g")
    put(claim, meaning=re.sub(r"in [\d.]+ % of surveys", "in 5.0 % of surveys", claim["more"]["meaning"]))


def a_reason_too_few(r: Copy) -> None:
    put(r.one("rejected", of=("blank:g",)), value=1, share=1 / 260)


def a_percentage_of_the_page_alone(r: Copy) -> None:
    r.swap("report.md", "50.0 % |", "51.0 % |")


def a_percentage_of_the_picture_alone(r: Copy) -> None:
    r.swap("charts/pie_g.svg", "50.0 %", "51.0 %")


def a_number_of_the_csv_alone(r: Copy) -> None:
    r.swap("summary_g_a.csv", "M,yes,25", "M,yes,24")


def a_count_of_an_alternative_text(r: Copy) -> None:
    chart = r.chart("bar_g")
    chart["more"]["alt"] = chart["more"]["alt"].replace("F 50 (58.8 %)", "F 35 (58.8 %)")


def a_chart_is_missing(r: Copy) -> None:
    r.drop("chart", of=("stacked_g_a",))


def a_chart_of_nobody(r: Copy) -> None:
    r.statements.append(
        {"what": "chart", "text": "G", "groups": ["bar_g"], "more": {"caption": "", "alt": ". "}}
    )


def a_name_reorders_its_sentence(r: Copy) -> None:
    statement = next(s for s in r.each("as received", "g") if "\u2068" in s["text"])
    statement["text"] = statement["text"].replace("\u2068", "").replace("\u2069", "")


def people_are_records(r: Copy) -> None:
    put(r.one("people"), "4 people, from 4 records received: 4 accepted, 0 rejected.", value=4)


FALSE: list[tuple[Callable[[Copy], None], str, str]] = [
    (merged_shares, "a1", "headline g and a F: share_1"),
    (merged_shares_in_words, "a1", r"headline .*says '100\.0 %'"),
    (merged_shares_in_an_alternative_text, "a1", r"chart stacked_g_a: says 60 \(100\.0 %\)"),
    (merged_shares_in_a_chart_title, "a1", r"chart stacked_g_a: says '100\.0 %'"),
    (blank_is_an_answer_in_the_test, "a2", "association with a: statistic"),
    (blank_is_an_answer_in_the_base, "a2", "answered g: value"),
    (blank_is_a_group, "a9", r"group a \('\(none\)',\): named"),
    (one_grey_line, "a3", "held back, and nobody is protected"),
    (a_large_group_is_hidden, "a4", r"group g \('F',\): not said"),
    (one_of_two_leads, "a4", "the largest are"),
    (a_rare_value_is_named_in_words, "a4", "report.json: names 'Xenon'"),
    (a_rare_value_is_a_group, "a4", "group g .*'Xenon'.*: named"),
    (a_rare_value_has_a_mean, "a4", "said of people who are not shown"),
    (a_rare_value_is_in_a_csv, "a4", "summary_quant.csv: names 'Xenon'"),
    (a_rare_value_is_in_a_picture, "a4", "bar_g.svg: names 'Xenon'"),
    (a_rare_value_is_on_the_page, "a4", "report.html: names 'Xenon'"),
    (a_person_is_named, "a4", "report.json: names 'P105'"),
    (a_small_cell_is_shown, "a1b", r"cell g and a \('F', 'some'\): shown, and only 3"),
    (a_mean_is_kept_back_for_nobody, "ties", r"kept back are \['mean', 'sd'\], and should be \[\]"),
    (a_cell_is_kept_back_for_nobody, "ties", "held back, and nobody is protected"),
    (a_largest_value_is_of_protected_people, "a4", r"measure .*kept back are .*, and should be \['max'"),
    (received_by_readable_measure, "a5", "as received M: value is said to be 37"),
    (received_loses_a_group, "a5", "as received M: not said"),
    (no_word_of_the_key, "a6", "replaced: 2 of 4"),
    (no_warning_of_the_key, "a6", "replaced: 2 of 4"),
    (people_are_records, "a6", "people: value is said to be 4"),
    (all_rejected_and_no_word, "a7", "warning of not_allowed:g: not said"),
    (all_rejected_and_no_word, "a7b", "warning of not_a_date:day: not said"),
    (all_rejected_and_nobody_answered, "a7", "claim: says that nobody answered"),
    (nothing_in_surveys, "a8", r"says '0\.0 %'"),
    (numbers_by_size, "a9", "groups of g: not in order"),
    (bands_by_name, "a9", "groups of a: not in order"),
    (an_outcome_without_shares, "a10", "answered g and a: said 0 times"),
    (every_value_is_an_unknown_spelling, "a11", "spellings of g"),
    (an_unknown_spelling_is_left_out, "a11b", "spellings of a"),
    (two_sided, "a12", "claim: p is said to be 0.0519"),
    (two_sided_interval, "a12", "claim: low is said to be 0.499"),
    (no_word_of_the_side, "a12", "does not say that its test is one-sided"),
    (the_wrong_direction, "a12", "says that more M than F answered"),
    (one_groups, "a13", "says '1 groups'"),
    (one_records, "a6b", "says '1 answers"),
    (population_deviation, "ties", "sd is said to be"),
    (a_mean_of_all, "ties", r"says '4\.6'"),
    (not_adjusted, "likert", "association with item1: p_holm"),
    (another_strength, "likert", "association with item1: v"),
    (no_word_of_thin_cells, "likert", "association with item2: cells are thin"),
    (exact_numbers_beside_held_cells, "likert", "association with item0: p is said"),
    (a_test_of_hidden_cells, "likert", "association with item0: conclusion is said"),
    (everybody_is_drawn, "small_measures", "says that everybody is drawn, and 296 of 333 people"),
    (drawn_of_those_with_a_measure, "small_measures", "of 296 people are drawn' of 333 people"),
    (a_small_mean_is_nothing, "small_measures", r"says '0\.0'"),
    (on_the_other_side_of_the_level, "small_measures", r"claim: p is 0\.0500\d*, and the words are"),
    (one_answer_is_no_data, "a13", "association with a: conclusion is said to be 'no data'"),
    (a_reason_too_few, "half_rejected", "rejected blank:g: value"),
    (a_percentage_of_the_page_alone, "a2", r"report.md: says '51\.0 %'"),
    (a_percentage_of_the_picture_alone, "a2", r"pie_g.svg: says '51\.0 %'"),
    (a_number_of_the_csv_alone, "a4", "summary_g_a.csv"),
    (a_count_of_an_alternative_text, "a10", "chart bar_g"),
    (a_chart_is_missing, "a10", "charts: "),
    (a_name_reorders_its_sentence, "unicode_groups", "a right-to-left name reorders it"),
    (a_chart_of_nobody, "all_alone", "charts: "),
]
"""A fault, a survey whose good report gets it, what the checker says then."""
