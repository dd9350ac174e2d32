"""`responses` as one CSV file of any size: written by the executors, joined part by part, never in the driver's memory."""

import shutil
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from surveylake.contract.model import Contract
from surveylake.export.csv_files import BOM, NEUTRALISE_PATTERN, csv_cell


def write_responses_csv(responses: DataFrame, contract: Contract, path: Path, bom: bool = False) -> int:
    """One line per participant, ordered by the key, contract columns only, text cells neutralised; the bytes written.

    With `bom` the file begins with a byte order mark.
    The parts are written beside `path`, so on a cluster that folder must be one that the executors share with the driver.
    """
    parts = path.with_name(f"_{path.name}.parts")
    columns = [_neutral(name, kind) for name, kind in contract.columns.items()]
    ordered = responses.orderBy(contract.key).select(*columns)
    ordered.write.csv(str(parts), header=False, escape='"', emptyValue='""', nullValue="", lineSep="\n", mode="overwrite",
                      ignoreLeadingWhiteSpace=False, ignoreTrailingWhiteSpace=False)  # fmt: skip
    with path.open("wb") as whole:
        whole.write(
            ((BOM if bom else "") + ",".join(csv_cell(name) for name in contract.columns) + "\n").encode()
        )
        for part in sorted(parts.glob("part-*.csv")):
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole, 1 << 20)
    shutil.rmtree(parts)
    return path.stat().st_size


def _neutral(name: str, kind: str) -> Column:
    column = F.col(name)
    return F.regexp_replace(column, NEUTRALISE_PATTERN, "'").alias(name) if kind == "string" else column
