"""Files of any headers and cells, drawn from seeds: each draft is a contract, and rejects nobody of its file."""

import csv
import io
import os
import random
from pathlib import Path

import pytest

import draft
from support import reference_verdict
from support.fuzz_values import TEXTS
from surveylake.contract.model import load_contract
from surveylake.produce.csv_rows import chunks, read_answers

FILES = int(os.environ.get("SURVEYLAKE_FUZZ", "0")) // 100 or 60
SPREAD = [
    "Which news? [TV\nnational]",
    "Which news? [Web  and\u00a0\u2003mail]",
    "Which news? [Radio]",
    " Which news? [\x1cnone\x1f]",
]
"""A question over several columns, with line breaks, runs of blanks and control characters in it."""
HEADERS = ["id", "ID", "Age", "row", "#3", "#2", "Q", "Q", "Q#2", "", "value", "people", "blanked", "topic", 'say "what"', "a\nb", "back\\slash", "日本", "é", "=1+1",
           "gender", "gender_age", "age", "Which? - A", "Which? - B", "Which? - C", "Q7_1", "Q7_2", "Q7_3", "x" * 130, "# hash", "[evil]", "select", "order",
           *SPREAD]  # fmt: skip
POOLS: list[list[str]] = [
    TEXTS, ["yes", "no"], ["Yes", ""], ["x", ""], ["0", "1"], ["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "5", "NA"], ["a;b", "a", "b;c", "c"],
    ["1/2/2014", "3/4/2014"], ["8/27/2014 11:29", "NA"], ["1,5", "2,5"], ["1,5", "2,5", "k.A."], ["1.5", "2.5", "n/a"], ["1-5", "6-25", "26-100"], ["5-Jan", "6-25", "26-100"], [""],
    ["never", "often", "sometimes"], ["A, B", "A", "B"], ["Male", "male", "M", "Female"], ["007", "1"], ["99999999999", "5"], ["1e5", "2.5"], ["Not selected", "A"],
    ["x\x1c", "\x1fy", "\x1e"], ["a\x1d;b", "a\x1d", "\x1cb;c", "b"], ["often\x1f", "never", "sometimes"], ["1\x1c", "2", "3"], ["TV\x1f", ""], ["a\nb", "a  b", " c"],
]  # fmt: skip


def made_table(draw: random.Random) -> tuple[list[str], list[list[str]]]:
    """Headers and rows; the columns are of one kind each, with a few odd cells, and rows may be blank."""
    width = draw.randint(1, 9)
    headers = [draw.choice(HEADERS) for _ in range(width)]
    if draw.random() < 0.2:
        headers[: len(SPREAD)] = SPREAD[:width]
    pools = [[text for text in draw.choice(POOLS) if "\0" not in text] for _ in headers]
    rows = [
        [draw.choice(pool) if draw.random() < 0.97 else draw.choice(["?", "odd", "", "7"]) for pool in pools]
        for _ in range(draw.choice([1, 5, 40, 120]))
    ]
    if draw.random() < 0.3:
        rows = [[f"P{at}", *row[1:]] for at, row in enumerate(rows)]
    if draw.random() < 0.3:
        rows = [[draw.choice(["", " "]) for _ in row] if draw.random() < 0.1 else row for row in rows]
    return headers, rows


def rows_above(draw: random.Random, width: int) -> list[list[str]]:
    """What some programs put above the header: mostly nothing, else a title or blank rows."""
    blank = [""] * width
    return draw.choice(
        [[], [], [], [], [blank], [["Survey 2024", *blank[1:]], blank], [blank, [" "] * width]]
    )


@pytest.mark.parametrize("seed", range(FILES))
def test_a_draft_is_a_contract_that_rejects_nobody(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    headers, rows = made_table(draw)
    out = io.StringIO()
    above = rows_above(draw, len(headers))
    csv.writer(out, delimiter=draw.choice([",", ",", ";"])).writerows([*above, headers, *rows])
    file = tmp_path / "answers.csv"
    file.write_text(out.getvalue(), encoding="utf-8", newline="")
    if not any(cell.strip() for row in rows for cell in row) or not any(map(str.strip, headers)):
        return
    assert draft.main([str(file)]) == 0
    contract = load_contract(tmp_path / "answers.toml")
    answers = read_answers(file, contract)
    assert not answers.bad
    verdicts = [
        reference_verdict.verdict(value, contract, 1_000_000)
        for chunk in chunks(answers, contract)
        for *_, value in chunk
    ]
    assert [verdict.failed_rules for verdict in verdicts if not verdict.accepted] == []
    assert len({verdict.row[contract.key] for verdict in verdicts}) == answers.rows
