"""Questions that are spread over several columns, one for each choice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from surveylake.draft.column_facts import Column
from surveylake.draft.guess import Guess, Line, shown, truth_lines
from surveylake.draft.words import NO, YES

FEWEST_COLUMNS = 3
CUT = re.compile(r"\s+[-–—:|]\s+|[:?]\s+|[\[\(/_.#]|\s-\s?")
"""Where a header may end the question and begin the choice."""
NUMBERED = re.compile(r"^(.*?)[\s_.#-]+(?:(?:part|choice|option)[\s_.#-]*)?\d+[a-z]?$", re.IGNORECASE)
"""Headers such as `Q7_Part_1` and `q3.1`."""
AROUND = " -–—:|[](/_.#?\t)"
"""Signs between the question and the choice."""


@dataclass(frozen=True)
class Question:
    """One question over several columns."""

    label: str
    places: tuple[int, ...]
    choices: tuple[str, ...]
    """what each column stands for"""


def questions(headers: Sequence[str], columns: Sequence[Column]) -> list[Question]:
    """Return the questions whose columns each have one answer, or yes and no; `headers` are `question – choice` where known."""
    found, at = [], 0
    while at < len(columns):
        places = _run(at, headers, columns)
        if len(places) >= FEWEST_COLUMNS and (question := _question(places, headers, columns)):
            found.append(question)
            at = places[-1] + 1
        else:
            at += 1
    return found


def choice_guess(column: Column, choice: str) -> Guess:
    """Return the guess for a column that says whether a choice was taken: a boolean, or a text that is there or not."""
    texts = column.ordered()
    if any(text.casefold() in YES for text in texts):
        return Guess("boolean", f"whether '{choice}' was chosen: {shown(texts)}", truth_lines(texts))
    missing = [text for text in texts if text.casefold() in NO]
    lines = [Line("allowed", [text for text in texts if text not in missing])]
    lines += [Line("missing", missing, "means that it was not chosen")] if missing else []
    return Guess("string", f"whether it was chosen: {shown(texts)}", tuple(lines))


def _run(first: int, headers: Sequence[str], columns: Sequence[Column]) -> list[int]:
    """Return the columns from `first` on that each hold a choice of one question."""
    if not _is_choice(columns[first]):
        return []
    best: list[int] = []
    for stem in _stems(headers[first]):
        places = [first]
        for at in range(first + 1, len(columns)):
            if stem not in _stems(headers[at]) or not _is_choice(columns[at]):
                break
            places.append(at)
        if len(places) > len(best):
            best = places
    return best


def _stems(header: str) -> list[str]:
    """Return what the header's question may be, the longest first."""
    cuts = [header[: match.start()].rstrip(AROUND) for match in CUT.finditer(header)]
    numbered = NUMBERED.match(header)
    stems = [*cuts[::-1], *([numbered[1].rstrip(AROUND)] if numbered else [])]
    return [stem for stem in dict.fromkeys(stems) if stem]


def _is_choice(column: Column) -> bool:
    """Return whether a column's answers are one text, with or without a word of no; a column without answers may be a choice."""
    if column.unseen or len(column.texts) > 2:
        return False
    chosen = [text for text in column.texts if text.casefold() not in NO]
    return len(chosen) == 1 if column.texts else True


def _question(places: list[int], headers: Sequence[str], columns: Sequence[Column]) -> Question | None:
    """Return the question of such columns; None where nobody chose anything, or two choices have one name."""
    some = [place for place in places if columns[place].texts]
    if len(some) < FEWEST_COLUMNS:
        return None
    stem = max(set.intersection(*(set(_stems(headers[place])) for place in places)), key=len)
    choices = []
    for place in some:
        own = next(text for text in columns[place].texts if text.casefold() not in NO)
        behind = headers[place][len(stem) :].strip(AROUND)
        choices.append((behind or headers[place]) if own.casefold() in YES else own)
    return Question(stem, tuple(some), tuple(choices)) if len(set(choices)) == len(choices) else None
