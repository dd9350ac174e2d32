"""Maintain a lake's Delta tables: compaction, log checkpoints, VACUUM.

Run it:  python jobs/maintain.py --lake lake      or      spark-submit jobs/maintain.py --lake lake
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from surveylake import cli
from surveylake.config import load_config
from surveylake.lake.lock import one_writer

EXAMPLES = """examples:
  python jobs/maintain.py                         every table of lake/
  python jobs/maintain.py --lake /data/lake --dry-run
  python jobs/maintain.py --keep-days 30          versions of the last 30 days stay readable
  SPARK_CONF_DIR=conf spark-submit jobs/maintain.py --lake lake
A running stream holds the lake and looks after its table itself; this is for when none runs.
"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Maintain every table of a lake."""
    args = _arguments().parse_args(argv)
    began = time.monotonic()
    from surveylake.lake import retention

    retention.check_days(args.keep_days, args.force)
    with one_writer(args.lake, "maintain.py"):
        names = _maintain(args)
    print(f"maintain: {len(names)} tables of {args.lake} in {time.monotonic() - began:.1f} s")
    return 0


def _maintain(args: argparse.Namespace) -> list[str]:
    """Maintain each table and print what was done. Returns the tables' names."""
    from surveylake.lake import (
        compaction,
        folders,
        maintenance,
        retention,
        table_history,
        tables,
        writer_token,
    )
    from surveylake.runtime import session

    spark = session.open_session("surveylake maintain", store=load_config(args.conf).store)
    lake = tables.open_lake(spark, cli.absolute(args.lake), writes=not args.dry_run)
    names = folders.names(spark, lake)
    published_versions = retention.published_versions(spark, lake)
    if tables.RECORDS in names and args.keep_days < retention.SAFE_DAYS and not args.dry_run:
        # Files that a stream is about to commit look like unneeded ones.
        writer_token.stop_streams(spark, lake, "maintain.py --force")
    for name in names:
        path = lake.table(name)
        if args.dry_run:
            small = maintenance.small_files(spark, path)
            print(f"{name}: {small or 'nobody knows how many files'} below the size to compact")
            continue
        # Each commit made here keeps the provenance of the table, which a log that is cleaned would lose with its commit.
        with tables.commits_keep(spark, table_history.provenance_of(spark, path)):
            retention.promise(spark, path, args.keep_days)
            compacted = compaction.compact(spark, path)
            pinned = published_versions if name == tables.RECORDS else ()
            removal = retention.vacuum(spark, path, args.keep_days, args.force, pinned)
            commits = maintenance.checkpoint(spark, path)
        log = f"log checkpoint after {commits:,} commits" if commits else "log checkpoint there already"
        retained = f", {removal.published:,} kept for what is published" if removal.published else ""
        print(
            f"{name}: {compacted}; {log}; {removal.removed:,} files replaced over {args.keep_days:g} days ago removed{retained}"
        )
    return names


def _arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="jobs/maintain.py", description="Compact the tables of a lake, and remove what is no longer needed.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--lake",
        type=cli.lake_folder,
        default="lake",
        metavar="DIR",
        help="folder of the Delta tables (default: %(default)s)",
    )
    parser.add_argument("--conf", type=Path, metavar="TOML", help="configuration (default: conf/local.toml)")
    parser.add_argument(
        "--keep-days",
        type=float,
        default=7,
        metavar="N",
        help="files replaced in these days stay, and what is published (default: %(default)s, the least without --force)",
    )
    parser.add_argument("--force", action="store_true", help="keep fewer days: no reader may be open then")
    parser.add_argument("--dry-run", action="store_true", help="say what there is, and change nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
