"""Maven coordinates -> var/jars, verified: the jars Spark, Kafka and s3a:// run on. `make setup` calls this."""

import sys
from collections.abc import Sequence

from surveylake.cli import command, plain_parser
from surveylake.errors import SetupError
from surveylake.runtime.jars import JARS, REQUIRED, SETS, fetch, local_jars, write_lock

EXAMPLES = """\
  python jobs/jars.py                fetch what is missing in var/jars; without a network when nothing is
  python jobs/jars.py --store s3     with the jars for lakes at s3a://, and the log store of their tables
  python jobs/jars.py --check        compare every jar with conf/jars.lock, fetch nothing
  python jobs/jars.py --lock         after changing a coordinate in conf/spark-defaults.conf: resolve anew, write the lock
"""


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Verify the jars, after fetching or locking them anew where that is asked for."""
    parser = plain_parser("jars", __doc__, EXAMPLES)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="verify only")
    action.add_argument("--lock", action="store_true", help="write conf/jars.lock")
    parser.add_argument("--store", choices=["s3"], help="fetch what lakes at s3a:// need, too")
    parser.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    arguments = parser.parse_args(argv)
    # A set that was asked for once is kept as locked from then on.
    sets = [w for w in SETS if w in REQUIRED or w == arguments.store or (JARS / w).is_dir()]
    if arguments.lock:
        write_lock()
    elif not arguments.check:
        fetch(sets=sets)
    for which in sets:
        jars = local_jars(which)
        if not jars:
            raise SetupError(f"the {which} jars are not in {JARS}", "run: make setup")
        if not arguments.quiet:
            print(
                f"{which}: {len(jars)} jars, {sum(jar.stat().st_size for jar in jars) / 1e6:.0f} MB, as locked"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
