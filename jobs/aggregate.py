"""Delta table `records` in; `responses` (one row per participant) and the `summary_…` tables out.

Run it:  python jobs/aggregate.py --lake lake      or      spark-submit jobs/aggregate.py --lake lake
"""

import logging
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from surveylake import cli, wording
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.export.formatting import shorten
from surveylake.lake.lock import one_writer
from surveylake.runtime.session import OpenSession, opener

if TYPE_CHECKING:
    from surveylake.aggregate.analysis import Published
    from surveylake.aggregate.findings import Findings

EXAMPLES = """
  python jobs/aggregate.py                                    from lake/records into lake/responses and lake/summary_…
  python jobs/aggregate.py --lake /data/lake --version 12     from version 12 of records
  SPARK_CONF_DIR=conf spark-submit jobs/aggregate.py --lake lake
"""


log = logging.getLogger(__name__)
MOST_NAMED = 20
SAID = {"same": " (unchanged)", "grown": " (added to)", "other": ""}


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Aggregate one version of `records`."""
    parser = cli.survey_parser(
        "aggregate", "Make responses and the published counts from LAKE/records.", EXAMPLES
    )
    parser.add_argument("--version", type=int, metavar="N", help="version of records (default: the latest)")
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf), load_contract(args.survey)
    with one_writer(args.lake, "aggregate.py"):
        aggregate(opener("surveylake aggregate"), args.lake, config, contract, args.version)
    return 0


def aggregate(
    open_spark: OpenSession, root: str, config: Config, contract: Contract, at: int | None = None
) -> "Published | None":
    """Run the whole step, for this verb and for run.py; the lake's lock is held by the caller.

    Returns what was made, or None when there was nothing to do.
    """
    began = time.monotonic()
    from surveylake.aggregate import analysis, responses, summary_tables
    from surveylake.lake import records_table, tables
    from surveylake.validate import sql_check

    spark = open_spark()
    sql_check.check_sql(spark, contract)
    lake = tables.Lake(cli.absolute(root))
    path = tables.require(spark, lake, tables.RECORDS, "jobs/stream.py")
    records_table.check_columns(spark, lake, contract)
    made = responses.made_from(spark, lake)
    note = responses.due(spark, lake, contract, tables.version(spark, path) if at is None else at)
    change = responses.change(spark, lake, made, note)
    if change == "same":
        note["records_version"] = made["records_version"]
    version = note["records_version"]
    summaries = {**note, "smallest_group": config.publish.smallest_group, "rules": summary_tables.RULES}
    if change == "same" and summary_tables.are_made(spark, lake, contract, summaries):
        took = time.monotonic() - began
        print(f"aggregate: nothing new in {root}/records since version {version}, in {took:.1f} s")
        return None
    seen = responses.refresh(spark, lake, contract, change, made, note)
    published = analysis.analyse(spark, lake, contract, config.publish, seen)
    summary_tables.write(spark, lake, published.frames, summaries)
    print(
        f"aggregate: {published.findings.responses:,} responses{SAID[change]} and {len(published.frames)} summaries"
        f" from version {version} of {root}/records in {time.monotonic() - began:.1f} s"
    )
    _say_what_the_key_did(published.findings)
    _name_unknown_spellings(published.findings)
    return published


def _say_what_the_key_did(findings: "Findings") -> None:
    from surveylake.export.statements.survey import replaced

    for statement in replaced(findings)[-1:]:
        log.log(logging.WARNING if statement.what == "warning" else logging.INFO, statement.text)


def _name_unknown_spellings(findings: "Findings") -> None:
    """Name them for whoever runs this; the report, which others read, names only those of enough people."""
    for column, people in findings.unknown_spellings.items():
        named = [f"{wording.printable(shorten(text, 40))} ({count:,})" for text, count in people.items()]
        left = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        log.info(
            "spellings of %s that the contract does not know: %s%s",
            column,
            ", ".join(named[:MOST_NAMED]),
            left,
        )


if __name__ == "__main__":
    sys.exit(main())
