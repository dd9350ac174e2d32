"""Send a survey's answers to its Kafka topic: CSV rows as JSON records, each acknowledged, none twice.

How to run: python jobs/produce.py answers.csv      (see --help for more)
"""

import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from surveylake.cli import add_bootstrap, command, survey_parser
from surveylake.config import load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError, InputError
from surveylake.kafka.topic import Topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.produce.already_sent import ScanResult, scan
from surveylake.produce.csv_rows import Answers, chunks, read_answers
from surveylake.produce.delivery import Record
from surveylake.produce.generator import BLOCK, Plan, records, write_csv
from surveylake.produce.producer import AnswerProducer
from surveylake.produce.value_pools import load_frequencies
from surveylake.signals import stop_signals
from surveylake.wording import printable

EXAMPLES = """\
  python jobs/produce.py                                  send the survey's own sample
  python jobs/produce.py answers.csv                      send a file; what the topic holds of it already is left out
  python jobs/produce.py answers.csv --again              send all of it once more
  python jobs/produce.py answers.csv --key row-number --echo
  python jobs/produce.py --generate 1000000 --seed 7 --defects 0.02
  python jobs/produce.py --generate 600 --rate 10         ten answers a second for a minute
  python jobs/produce.py --generate 289 --csv made-up.csv  write made-up answers to a file; no Kafka
exit code: 0 all acknowledged, 1 not all, 2 wrong argument or configuration, 4 the CSV cannot be sent, 5 Kafka"""

STOPPING = "sending no more, waiting for what is on its way"
SKIP_BAD = "Correct what is named, or leave it out: --skip-bad-lines, or for make run SKIP_BAD=1."


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Send a CSV or generated answers. Returns 0 when every record was acknowledged."""
    args = _arguments(argv)
    contract = load_contract(args.survey)
    kafka = load_config(args.conf).at(args.bootstrap, args.insecure).kafka
    name = args.topic or contract.topic
    if args.generate is None:
        answers = readable(args.file or args.survey.with_suffix(".sample.csv"), contract, args.skip_bad_lines)
        topic, is_new = create_topic(kafka, name)
        sent = None if is_new or args.again else already_there(topic, answers)
        how = Sending(args.key == "row-number", args.echo, args.rate)
        return send_answers(topic, answers, contract, sent, how)
    plan = Plan(contract, load_frequencies(args.survey), args.generate, args.seed, args.defects)
    if args.csv:
        print(f"wrote {write_csv(plan, args.csv):,} rows to {args.csv}")
        return 0
    topic, _ = create_topic(kafka, name)
    topic.require_rights("WRITE")
    chunk_size = max(1, min(BLOCK, int(args.rate / 20))) if args.rate else BLOCK
    return _send(AnswerProducer(topic, "", args.echo), records(plan, chunk_size), args.generate, args.rate)


@dataclass(frozen=True)
class Sending:
    """How the rows of a file are sent."""

    row_key: bool = False
    """the record's key is the row's number, and not the contract's key field"""
    echo: bool = False
    """print topic, partition and key of each acknowledged record"""
    rate: float = 0
    """rows per second at most; 0 for no limit"""


AS_THEY_ARE = Sending()


def readable(path: Path, contract: Contract, skip_bad_lines: bool) -> Answers:
    """Check a whole CSV before anything is sent, and say what is odd about it. Returns it.

    Raises InputError for lines that cannot be sent and may not be skipped.
    """
    answers = read_answers(path, contract)
    for note in answers.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    bad = f"{len(answers.bad):,} line{'s' if len(answers.bad) != 1 else ''}"
    if answers.bad and (not skip_bad_lines or not answers.rows):
        raise InputError(f"{answers.path}: {bad} cannot be sent as {'they are' if len(answers.bad) != 1 else 'it is'};"
                         f" nothing was sent\n{answers.describe_bad()}", SKIP_BAD)  # fmt: skip
    if answers.bad:
        print(f"left out {bad}:\n{printable(answers.describe_bad())}", file=sys.stderr)
    return answers


