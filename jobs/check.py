"""A file of answers against a contract: what would be rejected, and why. No Kafka, no Spark; nothing is written.

How to run: python jobs/check.py answers.csv --survey survey.toml      (see --help for more)
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from surveylake.check.file_check import check_file
from surveylake.check.wording import summary, told
from surveylake.cli import command, survey_parser
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.wording import printable

SOME_REJECTED = 9
EXAMPLES = """\
  python jobs/check.py answers.csv --survey survey.toml
  python jobs/check.py                                    the survey's own sample
exit code: 0 nothing would be rejected, 9 something would, 2 wrong argument or contract, 4 the file cannot be read"""


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Check a file. Returns 0 when every line can be sent and would be accepted."""
    parser = survey_parser(
        "check", "Say what a contract would reject of a file, and why.", EXAMPLES, lake=False
    )
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="CSV", help="answers (default: the survey's own sample)"
    )
    args = parser.parse_args(argv)
    contract = load_contract(args.survey)
    file = args.file or args.survey.with_suffix(".sample.csv")
    check = check_file(file, contract, load_config(args.conf).stream.max_message_bytes)
    for line in told(check, contract):
        print("\n".join(printable(part) for part in line.split("\n")))
    print(summary(check, contract))
    return SOME_REJECTED if check.rejected or check.answers.bad else 0


if __name__ == "__main__":
    sys.exit(main())
