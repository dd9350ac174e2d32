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
from surveylake.kafka import topic
from surveylake.lake.lock import one_writer
from surveylake.wording import examples

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from surveylake.lake.tables import Lake
    from surveylake.stream.batch_progress import Taken

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
    """The verb's own arguments."""
    parser = cli.survey_parser("stream", "Read a survey's topic into the Delta table LAKE/records.", EXAMPLES)
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help="broker (default: from the configuration)")
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
    config, contract = load_config(args.conf).at(args.bootstrap), load_contract(args.survey)
    with one_writer(args.lake, "stream.py"):
        stream(args.lake, config, contract, args.trigger, args.accept_new_topic, args.accept_loss)
    return 0


def stream(
    root: str,
    config: Config,
    contract: Contract,
    trigger: str,
    accept_new_topic: bool = False,
    accept_loss: bool = False,
) -> None:
    """The whole step, for this verb and for run.py; the lake's lock is held by the caller."""
    began = time.monotonic()
    identity = topic.preflight(config.kafka, contract.topic)
    from surveylake.lake.tables import Lake
    from surveylake.runtime import session
    from surveylake.stream import detour, start
    from surveylake.validate import sql_check

    spark = session.open_session("surveylake stream")
    sql_check.check_sql(spark, contract)
    lake = Lake(cli.absolute(root))
    wishes = start.StartOptions(config.stream.starting_offsets, accept_new_topic, accept_loss)
    taken = detour.stream(spark, lake, config, contract, identity, wishes, trigger)
    print(
        f"stream: {taken.line()} from topic {contract.topic} into {root}/records in {time.monotonic() - began:.1f} s"
    )
    _warn_of_rejections(spark, lake, taken, config, contract)
    _name_what_waits(config, contract)


def _warn_of_rejections(
    spark: "SparkSession", lake: "Lake", taken: "Taken", config: Config, contract: Contract
) -> None:
    """Say why most of what came was rejected, with a few records: the contract may be at fault, not the answers."""
    from surveylake.export.statements.survey import mostly_rejected
    from surveylake.lake import tables
    from surveylake.quarantine import rejects as quarantine

    share = config.publish.warn_rejected_share
    for statement in mostly_rejected(dict(taken.failed), taken.received, taken.rejected, share, contract):
        log.warning("warning: %s", statement.text)
        (reason,) = statement.groups
        rejects = quarantine.rejects(tables.read(spark, lake.table(tables.RECORDS)), reason)
        for row in quarantine.ordered(rejects, SAMPLES).collect():
            log.warning("  %s", quarantine.shown(row, SAMPLE_WIDTH))


def _name_what_waits(config: Config, contract: Contract) -> None:
    """Say which records are there and cannot be read yet: a run that ends before them has not read the whole topic."""
    try:
        waiting = topic.open_transactions(config.kafka, contract.topic)
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
