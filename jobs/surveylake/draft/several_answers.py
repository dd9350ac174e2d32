"""Cells that hold several answers each, and what stands between them."""

from surveylake.draft.guess import MOST_ALLOWED, PER_ANSWER, Guess, Line, of_cells, shown

SEPARATORS = (";", "|", ",", " / ")
SURE = (";", "|")
"""Separators that hardly stand in an answer itself."""
FEWEST_SEVERAL = 0.1
"""Share of cells with a separator, for the cells to hold several answers."""
LONGEST_ANSWER = {";": 120, "|": 120}
LONGEST_OTHER = 60
REPEATED = 0.8
"""Share of answers that are there more than once, for them to be answers and no sentences."""


def several_guess(texts: dict[str, int], total: int) -> Guess | None:
    """Return a set for cells with several answers each; None for any other column."""
    for separator in SEPARATORS:
        number = sum(number for text, number in texts.items() if separator in text)
        if number < max(FEWEST_SEVERAL * total, 2):
            continue
        parts = _parts(texts, separator)
        if not _are_answers(parts, texts, separator):
            continue
        why = f"{of_cells(number, total)} are several with {shown([separator.strip()])} between them"
        lines = [Line("separator", separator.strip())] if separator != ";" else []
        return Guess("set", why, (*lines, _allowed(parts)))
    return None


def _parts(texts: dict[str, int], separator: str) -> dict[str, int]:
    """Return the answers, the most frequent first."""
    parts: dict[str, int] = {}
    for text, number in texts.items():
        # As answers are judged: of a text without runs of blanks, no other character is cut off.
        answers = (answer.strip(" ") for answer in text.split(separator.strip()))
        for part in dict.fromkeys(filter(None, answers)):
            parts[part] = parts.get(part, 0) + number
    return dict(sorted(parts.items(), key=lambda item: (-item[1], item[0])))


def _allowed(parts: dict[str, int]) -> Line:
    """Return the closed list of the answers, or a comment where they are too many for one."""
    if len(parts) <= MOST_ALLOWED and sum(parts.values()) >= PER_ANSWER * len(parts):
        return Line("allowed", list(parts), f"{len(parts)} different answers, the most frequent first")
    return Line("", None, f"{len(parts):,} different answers, most often {shown(list(parts))}")


def _are_answers(parts: dict[str, int], texts: dict[str, int], separator: str) -> bool:
    """Return whether the parts of cells are answers of their own: they come again in other cells, and are no sentences."""
    if max(map(len, parts), default=0) > LONGEST_ANSWER.get(separator, LONGEST_OTHER):
        return False
    again = [part for part, number in parts.items() if number > 1]
    if len(again) < 2 or sum(parts[part] for part in again) < REPEATED * sum(parts.values()):
        return False
    alone = sum(part in texts for part in again)
    return separator in SURE or (len(parts) < REPEATED * len(texts) and 2 * alone >= len(again))
