"""Which answers a column of texts has: yes and no, a scale, bands of numbers, several in one cell, a closed list, or any text."""

from surveylake.draft.bands import band_start, before_it_was_a_date, is_range
from surveylake.draft.guess import MOST_ALLOWED, PER_ANSWER, Guess, Line, of_cells, shown, truth_lines
from surveylake.draft.several_answers import several_guess
from surveylake.draft.words import NO, NO_STEP, SCALES, YES, folded
from surveylake.wording import counted

MOST_GROUPS = 12
"""Answers of a column by which a table or a chart is still readable."""
BAND_SHARE = 0.8
FEWEST_STEPS = 3
FEWEST_RANGES = 2


def answers_guess(texts: dict[str, int], is_complete: bool) -> Guess:
    """Return the guess for a column of texts; `texts` are its answers, the most frequent first."""
    total = sum(texts.values())
    if not is_complete:
        return Guess("string", f"free text: more than {len(texts):,} different answers")
    for guess in (_yes_or_no, _scale, _bands, several_guess):
        if found := guess(texts, total):
            return found
    number = counted(len(texts), "different answer") if len(texts) > 1 else "one and the same answer"
    if _is_closed(texts, total):
        return _closed(texts, sorted(texts), f"{number} in {total:,}")
    if all(text.isdigit() for text in texts):
        return Guess("string", f"digits as in codes, some with a zero in front: {number} in {total:,}")
    return Guess("string", f"free text: {number} in {total:,}")


def _closed(texts: dict[str, int], order: list[str], why: str, role: str = "group") -> Guess:
    """Return a closed list, in an order."""
    return Guess("string", why, (Line("allowed", order),), role if 1 < len(texts) <= MOST_GROUPS else "")


def _is_closed(texts: dict[str, int], total: int) -> bool:
    return len(texts) <= MOST_ALLOWED and total >= PER_ANSWER * len(texts)


def _yes_or_no(texts: dict[str, int], total: int) -> Guess | None:
    """Return a boolean for words of yes and no, both or one of them."""
    yes, no = ([text for text in texts if text.casefold() in words] for words in (YES, NO))
    if len(yes) + len(no) < len(texts) or not yes:
        return None
    if len(texts) == 1 and total < PER_ANSWER:
        return None
    why = f"{of_cells(total, total)} are {' or '.join(shown([text]) for text in texts)}"
    return Guess("boolean", why, truth_lines(sorted(texts)), "group" if no else "")


def _scale(texts: dict[str, int], total: int) -> Guess | None:
    """Return a scale for words that are steps of a known one; with answers beside them an ordered list."""
    beside = [text for text in texts if folded(text) in NO_STEP]
    steps = {text: folded(text) for text in texts if text not in beside}
    if len(steps) < FEWEST_STEPS:
        return None
    for places in SCALES:
        found = [places.get(step) for step in steps.values()]
        if None in found or len(set(found)) < len(found):
            continue
        order = sorted(steps, key=lambda text: places[steps[text]])
        number = total - sum(texts[text] for text in beside)
        why = f"{of_cells(number, total)} are steps of a known scale; the order is guessed"
        if beside:
            return _closed(texts, order + beside, f"{why}, with {shown(beside)} last", "order")
        return Guess("scale", why, (Line("allowed", order),), "order")
    return None


def _bands(texts: dict[str, int], total: int) -> Guess | None:
    """Return an ordered list for bands of numbers, such as 1-5, 6-25, more than 25."""
    dates = {text: band for text in texts if (band := before_it_was_a_date(text))}
    starts = {text: start for text in texts if (start := band_start(dates.get(text, text))) is not None}
    number = sum(texts[text] for text in starts)
    if sum(map(is_range, texts)) < FEWEST_RANGES or len(starts) < FEWEST_STEPS:
        return None
    if number < BAND_SHARE * total or not _is_closed(texts, total):
        return None
    order = sorted(starts, key=lambda text: (starts[text], text)) + [
        text for text in texts if text not in starts
    ]
    why = f"{of_cells(number, total)} are bands of numbers; the order is guessed"
    guess = _closed(texts, order, why, "order")
    if not dates:
        return guess
    likely = ", ".join(f"'{text}' is likely {band}" for text, band in dates.items())
    how = "to say so, write the band in allowed, and under spellings which text stands for it"
    return guess.with_lines(Line("", None, f"a spreadsheet takes bands for dates: {likely}; {how}"))
