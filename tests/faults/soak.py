"""A steady producer, a stream, and kill -9 of the driver or the broker all the while; then every acknowledged record is counted.

Run it:  make soak MINUTES=30        or        python tests/faults/soak.py --minutes 30 --rate 2000 --seed 1
"""

import argparse
import csv
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("jobs", "tests")]

from faults.damage import environment
from faults.ledger import Ledger
from faults.soak_report import BAD_SHARE, BOTH, JAVA, PYTHON, TRIGGER, Report, commits, make_account
from support.survey_env import SURVEY, SurveyEnv
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.paths import VAR

TOPIC = "soak"
SLICE_SECONDS = 0.05
LOOK_SECONDS = 0.2
SAY_SECONDS = 10.0
DRAIN_SECONDS = 300
END_SECONDS = 120


def answers(source: Path, seed: int) -> Iterator[bytes]:
    """Yield the survey's rows over and over, as the producer writes them; one in a hundred is damaged."""
    rng = random.Random(seed)
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in itertools.cycle(rows):
        yield damaged(rng, row) if rng.random() < BAD_SHARE else json.dumps(row, ensure_ascii=False).encode()


def damaged(rng: random.Random, row: dict[str, str]) -> bytes:
    """Return the row cut short, doubled, emptied, with a name in another case, or with an impossible age."""
    value = json.dumps(row).encode()
    old = json.dumps({**row, "Age": "300"}).encode()
    return rng.choice([value[:-9], value + value, b"", value.replace(b'"Age"', b'"AGE"'), old])


def paced(values: Iterator[bytes], rate: int, stop: threading.Event) -> Iterator[bytes]:
    """Yield `rate` values a second until `stop`; the rate is measured from the start, so that an outage is caught up with."""
    began = time.monotonic()
    for number, value in enumerate(values):
        while (early := began + number / rate - time.monotonic()) > SLICE_SECONDS and not stop.wait(early):
            pass
        if stop.is_set():
            return
        yield value


class Soak:
    """One soak in `folder`."""

    def __init__(self, folder: Path, source: Path, report: Report, every: float) -> None:
        """`every` is the mean time between two kills, in seconds."""
        self.report, self.every = report, every
        self.broker = EmbeddedBroker(folder / "kafka", free_port())
        self.ledger = Ledger(folder / "acks.jsonl")
        self.values = answers(source, report.seed)
        self._folder, self._random = folder, random.Random(report.seed)

    def run(self) -> Report:
        """Run the load and the kills, then count. Returns the report; Kafka and the driver have ended then."""
        stop = threading.Event()
        with self.broker, ThreadPoolExecutor(1) as pool:
            self.env = SurveyEnv(TOPIC, self.broker.bootstrap, self._folder, partitions=4)
            self._driver = self._start_driver()
            try:
                values = paced(self.values, self.report.rate, stop)
                sending = pool.submit(self.ledger.send, self.broker.bootstrap, TOPIC, values)
                self._disturb(sending)
                stop.set()
                sending.result()
            finally:
                stop.set()
                self._kill_driver()
            # Take in the rest, as anyone would after a crash.
            subprocess.run(self.env.command(), check=True, timeout=DRAIN_SECONDS, env=environment())
            verify = subprocess.run(
                self.env.command(verb="verify"), stdout=subprocess.PIPE, text=True, env=environment()
            )
        make_account(self.report, self.env.lake, self.ledger, verify.returncode == 0, verify.stdout)
        return self.report

    def _disturb(self, sending: "Future[int]") -> None:
        """For the minutes of the soak: kill the driver or the broker now and then, and restart what is down."""
        began, kills = time.monotonic(), self._kills()
        next_kill, say = next(kills), SAY_SECONDS
        while (now := time.monotonic() - began) < self.report.minutes * 60 and not sending.done():
            if self._driver.poll() is not None:
                self.report.driver_ends += 1
                self._driver = self._start_driver()
            if now >= next_kill[0]:
                next_kill[1]()
                next_kill = next(kills)
            if now >= say:
                say = now + SAY_SECONDS
                self._print_progress(now)
            time.sleep(LOOK_SECONDS)

    def _kills(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """Yield (seconds from the start, kill); each pair has one kill of either kind."""
        at = 0.0
        while True:
            for kill in self._random.sample([self._replace_driver, self._replace_broker], 2):
                at += self._random.uniform(0.5, 1.5) * self.every
                yield at, kill

    def _replace_driver(self) -> None:
        self._kill_driver(self._random.choice([BOTH, PYTHON, JAVA]))
        self._driver = self._start_driver()

    def _replace_broker(self) -> None:
        self.broker.kill()
        self.report.broker_kills += 1
        self.broker.start()

    def _start_driver(self) -> "subprocess.Popen[bytes]":
        """Start the stream as a process group of its own: Python and its JVM."""
        with (self._folder / "driver.log").open("ab") as log:
            command = self.env.command("--trigger", TRIGGER)
            return subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env=environment()
            )

    def _kill_driver(self, part: str = BOTH) -> None:
        """Kill the whole driver, or one of its two processes as a `kill -9` may: the other must end by itself."""
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            children = psutil.Process(self._driver.pid).children(recursive=True)
            java = [child for child in children if child.name() == "java"]
            if part == BOTH:
                os.killpg(self._driver.pid, signal.SIGKILL)
            elif part == JAVA and java:
                java[0].kill()
            else:
                self._driver.kill()
        self._driver.wait(END_SECONDS)
        self.report.driver_kills[part] += 1

    def _print_progress(self, now: float) -> None:
        report, done = self.report, commits(self.env.lake)
        print(
            f"{now / 60:5.1f} min: acknowledged {self.ledger.settled:,}, in records {sum(n for _, n in done):,}; killed: "
            f"driver {sum(report.driver_kills.values())}, broker {report.broker_kills}; driver ended by itself {report.driver_ends}",
            flush=True,
        )


def main() -> int:
    """Soak, write var/soak.json and the table in docs/reliability.md; 0 when the account balances."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30, help="how long (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=2000, help="records a second (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the damage and the kills (default: %(default)s)"
    )
    parser.add_argument(
        "--every", type=float, default=90, help="seconds between two kills, about (default: %(default)s)"
    )
    parser.add_argument("--input", type=Path, default=SURVEY.with_suffix(".sample.csv"), metavar="CSV",
                        help="whose rows are sent, over and over (default: the survey's own sample)")  # fmt: skip
    args = parser.parse_args()
    folder = VAR / "soak"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report = Soak(folder, args.input, Report(args.minutes, args.rate, args.seed), args.every).run()
    report.write()
    print(report.markdown())
    if report.sound:
        shutil.rmtree(folder)
        return 0
    print(f"NOT sound: lake, Kafka's data, ledger and the driver's log are kept in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
