"""Which column says who answered; where none does, each row is a person."""

import re
from dataclasses import dataclass

from surveylake.contract.model import ROW
from surveylake.draft.column_facts import Column
from surveylake.wording import counted, quoted

ID_NAME = re.compile(
    r"(^|[^a-z])(id|ids|uuid|guid|key|token|code|nr|number|no|respondent|participant|response ?id|responseid|respondentid"
    r"|participantid|userid|user ?name|e-?mail|email address)([^a-z]|$)|id$",
    re.IGNORECASE,
)
NO_ID_NAME = re.compile(r"zip|post|number of|how many|phone|country|area|item", re.IGNORECASE)
"""Names with such a word in them that are something else."""
INDEX_NAME = re.compile(r"^(unnamed.*|index|row.*|#\d+|x|)$", re.IGNORECASE)
"""How a column is called that a program numbered."""
ID_TEXT = re.compile(r"[A-Za-z0-9@._:+-]{1,64}")
NEARLY, LIKELY = 0.9, 0.3
"""Share of different texts from which a column is named as a candidate; of a time or a text, which are often taken for one."""
MOST_NAMED = 5
KEY_TYPES = ("string", "timestamp")
TYPES = ("string", "integer")
"""Types of a key that are not measured, as a time or a weight is."""


@dataclass(frozen=True)
class Candidate:
    """A column that may say who answered."""

    place: int
    name: str
    header: str
    type: str
    column: Column
    distinct: int

    @property
    def swallowed(self) -> int:
        """People who would be taken for another, or would be rejected without a key."""
        return self.column.filled - self.distinct

    @property
    def is_unique(self) -> bool:
        """Whether each row has one of its own."""
        return not self.swallowed and not self.column.blank

    @property
    def is_id(self) -> bool:
        """Whether it is made to say who answered: by its name, its type and its texts."""
        return (
            self.type in TYPES
            and bool(ID_NAME.search(self.header))
            and not NO_ID_NAME.search(self.header)
            and not INDEX_NAME.match(self.header)
            and all(map(ID_TEXT.fullmatch, self.column.texts))
        )


def candidates(columns: list[tuple[str, str, str, Column]]) -> list[Candidate]:
    """Return the columns whose texts are nearly all different; `columns` are name, header, type and cells."""
    found = []
    for place, (name, header, kind, column) in enumerate(columns):
        distinct = column.distinct
        least = (LIKELY if kind in KEY_TYPES else NEARLY) * (column.filled + column.blank)
        if distinct is not None and column.filled > 1 and distinct >= least:
            found.append(Candidate(place, name, header, kind, column, distinct))
    return found


def key_of(found: list[Candidate]) -> tuple[str, list[str]]:
    """Return the key, and the evidence: what each candidate would cost."""
    ids = [one for one in found if one.is_id and one.is_unique]
    others = sorted(
        (one for one in found if one.place not in [first.place for first in ids[:1]]),
        key=lambda one: (not one.is_id, one.type not in KEY_TYPES, one.place),
    )
    told = [_told(one) for one in others[:MOST_NAMED]]
    if len(others) > MOST_NAMED:
        told.append(f"{len(others) - MOST_NAMED:,} more columns have answers that are mostly different")
    first = "is another one in each row" if ids else "nobody's id is in the file: each row is a person"
    return (ids[0].name if ids else ROW), [first, *told]


def _told(one: Candidate) -> str:
    blank = one.column.blank
    name = one.name if one.name == one.header else f"{one.name} ({quoted(one.header)})"
    lost = [f"would swallow {counted(one.swallowed, 'person', 'people')}"] if one.swallowed else []
    lost += [f"would reject {counted(blank, 'person', 'people')} without it"] if blank else []
    how = " and ".join(lost) or "is another one in each row"
    if not lost and not one.is_id:
        how += ", and does not look like somebody's id"
    return f"{name} {how}"
