"""Generated answers, the same for the same seed: for demonstrations, benchmarks and the sample."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from surveylake.contract.model import Contract
from surveylake.errors import ConfigError, InputError
from surveylake.paths import new_file
from surveylake.produce.csv_form import csv_options
from surveylake.produce.csv_rows import escape
from surveylake.produce.decimal_comma import DecimalComma
from surveylake.produce.defects import Cells, Defect, canonical, defects
from surveylake.produce.delivery import Record
from surveylake.produce.value_pools import Frequencies, pools

BLOCK = 10_000
"""rows drawn at once; within a block each value is as frequent as in its pool, up to whole rows"""


@dataclass(frozen=True)
class Plan:
    """`rows` answers to be generated, of which the share `bad` (0 to 1) has a defect, each kind in turn."""

    contract: Contract
    frequencies: Frequencies
    rows: int
    seed: int = 1
    bad: float = 0.0

    def __post_init__(self) -> None:
        if self.rows < 0 or self.seed < 0 or not 0 <= self.bad <= 1:
            raise ConfigError(
                "rows and seed start at 0, and the share of defects is between 0 and 1",
                "Correct the arguments.",
            )


@dataclass(frozen=True)
class Block:
    """Answers from number `start` on: one list of texts per field, in contract order; the key's texts are unique."""

    start: int
    columns: list[list[str]]


def records(plan: Plan, chunk_size: int = BLOCK) -> Iterator[list[Record]]:
    """Yield the answers as records, at most `chunk_size` at a time: key the participant, value as of a CSV's row."""
    sources = plan.contract.sources
    key_at = list(plan.contract.fields).index(plan.contract.key)
    kinds = defects(plan.contract)
    fragments_by_text = [
        _JsonFragments(source, source == sources[0], source == sources[-1]) for source in sources
    ]
    for block in _blocks(plan):
        keys: list[bytes | None] = [key.encode() for key in block.columns[key_at]]
        fragments_by_text[key_at].clear()
        fragments = (
            map(fragments_by_text[at].__getitem__, column) for at, column in enumerate(block.columns)
        )
        values: list[bytes | None] = [text.encode() for text in map(", ".join, zip(*fragments, strict=True))]
        for at, kind in _spoiled(plan, block.start, len(keys), kinds):
            here, before = _cells(plan, block, at), _cells(plan, block, max(at - 1, 0))
            changed = kind.cells(here, before) if kind.cells else here
            values[at] = kind.value(here) if kind.value else canonical(changed)
            keys[at] = changed[sources[key_at]].encode()
        numbers = range(block.start, block.start + len(keys))
        rows = zip(numbers, range(block.start + 1, block.start + 1 + len(keys)), keys, values, strict=True)
        while chunk := list(islice(rows, chunk_size)):
            yield chunk


def write_csv(plan: Plan, path: Path) -> int:
    """Write the answers as a CSV with CRLF line ends, with defects that a cell can hold only; an existing file is replaced.

    Returns the number of rows. Raises InputError when the file cannot be written.
    """
    kinds = defects(plan.contract, csv_only=True)
    form = plan.contract.input
    try:
        with new_file(path, over=True) as part, part.open("w", encoding=form.encoding, newline="") as file:
            writer = csv.writer(file, **csv_options(form.delimiter, form.quote))
            writer.writerows([plan.contract.file_sources] * form.header_rows)
            for block in _blocks(plan):
                rows = [list(row) for row in zip(*block.columns, strict=True)]
                for at, kind in _spoiled(plan, block.start, len(rows), kinds):
                    if kind.cells:
                        rows[at] = list(
                            kind.cells(_cells(plan, block, at), _cells(plan, block, max(at - 1, 0))).values()
                        )
                writer.writerows(_as_in_a_file(plan.contract, rows))
    except (UnicodeEncodeError, csv.Error) as error:
        raise InputError(
            f"{path}: the answers cannot be written in the form of [input]: {error}",
            "Correct [input] in the contract.",
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", "Give a path in a folder that is writable."
        ) from error
    return plan.rows


class _JsonFragments(dict[str, str]):
    """A field's text -> its part of the JSON object, made once per text: texts repeat, and escaping takes most of the time."""

    def __init__(self, source: str, first: bool, last: bool) -> None:
        super().__init__()
        self._before = f"{'{' if first else ''}{escape(source)}: "
        self._after = "}" if last else ""

    def __missing__(self, text: str) -> str:
        self[text] = fragment = self._before + escape(text) + self._after
        return fragment


def _blocks(plan: Plan) -> Iterator[Block]:
    """Draw the answers, block by block."""
    draw = np.random.default_rng(plan.seed)
    pool = pools(plan.contract, plan.frequencies, draw)
    arrays = {source: np.array(values, dtype=object) for source, values in pool.items()}
    key = plan.contract.fields[plan.contract.key]
    mark = f"S{plan.seed}P" if key.type == "string" else ""
    for start in range(0, plan.rows, BLOCK):
        size = min(BLOCK, plan.rows - start)
        ids = [
            f"{mark}{number:07d}" if mark else str(number) for number in range(start + 1, start + size + 1)
        ]
        yield Block(start, [
            ids if field is key else arrays[field.source][_order(len(pool[field.source]), size, draw)].tolist()
            for field in plan.contract.fields.values()
        ])  # fmt: skip


def _order(pool: int, size: int, draw: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return `size` shuffled places in a pool: each equally often, except a remainder that is drawn."""
    return draw.permutation(np.resize(draw.permutation(pool), size))


def _spoiled(plan: Plan, start: int, size: int, kinds: list[Defect]) -> Iterator[tuple[int, Defect]]:
    """Yield (place in the block, kind) of the rows to spoil, spread evenly, so that the share is exact to the row."""
    if plan.bad and not kinds:
        raise ConfigError("this contract's fields leave nothing to do wrong", "Leave --defects out.")
    places = np.floor(np.arange(start, start + size + 1) * plan.bad + 0.5).astype(int)
    for at in np.flatnonzero(np.diff(places)):
        yield int(at), kinds[int(places[at]) % len(kinds)]


def _cells(plan: Plan, block: Block, at: int) -> Cells:
    """Return one answer of a block."""
    return {source: column[at] for source, column in zip(plan.contract.sources, block.columns, strict=True)}


def _as_in_a_file(contract: Contract, rows: list[list[str]]) -> Iterable[list[str]]:
    """Return rows as a file of the contract has them: its decimal mark, and no column for the row's own number."""
    numbers = DecimalComma(
        (field.source for field in contract.fields.values()), contract, contract.input.decimal
    )
    for row in rows:
        numbers.to_commas(row)
    left_out = list(contract.fields).index(contract.key) if contract.has_row_key else None
    return rows if left_out is None else [row[:left_out] + row[left_out + 1 :] for row in rows]
