"""Kafka topic in, Delta table `records` out: every record once, good or bad, with its verdict.

Run it:  python jobs/stream.py --lake lake            (takes all there is, then stops)
         spark-submit jobs/stream.py --lake lake      (with SPARK_CONF_DIR=conf, or --properties-file conf/spark-defaults.conf)
"""

import argparse
import logging
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from surveylake import cli
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError, TopicError
from surveylake.kafka.topic import Topic, open_topic
from surveylake.lake.lock import one_writer
from surveylake.progress import Stopwatch
from surveylake.runtime.session import OpenSession, opener
from surveylake.wording import examples

if TYPE_CHECKING:
    from surveylake.stream.batch_progress import Taken
    from surveylake.stream.job import StreamJob

log = logging.getLogger(__name__)
SAMPLES, SAMPLE_WIDTH = 3, 120
EXAMPLES = """
  python jobs/stream.py                                  take all there is in the topic, then stop
  python jobs/stream.py --trigger "5 seconds"            go on until Ctrl-C or SIGTERM, a batch every 5 seconds
  python jobs/stream.py --bootstrap kafka:9092 --lake /data/lake --survey conf/surveys/food_preference.toml
  SPARK_CONF_DIR=conf spark-submit jobs/stream.py        the same through spark-submit
  spark-submit --master spark://host:7077 --properties-file conf/spark-defaults.conf jobs/stream.py --conf conf/cluster.toml
"""


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the verb's arguments."""
    parser = cli.survey_parser("stream", "Read a survey's topic into the Delta table LAKE/records.", EXAMPLES)
    cli.add_bootstrap(parser)
    parser.add_argument(
        "--trigger",
        default="available-now",
        help="available-now (default), or an interval such as '5 seconds'",
    )
    parser.add_argument(
        "--accept-new-topic", action="store_true", help="the topic was made anew: read it as a new epoch"
    )
    parser.add_argument(
        "--accept-loss", action="store_true", help="go on without records that expired before they were read"
    )
    return parser


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Take records in until there are no more, or until stopped."""
    args = arguments().parse_args(argv)
    if args.trigger != "available-now" and not re.fullmatch(
        r"\d+ (milli)?seconds?|\d+ minutes?", args.trigger
    ):
        raise ConfigError(
            f"--trigger {args.trigger!r} is no interval", "Write available-now, or such as '5 seconds'."
        )
    config, contract = load_config(args.conf).at(args.bootstrap, args.insecure), load_contract(args.survey)
    with one_writer(args.lake, "stream.py"):
        allowed = (args.accept_new_topic, args.accept_loss)
        spark, stopwatch = opener("surveylake stream", config.store), Stopwatch()
        stream(spark, args.lake, config, contract, args.trigger, *allowed, stopwatch=stopwatch)
    print(stopwatch.line())
    return 0


def stream(
    open_spark: OpenSession,
    root: str,
    config: Config,
    contract: Contract,
    trigger: str,
    accept_new_topic: bool = False,
    accept_loss: bool = False,
    topic: Topic | None = None,
    stopwatch: Stopwatch | None = None,
    process_stays: bool = False,
) -> None:
    """Run the whole step, for this verb and for run.py; the lake's lock is held by the caller.

    Without `topic` it is opened. It is asked for before Spark is started: what is wrong with it is known within a second.
    The seconds of each part join the stopwatch. `process_stays` where more records come to this process after the run: then it
    pays to compile more.
    """
    began, stopwatch = time.monotonic(), stopwatch or Stopwatch()
    with stopwatch.timed("topic"):
        topic = topic or open_topic(config.kafka, contract.topic)
        identity = topic.identify()
    from surveylake.lake import tables
    from surveylake.stream import detour, job, start
    from surveylake.validate import sql_check

    with stopwatch.timed("Spark"):
        spark = open_spark()
    sql_check.check_sql(spark, contract)
    lake = tables.open_lake(spark, cli.absolute(root), writes=True)
    work = job.stream_job(spark, topic, lake, config, contract, stopwatch, process_stays)
    options = start.StartOptions(config.stream.starting_offsets, accept_new_topic, accept_loss)
    taken = detour.stream(work, identity, options, trigger)
    seconds = time.monotonic() - began
    stopwatch.add("else", seconds - sum(stopwatch.seconds.values()))
    print(f"stream: {taken.line()} from topic {contract.topic} into {root}/records in {seconds:.1f} s")
    _warn_of_rejections(work, taken)
    _name_what_waits(topic)


def _warn_of_rejections(job: "StreamJob", taken: "Taken") -> None:
    """Say why most of what came was rejected, with a few records: the contract may be at fault, not the answers."""
    from surveylake.export.statements.survey import mostly_rejected
    from surveylake.lake import tables
    from surveylake.quarantine import rejects as quarantine

    share = job.config.publish.warn_rejected_share
    for statement in mostly_rejected(dict(taken.failed), taken.received, taken.rejected, share, job.contract):
        log.warning("warning: %s", statement.text)
        (reason,) = statement.groups
        rejects = quarantine.rejects(tables.read(job.spark, job.records), reason)
        for row in quarantine.ordered(rejects, SAMPLES).collect():
            log.warning("  %s", quarantine.shown(row, SAMPLE_WIDTH))


def _name_what_waits(topic: Topic) -> None:
    """Say which records are there and cannot be read yet: a run that ends before them has not read the whole topic."""
    try:
        waiting = topic.open_transactions()
    except TopicError as error:
        log.warning("whether records wait for a transaction is not known: %s", error.message)
        return
    if waiting:
        named = [f"partition {p}: offsets {first} to {end - 1}" for p, (first, end) in waiting.items()]
        log.warning(
            "%s wait for a transaction that is open; run this again when it has ended", examples(named)
        )


if __name__ == "__main__":
    sys.exit(main())
