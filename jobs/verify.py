"""Verify a lake: a table of checks and one conclusion, that it has every offset of the topic exactly once, or why not.

Run it:  make verify LAKE=lake      or      python jobs/verify.py --lake lake
"""

import sys
from collections.abc import Sequence

from surveylake import cli, wording
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.errors import ProofError
from surveylake.kafka.options import require_usable
from surveylake.runtime import java_exit
from surveylake.runtime.launch import Launch
from surveylake.runtime.session import opener
from surveylake.verify.proof import prove

EXAMPLES = """
  python jobs/verify.py                                      lake/, and the broker of the configuration where it answers
  python jobs/verify.py --lake /data/lake --bootstrap kafka:9092
  python jobs/verify.py --lake lake --out out                the exported files and their counts too
  python jobs/verify.py --lake lake --json > proof.json      for machines; the exit code is the same
  python jobs/verify.py --lake lake --deep                   reads every data file's bytes against their checksums too

exit code: 0 when proved, 7 when not. Nothing is written to the lake.
"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Prove that the lake holds what it should."""
    parser = cli.survey_parser(
        "verify", "Prove that LAKE holds every offset of the survey's topic exactly once.", EXAMPLES
    )
    cli.add_bootstrap(parser)
    cli.add_out(parser, "exports to check against their manifest and the tables")
    parser.add_argument(
        "--deep", action="store_true", help="compare the bytes of the data files with their checksums"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf).at(args.bootstrap, args.insecure), load_contract(args.survey)
    require_usable(config.kafka)
    proof = prove(
        opener("surveylake verify", config.store, Launch(frugal=True)),
        cli.absolute(args.lake),
        config,
        contract,
        args.out,
        args.deep,
    )
    java_exit.require_alive()
    print(proof.as_json() if args.json else "\n".join(wording.printable(line) for line in proof.lines()))
    return 0 if proof.proved else ProofError.exit_code


if __name__ == "__main__":
    sys.exit(main())
