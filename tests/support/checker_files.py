"""Check the files of a report: no percentage that no statement has, no name of a rare value, the same tables."""

import csv
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from support.checker_facts import Facts, as_text
from support.checker_statements import ReportStatements, plain, pool, same
from support.checker_words import FIXED, SHARE, percents, shortened

PART_OF_ROW = ("share", "share_1", "share_2", "p", "low")
HELD = "(not shown)"
COMMENT = re.compile(r"<!--(.*?)-->", re.S)
"""matplotlib writes every text beside its outlines"""
MARK = re.compile("(^|[;\t\r\n])'(?=[ \"]*[=+@＝＋－＠-])|^'(?=[\t\r\n])")
"""A ' that keeps a spreadsheet from running what follows it, at a cell's beginning or where some spreadsheets begin one."""


class _Page(HTMLParser):
    """The words of a page: its text, and its alternative texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._skipping = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipping = tag if tag in ("style", "script") else self._skipping
        self.words += [value for name, value in attrs if value and name in ("alt", "aria-label", "title")]

    def handle_endtag(self, tag: str) -> None:
        self._skipping = "" if tag == self._skipping else self._skipping

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.words.append(data)


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every percentage and name that should not be there, and every cell of a CSV that differs."""
    words = {file: plain(text) for file, text in _words(report.folder)}
    known = FIXED.union(*(percents(share) for share in _shares(report)))
    # Parts of a picture that stand for many: checker_charts has recomputed them.
    known |= {
        token
        for chart in report.all("chart")
        for text in (chart["text"], chart["more"]["alt"])
        for token in SHARE.findall(text)
    }
    names = [
        as_text(value) for column in facts.survey.columns for value in facts.people[column].dropna().unique()
    ]
    odd_names = [name for name in names if "%" in name]
    for file, text in words.items():
        rest = text
        for name in odd_names:
            rest = rest.replace(name, "·")
        for token in sorted({*SHARE.findall(rest)} - known):
            yield f"{file}: says {token!r}, which no statement does"
    yield from _rare_names(words, report, facts)
    yield from _tables(report, facts)


def _words(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, its words as a reader has them)."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".csv"):
            yield path.name, path.read_text(encoding="utf-8")
        elif path.suffix == ".md":
            text = re.sub(r"\\([\\`*_{}\[\]|#~!$])", r"\1", path.read_text(encoding="utf-8"))
            yield path.name, html.unescape(text)
        elif path.suffix == ".html":
            yield path.name, "\n".join(_Page(path.read_text(encoding="utf-8")).words).replace("\xa0", " ")
        elif path.suffix == ".svg":
            text = path.read_text(encoding="utf-8")
            comments = " \n".join(map(str.strip, COMMENT.findall(text)))
            yield (
                path.name,
                html.unescape(f"{comments}\n{text if path.name == 'pipeline.svg' else ''}").replace(
                    "\xa0", " "
                ),
            )


def _shares(report: ReportStatements) -> Iterator[float]:
    for statement in report.statements:
        for part, value in {**statement.get("more", {}), **statement}.items():
            if part in PART_OF_ROW and isinstance(value, int | float):
                yield value


def _rare_names(words: dict[str, str], report: ReportStatements, facts: Facts) -> Iterator[str]:
    survey = facts.survey
    declared = {value for c in survey.columns.values() for value in (*c.allowed, *c.spellings)}
    declared |= {survey.claim.more, survey.claim.less} if survey.claim else set()
    columns = [*survey.columns, *survey.derived]
    frequent = {v for c in columns for (v,), n in facts.groups(c).items() if n >= survey.smallest}
    for column in columns:
        rare = facts.rare(column) | _rejected_only(facts, column)
        for statement in report.statements:
            for at, part in enumerate(statement.get("columns", ())):
                groups = statement.get("groups", ())
                if statement["what"] in ("claim", "headline", "replaced", "warning") or at >= len(groups):
                    continue
                if part == column and groups[at] in rare - {pool(survey)}:
                    yield f"{statement['what']} {column}: names {groups[at]!r}, which too few gave"
        for value in sorted(rare - declared - frequent):
            if len(value) >= 3 and any(map(str.isalpha, value)):
                forms = {value, shortened(value, 28), shortened(value, 18)}
                for file, text in words.items():
                    if any(
                        re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text) for form in forms if form in text
                    ):
                        yield f"{file}: names {value!r} of {column}, which too few gave"


def _rejected_only(facts: Facts, column: str) -> set[str]:
    """Return the values that no counted person gave, and too few people to name among the rejected."""
    counted = {value for (value,) in facts.groups(column)}
    who: dict[str, set[str]] = {}
    for value, key in zip(facts.records[column], facts.records[facts.survey.key], strict=True):
        if value is not None and as_text(value) not in counted:
            who.setdefault(as_text(value), set()).add(str(key))
    return {value for value, keys in who.items() if len(keys) < facts.survey.smallest}


def _tables(report: ReportStatements, facts: Facts) -> Iterator[str]:
    survey = facts.survey
    files = {path.name for path in report.folder.glob("*.csv")}
    wanted = {f"summary_{'_'.join(by)}.csv" for by in survey.by} | (
        {"summary_quant.csv"} if survey.received_by else set()
    )
    if files != wanted:
        yield f"CSV files: {sorted(files)}, and {sorted(wanted)} are asked for"
    for by in survey.by:
        yield from _table(report, facts, by, report.folder / f"summary_{'_'.join(by)}.csv")
    if survey.received_by:
        right = [
            (
                (s["groups"][0] if s.get("groups") else "(none)"),
                s.get("value"),
                s["more"]["accepted"],
                s["more"]["counted"],
            )
            for s in report.all("as received", survey.received_by)
        ]
        stated = [
            (
                _plain(row[survey.received_by]),
                *(int(row[c]) if row[c] else None for c in ("received", "accepted", "responses")),
            )
            for row in _rows(report.folder / "summary_quant.csv")
        ]
        if stated != right:
            yield f"summary_quant.csv: says {stated}, the report {right}"


def _table(report: ReportStatements, facts: Facts, by: tuple[str, ...], path: Path) -> Iterator[str]:
    base = sum(facts.groups(*by).values())
    lines = {**report.by_groups("group" if len(by) == 1 else "cell", *by), **report.by_groups("pooled", *by)}
    lines |= {(HELD,) * len(by): line for line in report.by_groups("held", *by).values()}
    measures = report.by_groups("measure", *by)
    rows = {tuple(_plain(row[column]) for column in by): row for row in _rows(path)}
    if set(rows) != set(lines):
        yield f"{path.name}: has {sorted(rows)}, the report {sorted(lines)}"
        return
    for group, row in rows.items():
        people = lines[group].get("value")
        right = {"answers": people, "share": None if people is None else people / base, "people": base}
        if facts.survey.measure:
            stated = measures.get(group, {}).get("more", {})
            right |= {
                f"{facts.survey.measure}_{kind}": stated.get(kind)
                for kind in ("mean", "median", "sd", "min", "max")
            }
        for name, value in right.items():
            number = float(row[name]) if row[name] else None
            if not same(number, value):
                yield f"{path.name} {group}: {name} is {row[name]!r}, and should be {value!r}"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _plain(text: str) -> str:
    """Return a cell without the marks that keep a spreadsheet from running it."""
    return MARK.sub(lambda found: found[1] or "", text)
