"""Large files are read by Arrow, small ones by the producer's reader: both find the same cells."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from surveylake.contract.input_format import Input
from surveylake.draft.text_blocks import BadLines, arrow_blocks, plain_blocks

CELLS = ["", " ", "a", "7", "1,5", "a;b", 'say "yes"', "line\nbreak", "line\r\nbreak", "cr\rhere", "é", "日本", "\u00a0", "\t", "'", "#x", "N/A", "null",
         "true", '"', '""', ",", "\ufeff", " x ", "|", "\x1f", "0012", "nan"]  # fmt: skip
FILES = int(os.environ.get("SURVEYLAKE_FUZZ", "0")) // 100 or 300


def cell(draw: random.Random, delimiter: str, quote: str) -> str:
    """A cell as some program writes it: quoted where it must be, or without need."""
    text = draw.choice(CELLS)
    if not quote:
        return "".join(letter for letter in text if letter not in f'{delimiter}\r\n"')
    must = any(letter in text for letter in f"{delimiter}{quote}\r\n")
    return f"{quote}{text.replace(quote, quote * 2)}{quote}" if must or draw.random() < 0.2 else text


def made_file(draw: random.Random, form: Input, width: int) -> str:
    """A file of that form; some rows are short, long or blank, and some lines are empty, above the header too."""
    end = draw.choice(["\n", "\r\n", "\r"])
    lines = []
    for _ in range(draw.randint(1, 40)):
        cells = width if draw.random() < 0.9 else draw.randint(1, width + 2)
        lines.append(form.delimiter.join(cell(draw, form.delimiter, form.quote) for _ in range(cells)))
        lines += [""] * (draw.random() < 0.1) + [form.delimiter * (width - 1)] * (draw.random() < 0.1)
    names = form.delimiter.join(f"c{at}" for at in range(width))
    header = [line for _ in range(form.header_rows) for line in [""] * (draw.random() < 0.1) + [names]]
    first = [f"sep={form.delimiter}"] * (draw.random() < 0.1)
    return end.join([*first, *header, *lines]) + (end if draw.random() < 0.8 else "")


def found(reader: object, path: Path, form: Input, width: int) -> tuple[int, int, int, list[Counter[str]]]:
    """Rows, blank rows, bad lines, and the texts of each column."""
    bad, rows, blank, columns = BadLines(), 0, 0, [Counter[str]() for _ in range(width)]
    for block in reader(path, form, width, bad):  # type: ignore[operator]
        rows, blank = rows + block.rows, blank + block.blank_rows
        for column, texts in zip(columns, block.columns, strict=True):
            column.update(texts)
    return rows, blank, bad.number, columns


@pytest.mark.parametrize("seed", range(FILES))
def test_arrow_finds_the_cells_that_the_producer_sends(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    form = Input.model_validate({
        "delimiter": draw.choice([",", ";", "\t", "|"]), "quote": draw.choice(['"', '"', '"', ""]), "header_rows": draw.randint(1, 3),
        "encoding": draw.choice(["utf-8", "utf-8", "utf-16", "windows-1252"]),
    })  # fmt: skip
    width = draw.randint(2, 6)
    path = tmp_path / "made.csv"
    path.write_bytes(made_file(draw, form, width).encode(form.encoding, "replace"))
    assert found(arrow_blocks, path, form, width) == found(plain_blocks, path, form, width)
