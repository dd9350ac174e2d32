"""A file of answers in, a first contract out: every line a guess with its evidence, ready for make run.

How to run: python jobs/draft.py answers.csv      (see --help for more)
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from surveylake.cli import command, plain_parser
from surveylake.contract.model import ROW
from surveylake.draft.contract_text import contract_text
from surveylake.draft.survey_draft import SurveyDraft, draft_survey
from surveylake.errors import ConfigError, StorageError
from surveylake.paths import new_file
from surveylake.wording import counted

EXAMPLES = """\
  python jobs/draft.py answers.csv                      writes answers.toml beside it
  python jobs/draft.py answers.csv --out survey.toml
  python jobs/draft.py answers.csv --out survey.toml --force    writes over the file that is there
exit code: 0 written, 2 wrong argument, 4 the file is no CSV with answers, 6 the contract cannot be written"""


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Draft a contract. Returns 0 when it was written."""
    parser = plain_parser("draft", "Write a first contract from a file of answers.", EXAMPLES)
    parser.add_argument("file", type=Path, metavar="CSV", help="answers")
    parser.add_argument(
        "--out", type=Path, metavar="TOML", help="contract (default: the file's name with .toml, beside it)"
    )
    parser.add_argument("--force", action="store_true", help="write over a contract that is there")
    args = parser.parse_args(argv)
    out = args.out or args.file.with_name(f"{Path(args.file.name.removesuffix('.gz')).stem}.toml")
    if out.exists() and not args.force:
        raise _there_already(out)
    draft = draft_survey(args.file)
    _write(contract_text(draft), out, args.force)
    _tell(draft, args.file, out)
    return 0


def _write(text: str, out: Path, over: bool) -> None:
    """Write the contract as a whole: a full disk leaves what was there.

    Raises ConfigError for a file that came meanwhile, unless it may be written over; StorageError where none can be written.
    """
    try:
        with new_file(out, over) as part:
            part.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise _there_already(Path(error.filename)) from error
    except OSError as error:
        raise StorageError(
            f"{out} cannot be written: {error.strerror}", "Give another file with --out."
        ) from error


def _there_already(out: Path) -> ConfigError:
    return ConfigError(
        f"{out} is there already", "Give another file with --out, or write over it with --force."
    )


def _tell(draft: SurveyDraft, file: Path, out: Path) -> None:
    facts = draft.facts
    who = "each row is a person" if draft.key == ROW else f"a person is a {draft.key}"
    print(f"wrote {out}: {counted(len(draft.fields), 'field')} from {counted(facts.rows, 'row')}; {who}")
    if facts.bad.number:
        first = next((f", such as line {at}: {problem}" for at, problem in facts.bad.first.items()), "")
        print(f"{counted(facts.bad.number, 'line')} cannot be sent{first}")
    skip = " SKIP_BAD=1" if facts.bad.number else ""
    print(f"  next: read {out}, then: make run SURVEY={out} INPUT={file}{skip}")


if __name__ == "__main__":
    sys.exit(main())
