"""Names of columns from headers: short, in snake_case, each once."""

import re
import unicodedata
from collections.abc import Iterable

from surveylake.contract.field_types import (
    BLANKED,
    LONGEST_NAME,
    RECORD_COLUMNS,
    SUMMARY_COLUMNS,
    without_blank_runs,
)
from surveylake.contract.model import ROW

LONGEST_SHORT = 40
"""Letters of a drafted name; longer ones are hard to write in rules."""
HEAD = 24
"""Letters of a long name that come from the beginning of its text; the others come from the end."""
FILLERS = """
a an the of to in on for at by and or is are was were be been do does did you your yours we our i my me it its this that these
those with from as which what who whom how many much when where why please select choose indicate following would have has had
can could should will if so all any apply there about into than
"""
"""Words that a long name does without."""
OWN = "answer"
"""What is put behind a name that every table has already."""
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word begins in `RespondentID`."""
RESERVED = {*RECORD_COLUMNS, *SUMMARY_COLUMNS, ROW, BLANKED}


def snake(text: str, most: int = LONGEST_SHORT) -> str:
    """Return a text as a name of at most `most` letters: a long one by its telling words; '' where no letter can be kept."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    words = re.findall("[a-z0-9]+", HUMP.sub(" ", plain.replace("'", "")).lower())
    if len("_".join(words)) > most:
        words = [word for word in words if word not in FILLERS.split()] or words
    if len("_".join(words)) > most:
        head = _fitting(words, HEAD * most // LONGEST_SHORT)
        words = head + _fitting(words[len(head) :][::-1], most - len("_".join(head)) - 1)[::-1]
    name = "_".join(words)[:most].strip("_")
    return name if not name or name[0].isalpha() else f"q{name}"


def _fitting(words: list[str], most: int) -> list[str]:
    """Return the first words that fit; a part of the first one at least."""
    fitting = words[:1] if not words or len(words[0]) <= most else [words[0][: max(most, 1)]]
    for word in words[1:]:
        if len("_".join([*fitting, word])) > most:
            break
        fitting.append(word)
    return fitting


class Names:
    """Gives each column a name of its own."""

    def __init__(self) -> None:
        self._taken = set(RESERVED)

    def take(self, texts: Iterable[str], place: int) -> str:
        """Return a name from the first text that has letters; else `column_3` by the place."""
        name = next(filter(None, map(snake, texts)), "") or f"column_{place}"
        name = f"{name}_{OWN}" if name in RESERVED else name
        unique, number = name, 2
        while unique in self._taken:
            unique, number = f"{name[: LONGEST_NAME - 6]}_{number}", number + 1
        self._taken.add(unique)
        return unique


def is_short(text: str) -> bool:
    """Return whether a text becomes a name as a whole."""
    return len(snake(text, LONGEST_NAME)) <= LONGEST_SHORT and len(text) <= LONGEST_NAME


def label_of(name: str, header: str, text: str) -> str:
    """Return the question's text: that of a second header row, or the header; '' where the name says the same."""
    label = without_blank_runs(text or header)
    return (
        ""
        if label.isascii() and snake(label, LONGEST_NAME) == name and len(label) <= LONGEST_SHORT
        else label
    )
