"""A survey's contract in the formats of other tools, and a contract from theirs: Open Data Contract Standard, JSON Schema.

How to run: python jobs/convert.py odcs --out food.odcs.yaml      (see --help for more)
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from surveylake import cli
from surveylake.contract.model import load_contract
from surveylake.errors import ConfigError
from surveylake.paths import CONF
from surveylake.wording import printable

EXAMPLES = """\
  python jobs/convert.py odcs > food.odcs.yaml                  the contract in the Open Data Contract Standard 3.1
  python jobs/convert.py odcs --survey my.toml --lake lake      also naming the tables, for: datacontract test
  python jobs/convert.py from-odcs orders.yaml --out my.toml    a contract from one of the standard
  python jobs/convert.py record-schema --survey my.toml         JSON Schema of the topic's records, for producers
  python jobs/convert.py contract-schema                        JSON Schema of contract files, for editors
exit code: 0 done, 2 wrong argument, contract or file"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Write one format. Returns 0."""
    args = _arguments().parse_args(argv)
    text = {"odcs": _odcs, "from-odcs": _from_odcs, "record-schema": _record_schema,
            "contract-schema": _contract_schema}[args.format](args)  # fmt: skip
    if args.out is None:
        print(text, end="")
        return 0
    try:
        with args.out.open("x" if args.format == "from-odcs" else "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{args.out} is there already", "Give a name that no file has.") from error
    except OSError as error:
        raise ConfigError(f"{args.out} cannot be written: {error.strerror}", "Give another --out.") from error
    print(f"wrote {args.out}", file=sys.stderr)
    return 0


def _odcs(args: argparse.Namespace) -> str:
    from surveylake.standards.odcs_export import odcs_of

    return odcs_of(load_contract(args.survey), cli.absolute(args.lake) if args.lake else "")


def _from_odcs(args: argparse.Namespace) -> str:
    """Return the contract as TOML; say what of the file it cannot say."""
    from surveylake.standards.contract_values import toml_of, values_of
    from surveylake.standards.odcs_import import checked, read_odcs

    imported = read_odcs(args.file)
    contract = checked(args.file, imported)
    for part in imported.left_out:
        print(f"note: not taken over: {printable(part)}", file=sys.stderr)
    return toml_of(values_of(contract))


def _record_schema(args: argparse.Namespace) -> str:
    from surveylake.standards.record_schema import record_schema

    return record_schema(load_contract(args.survey))


def _contract_schema(_: argparse.Namespace) -> str:
    from surveylake.standards.contract_schema import contract_schema

    return contract_schema()


def _arguments() -> argparse.ArgumentParser:
    """Return the parser of the verb's arguments."""
    parser = cli.plain_parser("convert", "Write a contract in another format, or read one.", EXAMPLES)
    formats = parser.add_subparsers(dest="format", required=True, metavar="FORMAT")
    odcs = formats.add_parser("odcs", help="the contract in the Open Data Contract Standard 3.1, as YAML")
    odcs.add_argument(
        "--lake", type=cli.lake_folder, metavar="DIR", help="folder of the Delta tables, to be named in it"
    )
    records = formats.add_parser("record-schema", help="JSON Schema of the topic's records")
    formats.add_parser("contract-schema", help="JSON Schema of contract files, for editors")
    foreign = formats.add_parser("from-odcs", help="a contract in TOML from one of the standard")
    foreign.add_argument("file", type=Path, metavar="YAML", help="the data contract")
    for part in (odcs, records):
        part.add_argument(
            "--survey",
            type=Path,
            default=CONF / "surveys" / "food_preference.toml",
            metavar="TOML",
            help="contract (default: %(default)s)",
        )
    for part in formats.choices.values():
        part.add_argument("--out", type=Path, metavar="FILE", help="write it to FILE (default: print it)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
