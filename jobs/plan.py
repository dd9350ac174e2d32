"""What a changed contract would do to LAKE: which records' verdicts and which published numbers would change, and to what.

Run it:  python jobs/plan.py --lake lake --survey my_survey.toml      then jobs/replay.py with the same arguments
"""

import sys
import time
from collections.abc import Sequence

from surveylake import cli, wording
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError
from surveylake.runtime.session import OpenSession, opener

EXAMPLES = """
  python jobs/plan.py                                    what differs, whose verdicts change, which published numbers change
  python jobs/plan.py --survey my_survey.toml --lake /data/lake
  python jobs/plan.py --json > plan.json                 for machines

Nothing is written to the lake, and a stream may run. jobs/replay.py --dry-run says the same; jobs/replay.py does it.
exit code: 2 where replay would refuse the change.
"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the plan of a change of contract."""
    parser = cli.survey_parser("plan", "Say what a changed contract would do to LAKE.", EXAMPLES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf), load_contract(args.survey)
    return show(opener("surveylake plan", config.store), args.lake, config, contract, args.json)


def show(
    open_spark: OpenSession, root: str, config: Config, contract: Contract, as_json: bool = False
) -> int:
    """Print the plan, for this verb and for a dry run of replay.py. Returns the exit code."""
    began = time.monotonic()
    from surveylake.lake import tables
    from surveylake.quarantine import plan, plan_text
    from surveylake.validate import sql_check

    spark = open_spark()
    sql_check.check_sql(spark, contract)
    planned = plan.plan(spark, tables.open_lake(spark, cli.absolute(root)), config, contract)
    if as_json:
        print(planned.as_json())
    else:
        for line in plan_text.lines(planned):
            print(wording.printable(line))
        count, took = sum(change.records for change in planned.changes), time.monotonic() - began
        print(f"plan: {count:,} records would change in {root}/records, in {took:.1f} s; nothing was written")
    return ConfigError.exit_code if planned.refusals else 0


if __name__ == "__main__":
    sys.exit(main())
