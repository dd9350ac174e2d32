"""What the cells of each column are: their texts with their numbers, how many are blank, and whether each is another one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from surveylake.contract.field_types import without_blank_runs
from surveylake.contract.input_format import Input
from surveylake.draft.text_blocks import LARGE_BYTES, BadLines, Block, Texts, arrow_blocks, plain_blocks
from surveylake.produce.answer_file import kind_of

MOST_TEXTS = 50_000
"""Different texts of a column that are kept where they are no numbers or times; those that come after them are not looked at."""
MOST_VALUES = 2_000_000
"""Different numbers or times of a column that are kept."""
VALUE = re.compile("[-+0-9.,:/ TZAPMapme]+")
VALUE_SHARE = 0.9
MOST_DOUBLES = 0.5
"""Share of cells that may be there before, for a column that may still say who answered."""
FEWEST_TO_TELL = 1_000
"""Cells after which a column with more doubles than that is given up as a key."""


@dataclass
class Column:
    """The cells of one column, cleaned."""

    texts: Texts = field(default_factory=dict)
    """text -> cells, for the first MOST_TEXTS different ones"""
    blank: int = 0
    filled: int = 0
    """cells that are not blank"""
    unseen: int = 0
    """cells with a text beyond those that are kept"""
    _most: int = MOST_TEXTS
    _ordered: Texts | None = None
    _hashes: list[np.ndarray] | None = field(default_factory=list)

    @property
    def distinct(self) -> int | None:
        """Number of different texts; None where it is not known, and far below the number of cells."""
        if not self.unseen:
            return len(self.texts)
        return None if self._hashes is None else int(np.unique(np.concatenate(self._hashes)).size)

    def add(self, texts: Texts) -> None:
        """Add the cells of a block."""
        clean: Texts = {}
        for text, number in texts.items():
            # A text that is known is clean: most are, and cleaning takes longest.
            tidy = text if text in self.texts else without_blank_runs(text)
            clean[tidy] = clean.get(tidy, 0) + number
        self.blank += clean.pop("", 0)
        self.filled += sum(clean.values())
        for text, number in clean.items():
            if text in self.texts:
                self.texts[text] += number
            elif len(self.texts) < self._most:
                self._keep(text, number)
            else:
                self.unseen += number
        if self._hashes is not None:
            self._hashes.append(np.fromiter(map(hash, clean), dtype=np.int64, count=len(clean)))
            met = sum(map(len, self._hashes))
            if self.filled > FEWEST_TO_TELL and met < (1 - MOST_DOUBLES) * self.filled:
                self._hashes = None

    def _keep(self, text: str, number: int) -> None:
        """Keep a new text. A column that is full may keep more where its texts are values."""
        self.texts[text] = number
        if len(self.texts) == MOST_TEXTS:
            values = sum(bool(VALUE.fullmatch(text)) for text in self.texts)
            self._most = MOST_VALUES if values >= VALUE_SHARE * MOST_TEXTS else MOST_TEXTS

    def ordered(self) -> Texts:
        """Return the texts, the most frequent first; to be asked when all blocks are added."""
        if self._ordered is None:
            self._ordered = dict(sorted(self.texts.items(), key=lambda item: (-item[1], item[0])))
        return self._ordered


@dataclass
class Facts:
    """The cells of a file."""

    columns: list[Column]
    rows: int = 0
    """rows that can be sent, without those whose cells are all blank"""
    blank_rows: int = 0
    bad: BadLines = field(default_factory=BadLines)


def facts_of(path: Path, form: Input, width: int) -> Facts:
    """Read a file and return what its cells are."""
    if path.stat().st_size >= LARGE_BYTES and not kind_of(path):
        try:
            bad = BadLines()
            return _gathered(arrow_blocks(path, form, width, bad), width, bad)
        except pa.ArrowInvalid:
            pass  # such as a row of more than a block: the producer's reader takes its time, and reads it
    bad = BadLines()
    return _gathered(plain_blocks(path, form, width, bad), width, bad)


def _gathered(blocks: Iterator[Block], width: int, bad: BadLines) -> Facts:
    facts = Facts([Column() for _ in range(width)], bad=bad)
    for block in blocks:
        facts.rows += block.rows
        facts.blank_rows += block.blank_rows
        for column, texts in zip(facts.columns, block.columns, strict=True):
            column.add(texts)
    return facts
