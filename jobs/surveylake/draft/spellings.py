"""Which answers of a column are likely one answer, written in several ways; a person decides, nothing is merged."""

import unicodedata

MOST_TEXTS = 300
"""Different answers of a column that are compared."""
MOST_NAMES = 20
LEAST_SHARE = 0.01
"""Share of its column that an answer has, to be the name that others are compared with."""
RARER = 5
"""A misspelling is at least so many times rarer than the name."""
LEAST_LETTERS, LONG = 4, 8
"""Letters of a name from which on one letter, or two, may be wrong."""


def likely_spellings(texts: dict[str, int]) -> dict[str, list[str]]:
    """Return name -> the other ways in which it may be written; `texts` are the answers, the most frequent first."""
    if not 1 < len(texts) <= MOST_TEXTS:
        return {}
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(plain(text), []).append(text)
    groups.pop("", None)
    numbers = {key: sum(texts[text] for text in group) for key, group in groups.items()}
    least = LEAST_SHARE * sum(texts.values())
    names = [key for key in groups if numbers[key] >= least and len(key) > 1][:MOST_NAMES]
    for key in list(groups):
        if key not in names and (name := _near(key, names, numbers)):
            groups[name] += groups.pop(key)
    named = {_name(group, texts): group for group in groups.values() if len(group) > 1}
    return {name: sorted(set(group) - {name}) for name, group in named.items()}


def plain(text: str) -> str:
    """Return a text without case, accents, punctuation and blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _name(group: list[str], texts: dict[str, int]) -> str:
    """Return the best way of writing: among frequent ones one with a capital and accents, else the most frequent."""
    most = max(texts[text] for text in group)
    return max(
        group,
        key=lambda text: (
            2 * texts[text] >= most,
            text[:1].isupper() and not text.isupper(),
            not text.isascii(),
            texts[text],
        ),
    )


def _near(key: str, names: list[str], numbers: dict[str, int]) -> str:
    """Return the name that a rare answer is likely a misspelling of, or the first letter; '' for none."""
    if any(letter.isdigit() for letter in key):
        return ""
    if len(key) == 1:
        first = [name for name in names if name[0] == key]
        return first[0] if len(first) == 1 else ""
    for name in names:
        most = 0 if len(name) < LEAST_LETTERS else 1 if len(name) < LONG else 2
        if (
            numbers[key] * RARER <= numbers[name]
            and len(key) >= LEAST_LETTERS - 1
            and _differ(key, name, most)
        ):
            return name
    return ""


def _differ(one: str, other: str, most: int) -> bool:
    """Return whether two texts differ in at most so many letters (Levenshtein's distance)."""
    if abs(len(one) - len(other)) > most:
        return False
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        left, row[0] = row[0], at
        for place, another in enumerate(other, 1):
            left, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, left + (letter != another))
    return row[-1] <= most
