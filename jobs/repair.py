"""Mend a lake whose newest files are broken: they are moved aside, so that it can be read and streamed into again.

Run it:  python jobs/repair.py --lake lake --dry-run      then the same without --dry-run
"""

import sys
from collections.abc import Sequence

from surveylake import cli, wording
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ProofError
from surveylake.lake.lake_path import LakePath
from surveylake.lake.lock import one_writer
from surveylake.runtime.session import OpenSession, opener

EXAMPLES = """
  python jobs/repair.py --dry-run                        what is broken, and what would be put aside; changes nothing
  python jobs/repair.py                                  put it aside, in LAKE/_repair/1, then 2 …; nothing is deleted
  python jobs/repair.py --lake /data/lake --bootstrap kafka:9092

exit code: 0 when nothing is left to mend, 7 when there is (--dry-run), or when it cannot be mended without losing records
"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Move aside what is broken and can be made again."""
    parser = cli.survey_parser("repair", "Mend what a power loss left broken in LAKE.", EXAMPLES)
    cli.add_bootstrap(parser)
    cli.add_dry_run(parser)
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf).at(args.bootstrap, args.insecure), load_contract(args.survey)
    from surveylake.repair import plan as repair

    open_spark = opener("surveylake repair", config.store)
    lake = repair.lake_with_records(open_spark, cli.absolute(args.lake))
    with one_writer(str(lake), "repair.py"):
        return mend(open_spark, lake, config, contract, args.dry_run)


def mend(open_spark: OpenSession, lake: LakePath, config: Config, contract: Contract, dry_run: bool) -> int:
    """Plan the repair, print and take the steps, and plan again. The caller holds the lake's lock. Returns the exit code."""
    from surveylake.repair import plan as repair
    from surveylake.repair.fence import fence
    from surveylake.repair.moves import move_files, next_folder

    plan = repair.plan(open_spark, lake, config, contract, lambda line: print(wording.printable(line)))
    if not plan.steps:
        print(f"repair: nothing to mend in {lake}: {plan.left}")
        return 0
    into = next_folder(lake)
    for step in plan.steps:
        print(wording.printable(f"step: put aside in {into}: {step.what}"))
    if dry_run:
        print(f"repair: {len(plan.steps)} steps to take in {lake}; nothing was changed")
        return ProofError.exit_code
    with fence(open_spark, str(lake), plan):
        move_files(lake, [path for step in plan.steps for path in step.paths], into)
    again = repair.plan(open_spark, lake, config, contract, lambda _: None)
    if again.steps:
        raise ProofError(
            f"{lake} is still broken: {again.steps[0].what}", "Run this again; then jobs/verify.py."
        )
    print(
        f"repair: {len(plan.steps)} steps taken in {lake}; looked at again: {again.left};"
        f" next: {', '.join(plan.then) or 'jobs/verify.py'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
