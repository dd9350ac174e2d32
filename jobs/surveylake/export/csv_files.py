"""CSV files that a spreadsheet can open without running what is in them."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from surveylake.aggregate import summary_tables
from surveylake.aggregate.findings import Findings
from surveylake.aggregate.summary_tables import QUANT
from surveylake.contract.field_types import TEXTS, Typed
from surveylake.contract.fields import SEPARATOR, SurveyField
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.export.statements.model import DIGITS
from surveylake.lake.lake_path import LakePath
from surveylake.lake.tables import Cell

SIGNS = r"=+\-@\uFF1D\uFF0B\uFF0D\uFF20"
"""What begins a formula in a spreadsheet (OWASP, CSV Injection): = + - @ and the full-width ＝＋－＠."""
NEUTRALISE_PATTERN = rf'^(?=[\t\r\n]| *[{SIGNS}])|(?<=[;\t\r\n])(?=[ "]*[{SIGNS}])'
"""Matches where a text cell needs a ': at its start, before TAB CR LF or one of SIGNS; and within it, before one of SIGNS behind
; TAB CR LF. There a spreadsheet begins a new cell whose country separates by semicolons, or that is told tabs: our quotes do not
hold a cell together which does not begin with them. Blanks before a sign are cut by some, and quotes are read away.
Zero-width; means the same to Python's `re` and to Java, so it is `re.sub(NEUTRALISE_PATTERN, "'", text)` here and
`regexp_replace(column, NEUTRALISE_PATTERN, "'")` in Spark."""
FORMULA = re.compile(NEUTRALISE_PATTERN)
BOM = "\ufeff"
"""Byte order mark. With it a spreadsheet reads a CSV as UTF-8, without it often in the encoding of its own country."""
QUOTED = re.compile(r'[",\r\n]')


def neutralised(text: str) -> str:
    """Return a text cell that no spreadsheet takes for a formula, nor any part of it, whatever separates its cells."""
    return FORMULA.sub("'", text)


def csv_cell(value: Cell) -> str:
    """Return one cell: NULL and NaN are empty, numbers stay numbers (-1 too), an empty text is `""`, text is neutralised."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(f"{value:.{DIGITS}g}"))
    if isinstance(value, int):
        return str(value)
    text = neutralised(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if not text or QUOTED.search(text) else text


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Cell]], bom: bool = False) -> int:
    """Write a header and one line per row, in UTF-8, as RFC 4180 but for the line ends. Returns the number of rows.

    Lines end in LF: RFC 4180 writes CRLF, its readers take both, and LF is what diff, git and Spark write. Rows are streamed.
    A missing column is NULL. With `bom` the file begins with a byte order mark.
    """
    number = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write((BOM if bom else "") + ",".join(csv_cell(column) for column in columns) + "\n")
        for row in rows:
            file.write(",".join(csv_cell(row.get(column)) for column in columns) + "\n")
            number += 1
    return number


def write_summaries(findings: Findings, folder: Path, bom: bool = False) -> dict[str, int]:
    """Write every published table as summary_….csv, and `summary_quant.csv`. Returns file name -> rows."""
    contract = findings.contract
    written = {}
    for by, table in findings.summaries.items():
        name, columns = f"{table.name}.csv", list(summary_tables.columns_of(contract, by))
        rows = summary_tables.rows(table, contract.summaries.measure)
        written[name] = write_csv(folder / name, columns, rows, bom)
    if group := contract.summaries.received_by:
        columns = list(summary_tables.quant_columns(group))
        rows = summary_tables.quant_rows(group, findings.received_by)
        written[f"{QUANT}.csv"] = write_csv(folder / f"{QUANT}.csv", columns, rows, bom)
    return written


def write_responses(
    responses: DataFrame, contract: Contract, path: Path, parts: LakePath, bom: bool = False
) -> int:
    """Write one line per participant, ordered by the key: the contract's columns, text cells neutralised.

    The executors write `parts`, a folder that they must share with the driver, and this joins them: a table of any size never
    is in the driver's memory. With `bom` the file begins with a byte order mark.
    Returns the bytes written. Raises StorageError when lines that the executors wrote are not here.
    """
    columns = [_text_column(name, part) for name, part in contract.parts.items()]
    counted, lines = Observation(), F.lit(1)
    for name, kind in contract.columns.items():
        if kind == "string":  # a cell may have lines of its own, between quotes
            lines = lines + F.coalesce(F.length(name) - F.length(F.replace(name, F.lit("\n"))), F.lit(0))
    # After the sort: what is before it is read twice, once to find where to cut.
    ordered = responses.orderBy(contract.key).observe(counted, F.sum(lines).alias("lines")).select(*columns)
    ordered.write.csv(str(parts), header=False, escape='"', emptyValue='""', nullValue="", lineSep="\n", mode="overwrite",
                      ignoreLeadingWhiteSpace=False, ignoreTrailingWhiteSpace=False)  # fmt: skip
    header = ",".join(csv_cell(name) for name in contract.columns) + "\n"
    expected, written = counted.get["lines"] or 0, 0
    with path.open("wb") as whole:
        whole.write(((BOM if bom else "") + header).encode())
        for part in parts_in(parts):
            with part.open("rb") as piece:
                while block := piece.read(1 << 20):
                    written += block.count(b"\n")
                    whole.write(block)
    if written != expected:
        raise StorageError(
            f"{path.name} has {written:,} of {expected:,} lines here: the executors do not write to this machine's {parts}",
            "Give --out a folder that the executors share with the driver, or export with --master 'local[*]'.",
        )
    return path.stat().st_size


def parts_in(folder: LakePath) -> list[LakePath]:
    """Return the parts of a CSV in their order, as far as the driver sees them."""
    return sorted(path for path in folder.iterdir() if path.name.startswith("part-"))


def _text_column(name: str, part: Typed) -> Column:
    """Return a column as a CSV has it: text neutralised, the answers of a set in one cell, times as ISO 8601 has them."""
    column = F.col(name)
    if part.type == "timestamp":
        return F.concat(F.replace(column.cast("string"), F.lit(" "), F.lit("T")), F.lit("Z")).alias(name)
    if part.type == "set":
        column = F.array_join(column, part.between if isinstance(part, SurveyField) else SEPARATOR)
    is_text = part.type in TEXTS
    return F.regexp_replace(column, NEUTRALISE_PATTERN, "'").alias(name) if is_text else column


def facts_of(findings: Findings) -> dict[str, object]:
    """Return the manifest's facts of a run: where the numbers come from, and the counts. No clock: a rerun gives the same."""
    return {
        "survey": findings.contract.name,
        "contract_sha256": findings.contract.fingerprint,
        "records_version": findings.version,
        "offsets": [
            {"topic": part.topic, "epoch": part.epoch, "partition": part.partition,
             "first": part.first, "last": part.last, "records": part.records}
            for part in findings.offsets
        ],
        "rows": {"received": findings.received, "accepted": findings.accepted, "rejected": findings.rejected,
                 "responses": findings.responses},
        "replaced": findings.replaced,
        "rejected_by_rule": dict(sorted(findings.rejected_by_rule.items())),
        **({"blanked_by_reason": findings.blanked_by_reason} if findings.contract.may_blank else {}),
    }  # fmt: skip
