"""LAKE/records in and out: every stored record judged again from its raw bytes, the rows that differ changed in one commit.

Run it:  python jobs/replay.py --lake lake --dry-run      then the same without --dry-run
"""

import sys
import time
from collections.abc import Sequence

from surveylake import cli, wording
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.lake.lock import one_writer

EXAMPLES = """
  python jobs/replay.py --dry-run                        what would change: from which reasons to which, how many records
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
    began = time.monotonic()
    with one_writer(args.lake, "replay.py"):
        from surveylake.lake import tables
        from surveylake.quarantine import replay
        from surveylake.runtime import session
        from surveylake.validate import sql_check

        spark = session.open_session("surveylake replay", store=config.store)
        sql_check.check_sql(spark, contract)
        lake = tables.open_lake(spark, cli.absolute(args.lake), writes=not args.dry_run)
        kinds = replay.replay(spark, lake, contract, config.stream.max_message_bytes, args.dry_run)
    for kind in kinds:
        print(wording.printable(kind.line()))
    count = sum(kind.records for kind in kinds)
    did = "would change" if args.dry_run else "changed" if count else "to change: no new version"
    then = (
        "; jobs/aggregate.py brings responses and the counts up to date" if count and not args.dry_run else ""
    )
    print(
        f"replay: {count:,} records {did} in {args.lake}/records, in {time.monotonic() - began:.1f} s{then}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
