"""Delta table `records` in; `responses` (one row per participant) and the `summary_…` tables out.

Run it:  python jobs/aggregate.py --lake lake      or      spark-submit jobs/aggregate.py --lake lake
"""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from surveylake import cli
from surveylake.config import Config, load_config
from surveylake.contract import Contract, load_contract
from surveylake.lakelock import one_writer

if TYPE_CHECKING:
    from surveylake.analysis import Published

EXAMPLES = """
  python jobs/aggregate.py                                    from lake/records into lake/responses and lake/summary_…
  python jobs/aggregate.py --lake /data/lake --version 12     from version 12 of records
  SPARK_CONF_DIR=conf spark-submit jobs/aggregate.py --lake lake
"""


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
        aggregate(args.lake, config, contract, args.version)
    return 0


def aggregate(root: str, config: Config, contract: Contract, at: int | None = None) -> "Published":
    """The whole step, for this verb and for run.py; the lake's lock is held by the caller."""
    began = time.monotonic()
    from surveylake import analysis, preflight, session, tables

    spark = session.open_session("surveylake aggregate")
    preflight.check_sql(spark, contract)
    lake = tables.Lake(cli.absolute(root))
    path = tables.require(spark, lake, tables.RECORDS, "jobs/stream.py")
    tables.check_columns(spark, lake, contract)
    version = tables.version(spark, path) if at is None else at
    fresh = analysis.write_responses(spark, lake, contract, version)
    published = analysis.analyse(spark, lake, contract, config.publish, version)
    analysis.write_summaries(spark, lake, published)
    found = published.findings
    print(
        f"aggregate: {found.responses:,} responses{'' if fresh else ' (unchanged)'} and {len(published.frames)} summaries"
        f" from version {version} of {root}/records in {time.monotonic() - began:.1f} s"
    )
    return published


if __name__ == "__main__":
    sys.exit(main())