def already_there(topic: Topic, answers: Answers) -> ScanResult:
    """Return what an existing topic holds, of this file and of others. Raises TopicError naming the rights that are missing."""
    topic.require_rights("WRITE", "READ")
    return scan(topic, answers.source, answers.rows)


def send_answers(
    topic: Topic, answers: Answers, contract: Contract, sent: ScanResult | None, how: Sending = AS_THEY_ARE
) -> int:
    """Send the rows that are not `sent` yet; None for a topic that holds none. Returns 0 when every record was acknowledged."""
    if sent is None:
        topic.require_rights("WRITE")
    else:
        _say_what_is_there(topic, answers, sent)
    missing = answers.rows - (sent.count if sent else 0)
    if not missing:
        return 0
    rows = chunks(answers, contract, how.row_key, sent.rows if sent else None)
    return _send(AnswerProducer(topic, answers.source, how.echo), rows, missing, how.rate)


def _say_what_is_there(topic: Topic, answers: Answers, sent: ScanResult) -> None:
    """Say how many rows the topic holds already."""
    if sent.expired and sent.count < answers.rows:
        print(
            f"note: {sent.expired:,} older records are no longer kept in {topic.name}; rows among them are sent again",
            file=sys.stderr,
        )
    missing = answers.rows - sent.count
    if sent.count:
        rest = f"sending the other {missing:,}" if missing else "nothing sent (--again sends them again)"
        print(f"already in the topic: {sent.count:,} of {answers.rows:,} rows; {rest}")


def _send(producer: AnswerProducer, rows: Iterable[list[Record]], total: int, rate: float) -> int:
    """Send rows until they end or a signal comes. Returns 0 when every record was acknowledged, else 1."""
    with stop_signals(STOPPING, second_interrupts=True) as stop:
        delivery = producer.send(rows, stop, total, rate)
    print(f"{delivery}{' (stopped before the end; run it again for the rest)' if delivery.stopped else ''}")
    return 0 if delivery.complete else 1


def _arguments(argv: Sequence[str] | None) -> Namespace:
    """Parse the command line. Raises ConfigError for arguments that contradict each other."""
    parser = survey_parser("produce", "Send a survey's answers to its Kafka topic.", EXAMPLES, lake=False)
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="answers to send: a CSV, an .xlsx or a .sav (default: the survey's own sample)",
    )
    add_bootstrap(parser, "Kafka's address (default: from the configuration)")
    parser.add_argument("--topic", help="another topic than the contract's")
    parser.add_argument(
        "--key",
        choices=["field", "row-number"],
        default="field",
        help="record key: the contract's key field (default), or 0, 1, …",
    )
    parser.add_argument(
        "--echo", action="store_true", help="print topic, partition and key of each acknowledged record"
    )
    parser.add_argument(
        "--again", action="store_true", help="send rows that the topic holds already once more"
    )
    parser.add_argument(
        "--skip-bad-lines", action="store_true", help="send the other lines of a CSV that has bad ones"
    )
    parser.add_argument("--rate", type=float, default=0, metavar="ROWS/S", help="send no faster than this")
    generated = parser.add_argument_group("made-up answers")
    generated.add_argument(
        "--generate", type=int, metavar="N", help="send N made-up answers in place of a file"
    )
    generated.add_argument(
        "--seed", type=int, default=1, help="the same seed makes the same answers (default: %(default)s)"
    )
    generated.add_argument(
        "--defects",
        type=float,
        default=0,
        metavar="SHARE",
        help="share with a defect, each kind in turn: 0 to 1",
    )
    generated.add_argument("--csv", type=Path, metavar="FILE", help="write them to FILE instead of Kafka")
    args = parser.parse_args(argv)
    if args.file and args.generate is not None:
        raise ConfigError("a file and --generate at once", "Give one of them.")
    if args.csv and args.generate is None:
        raise ConfigError("--csv is for made-up answers", "Add --generate N.")
    if args.rate < 0:
        raise ConfigError("--rate is below 0", "Give rows per second, or leave it out.")
    return args


if __name__ == "__main__":
    sys.exit(main())
