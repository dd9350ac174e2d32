"""LAKE/records in and out: every stored record judged again from its raw bytes, the rows that differ changed in one commit.

With other columns than the table's, every row is written anew, columns added, filled, renamed or removed, in one commit too.

Run it:  python jobs/replay.py --lake lake --dry-run      then the same without --dry-run
"""

import sys
import time
from collections.abc import Sequence

import plan
from surveylake import cli, wording
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.lake.lock import one_writer
from surveylake.runtime.session import opener

EXAMPLES = """
  python jobs/replay.py --dry-run                        what would change, as jobs/plan.py says it
  python jobs/replay.py                                  change it; a second run changes nothing
  python jobs/replay.py --survey my_survey.toml --lake /data/lake

afterwards: python jobs/aggregate.py and python jobs/export.py, for responses and the published counts
"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Apply the contract as it is now to what is stored."""
    parser = cli.survey_parser(
        "replay", "Judge the records in LAKE/records again, under the contract as it is now.", EXAMPLES
    )
    cli.add_dry_run(parser)
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf), load_contract(args.survey)
    open_spark = opener("surveylake replay", config.store)
    if args.dry_run:
        return plan.show(open_spark, args.lake, config, contract)
    began = time.monotonic()
    with one_writer(args.lake, "replay.py"):
        from surveylake.lake import tables
        from surveylake.quarantine import replay
        from surveylake.validate import sql_check

        spark = open_spark()
        sql_check.check_sql(spark, contract)
        lake = tables.open_lake(spark, cli.absolute(args.lake), writes=True)
        done = replay.replay(spark, lake, contract, config.stream.max_message_bytes)
    for kind in done.changes:
        print(wording.printable(kind.line()))
    print(
        f"replay: {done.line()} in {args.lake}/records, in {time.monotonic() - began:.1f} s{done.next_step}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
