"""Check every number in the words of a report: a correctly rounded number of its statement, or of the raw answers."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from support.checker_facts import Facts
from support.checker_statements import ReportStatements, Statement, pool

SHARE = re.compile(r"(?:(?<![^\s(|])(?:<|>|fewer than|more than) )?(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)? %")
P_VALUE = re.compile(r"\bp (=|<) (\d\.\d+)")
NUMBER = re.compile(r"(?<![\w.,])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w%])")
PAIR = re.compile(r"(?<!of )(?<![\d,])(\d+(?:,\d{3})*) \(((?:[<>] )?[\d.]+ %)\)")
FIXED = {"95 %", "5 %"}
"""confidence and level"""
ONE = r"(?<![\d.,])(?<!under )1 (?:people|groups|records|answers|persons|spellings|partitions|tables|charts|bands|did not answers)\b"
MANY = r"(?<![\d.,])(?!1 )\d[\d,]* (?:person|group|record|answer|spelling|band)\b(?!s)"
GRAMMAR = re.compile(f"{ONE}|{MANY}|(?<![\\d.,])1 (?:records? |people |groups? |answers? )?(?:were|are)\\b")
SHARES = ("share", "p", "share_1", "share_2", "low")


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every wrong number of the statements but the charts' (see checker_charts), and every reordered sentence."""
    yield from (f"{text!r}: a right-to-left name reorders it" for text in report.turned)
    for statement in report.statements:
        if statement["what"] == "chart":
            continue
        more = statement.get("more", {})
        words = [statement["text"], *(more[part] for part in ("numbers", "meaning") if more.get(part))]
        names = [
            *statement.get("groups", ()),
            *statement.get("columns", ()),
            *(facts.survey.claim.words.values() if facts.survey.claim else ()),
        ]
        name = f"{statement['what']} {statement.get('columns', '')} {statement.get('groups', '')}"
        for text in words:
            yield from odd_numbers(
                text,
                _numbers(statement, facts),
                _shares(statement),
                [*names, *_limits(statement, facts)],
                name,
            )


def odd_numbers(
    text: str, numbers: Iterable[float], shares: Iterable[float], names: Iterable[str], where: str
) -> Iterator[str]:
    """Yield the numbers in a text that are none of `numbers` or `shares`, rounded, and no part of a name; and bad grammar."""
    text = text.replace("\xa0", " ")
    for name in sorted(
        {*names, *(shortened(name, n) for name in list(names) for n in (18, 22, 28, 60))},
        key=len,
        reverse=True,
    ):
        if name and any(map(str.isdigit, name)):
            text = re.sub(rf"(?<![\w.,]){re.escape(name)}(?![\w%]|[.,]\d| %)", "·", text)
    shares = set(shares)
    right = FIXED.union(*map(percents, shares))
    for token in SHARE.findall(text):
        if token not in right:
            yield f"{where}: says {token!r} in {text!r}"
    for sign, digits in P_VALUE.findall(text):
        if not any(_is_p(p, sign, digits) for p in shares):
            yield f"{where}: says 'p {sign} {digits}' in {text!r}"
    left = P_VALUE.sub("", SHARE.sub("", text))
    written = {form for number in numbers for form in _forms(number)}
    for token in NUMBER.findall(left):
        if token not in written:
            yield f"{where}: says {token!r} in {text!r}"
    if slip := GRAMMAR.search(left):
        yield f"{where}: says {slip[0]!r} in {text!r}"


def percents(share: float) -> set[str]:
    """Return the ways in which a share may be written: one decimal, and nothing called 0 or all that is not.

    Beside the level of the tests, 5 %, it may have as many more as tell it from that.
    """
    exact = Decimal(repr(float(share))) * 100
    written = {str(exact.quantize(Decimal("0.1"), rounding)) for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)}
    written.add(f"{share * 100:.1f}")
    forms = {
        f"{text} %"
        for text in written
        if not ((text == "0.0" and share > 0) or (text == "100.0" and share < 1))
    }
    if share > 0 and "0.0" in written:
        forms |= {"< 0.1 %", "fewer than 0.1 %"}
    if share < 1 and "100.0" in written:
        forms |= {"> 99.9 %", "more than 99.9 %"}
    if "5.0" in written and share != 0.05:
        forms.add(next(f"{share * 100:.{n}f} %" for n in range(2, 18) if float(f"{share * 100:.{n}f}") != 5))
    return forms


def shortened(text: str, width: int) -> str:
    """Return a name cut to fit: single blanks, and without characters that are not drawn."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    line = " ".join("".join(c for c in spaced if unicodedata.category(c)[0] != "C").split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def _forms(number: float) -> set[str]:
    """Return the ways in which a number may be written: a whole one as whole, any other with one or two decimals, and below 1
    with three digits that count; without needless zeros, and without an exponent."""
    if float(number).is_integer():
        return {f"{int(number):,}"}
    exact = Decimal(repr(float(number)))
    places = (1, 2) if abs(exact) >= 1 else (2 - exact.adjusted(),)
    ways = (ROUND_HALF_UP, ROUND_HALF_EVEN)
    written = [f"{exact.quantize(Decimal(1).scaleb(-n), way):,f}" for n in places for way in ways]
    return {re.sub(r"(\.\d+?)0*$", r"\1", text) for text in (*written, *(f"{number:,.{n}f}" for n in places))}


def _is_p(p: float, sign: str, digits: str) -> bool:
    if sign == "<":
        return digits == "0.001" and p < 0.001
    return p >= 0.001 and f"{p:.{len(digits) - 2}f}" == digits and len(digits) >= 5


def _numbers(statement: Statement, facts: Facts) -> list[float]:
    more = [value for value in statement.get("more", {}).values() if isinstance(value, int | float)]
    own = [statement[part] for part in ("value", "base", "n") if isinstance(statement.get(part), int | float)]
    level = [len(statement.get("groups", ()))] if statement["what"] == "headline" else []
    all_rejected = [len(facts.records)] if statement["what"] == "claim" and not facts.accepted else []
    return [n for n in (*own, *more, *level, *all_rejected, facts.survey.smallest) if not isinstance(n, bool)]


def _shares(statement: Statement) -> list[float]:
    values = [{**statement.get("more", {}), **statement}.get(part) for part in SHARES]
    return [value for value in values if isinstance(value, int | float)]


def _limits(statement: Statement, facts: Facts) -> list[str]:
    """Return the contract's limits, which reasons repeat: no numbers of the answers."""
    if statement["what"] not in ("rejected", "warning"):
        return []
    columns = facts.survey.columns.values()
    limits = [f"{limit:,}" for c in columns for limit in (c.low, c.high) if limit is not None]
    return [*limits, *(value for c in columns for value in c.allowed), *(c.source for c in columns), *facts.survey.columns,
            pool(facts.survey)]  # fmt: skip
