"""Delta table `records` in; `responses` (one row per participant) and the `summary_…` tables out.

Run it:  python jobs/aggregate.py --lake lake      or      spark-submit jobs/aggregate.py --lake lake
"""

import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
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
CHANGES = {"same": " (unchanged)", "grown": " (added to)", "other": ""}


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
        aggregate(opener("surveylake aggregate", config.store), args.lake, config, contract, args.version)
    return 0


def aggregate(
    open_spark: OpenSession, root: str, config: Config, contract: Contract, at: int | None = None
) -> "Published | None":
    """Run the step; the caller holds the lake's lock. Returns what was published, or None when there was nothing to do."""
    began = time.monotonic()
    from surveylake.aggregate import analysis, responses, summary_tables
    from surveylake.lake import records_table, tables
    from surveylake.validate import sql_check

    spark = open_spark()
    sql_check.check_sql(spark, contract)
    lake = tables.open_lake(spark, cli.absolute(root), writes=True)
    path = tables.require(spark, lake, tables.RECORDS, "jobs/stream.py")
    records_table.check_columns(spark, lake, contract)
    newest = tables.version(spark, path) if at is None else at
    previous = responses.read_provenance(spark, lake)
    wanted = responses.new_provenance(spark, lake, contract, newest)
    change = responses.change(spark, lake, previous, wanted)
    if change == "same":
        wanted = replace(wanted, records_version=previous.records_version)
    version, smallest = wanted.records_version, config.publish.smallest_group
    summaries = replace(wanted, smallest_group=smallest, rules=summary_tables.RULES)
    if change == "same" and summary_tables.are_made(spark, lake, contract, summaries):
        took = time.monotonic() - began
        print(f"aggregate: nothing new in {root}/records since version {version}, in {took:.1f} s")
        return None
    counts, made = responses.refresh(spark, lake, contract, change, previous, wanted)
    published = analysis.analyse(spark, lake, contract, config.publish, counts, made)
    summary_tables.write(spark, lake, published.tables, summaries)
    print(
        f"aggregate: {published.findings.responses:,} responses{CHANGES[change]} and {len(published.tables)} summaries"
        f" from version {version} of {root}/records in {time.monotonic() - began:.1f} s"
    )
    _log_replaced(published.findings)
    _log_unknown_spellings(published.findings)
    return published


def _log_replaced(findings: "Findings") -> None:
    from surveylake.export.statements.survey import replaced

    for statement in replaced(findings)[-1:]:
        log.log(logging.WARNING if statement.what == "warning" else logging.INFO, statement.text)


def _log_unknown_spellings(findings: "Findings") -> None:
    """Name every unknown spelling for the operator; the report names only those of enough people."""
    for column, people in findings.unknown_spellings.items():
        named = [f"{wording.printable(shorten(text, 40))} ({count:,})" for text, count in people.items()]
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        log.info(
            "spellings of %s that the contract does not know: %s%s",
            column,
            ", ".join(named[:MOST_NAMED]),
            more,
        )


if __name__ == "__main__":
    sys.exit(main())
