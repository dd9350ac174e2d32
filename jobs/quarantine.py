"""The rejected records of LAKE/records: counted by reason, listed with coordinates and text, or written to a CSV.

Run it:  python jobs/quarantine.py --lake lake      or      spark-submit jobs/quarantine.py --lake lake
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surveylake import cli, wording
from surveylake.config import load_config
from surveylake.errors import ConfigError, StorageError
from surveylake.paths import new_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from surveylake.lake.tables import Cell

SAMPLES = 3
"""Records shown for each reason."""
EXAMPLES = """
  python jobs/quarantine.py                                  how many by reason, with a few records of each
  python jobs/quarantine.py --rule out_of_range:Age          those records, each with its text
  python jobs/quarantine.py --rule out_of_range              of any field
  python jobs/quarantine.py --all --limit 100 --width 200
  python jobs/quarantine.py --all --csv rejects.csv          all of them, in a file a spreadsheet may open

after correcting the contract: python jobs/replay.py
"""


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the verb's arguments."""
    parser = cli.survey_parser("quarantine", "Show the records that LAKE/records did not accept.", EXAMPLES)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--rule", metavar="REASON", help="list the records that failed it")
    which.add_argument("--all", action="store_true", help="list every rejected record")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="records listed at most (default: 20; no limit with --csv)"
    )
    parser.add_argument(
        "--width",
        type=int,
        default=120,
        metavar="N",
        help="characters of a value shown (default: %(default)s)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write them to a file that is not there yet")
    return parser


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the rejected records, or write them to a CSV."""
    args = arguments().parse_args(argv)
    if (args.limit is not None and args.limit < 1) or args.width < 1:
        raise ConfigError("--limit and --width are at least 1", "Leave them out for the defaults.")
    config = load_config(args.conf)
    from surveylake.lake import tables
    from surveylake.quarantine import rejects
    from surveylake.runtime import session

    spark = session.open_session("surveylake quarantine", store=config.store)
    lake = tables.open_lake(spark, cli.absolute(args.lake))
    records = tables.read(spark, tables.require(spark, lake, tables.RECORDS, "jobs/stream.py"))
    rejected = rejects.rejects(records, args.rule)
    if args.csv:
        rows = rejects.for_sheets(rejects.ordered(rejected, args.limit)).toLocalIterator()
        print(
            f"quarantine: {_write(args.csv, rejects.cells(rows), config.publish.csv_bom):,} rejected records in {args.csv}"
        )
        return 0
    reasons, listed = rejects.by_reason(rejected), args.rule or args.all
    sampled = {} if listed else rejects.samples(rejected, SAMPLES)
    for reason, count in reasons.items():
        print(f"{count:>10,}  {wording.printable(reason)}")
        for row in sampled.get(reason, ()):
            print(f"{'':>12}{rejects.shown(row, args.width)}")
    total = rejected.count()
    if listed:
        for row in rejects.ordered(rejected, args.limit or 20).collect():
            print(rejects.shown(row, args.width))
    failed = f" that failed {wording.printable(args.rule)}" if args.rule else ""
    print(f"quarantine: {total:,} rejected records{failed} in {args.lake}/records")
    return 0


def _write(path: Path, rows: "Iterator[dict[str, Cell]]", bom: bool) -> int:
    from surveylake.export import csv_files
    from surveylake.quarantine import rejects

    try:
        with new_file(path) as part:
            return csv_files.write_csv(part, rejects.COLUMNS, rows, bom)
    except FileExistsError as error:
        raise ConfigError(
            f"{error.filename} is there already",
            "Give another name, or remove it. Where it ends in .part, another run writes it, or was killed.",
        ) from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}", "Give another place with --csv."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
