"""What the parts share: a Kafka, topics made once, contracts that name them, folders that are emptied, and a clock."""

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable
from worker import Worker

from surveylake.paths import CONF, JOBS, ROOT, VAR

SURVEY = CONF / "surveys" / "food_preference.toml"


MEASURABLE_ROWS = 10_000
"""With fewer the harness itself is tried out: the figures mean nothing."""


@dataclass(frozen=True)
class Settings:
    """What is measured, and how much of it."""

    rows: int
    """records in the main topic"""
    repeats: int
    """rounds; each gives one ratio"""
    minutes: float
    """of the freshness part"""
    batches: int
    """micro-batches of the small-files part"""
    peers: tuple[str, ...]
    """who is run beside ours in the throughput part"""
    ablations: tuple[str, ...]
    """what is changed in the ablations part"""

    def warm_up(self, rounds: int) -> int:
        """Return how many of these rounds go before those that count: one at most where nothing is measured."""
        return rounds if self.rows >= MEASURABLE_ROWS else min(rounds, 1)


@dataclass
class Harness:
    """One run's place: `bootstrap` is where Kafka answers, `folder` is emptied before and after."""

    settings: Settings
    bootstrap: str
    folder: Path
    results: Path
    """where the charts go"""
    _topics: dict[str, Path] = field(default_factory=dict)

    def topic(self, rows: int) -> str:
        """The topic that holds `rows` made-up answers, made now when it is not there yet."""
        name = f"bench-{rows}"
        if name not in self._topics:
            say(f"making topic {name}")
            self.survey(name)
            self.produce(name, "--generate", str(rows))
        return name

    def survey(self, topic: str) -> Path:
        """The contract of this topic: one that was added, else the survey's with `topic` as its topic."""
        if topic not in self._topics:
            text = re.sub(
                r'^topic = ".*"$', f'topic = "{topic}"', SURVEY.read_text("utf-8"), flags=re.MULTILINE
            )
            path = self.add_survey(topic, text)
            shutil.copy(SURVEY.with_suffix(".frequencies.toml"), path.with_suffix(".frequencies.toml"))
        return self._topics[topic]

    def add_survey(self, topic: str, contract: str) -> Path:
        """Keep a contract as that of a topic."""
        path = self.folder / "surveys" / f"{topic}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contract, "utf-8")
        self._topics[topic] = path
        return path

    def produce(self, topic: str, *arguments: str) -> float:
        """Run jobs/produce.py to the end: acknowledged rows/s, as it says itself."""
        said = self.job(
            "produce", *arguments, "--bootstrap", self.bootstrap, "--survey", str(self.survey(topic))
        )
        found = re.search(r"failed 0, ([\d,]+) rows/s", said)
        if not found:
            raise RuntimeError(f"produce.py: {said.strip()}")
        return float(found[1].replace(",", ""))

    def job(self, verb: str, *arguments: str) -> str:
        """Run a verb of jobs/ in a process of its own: what it prints. RuntimeError with its errors when it fails."""
        return self.script(JOBS / f"{verb}.py", *arguments)

    def script(self, path: Path, *arguments: str) -> str:
        """The same for any Python file."""
        done = subprocess.run(
            [sys.executable, str(path), *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{path.name} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def worker(self, name: str, java: str = "") -> Worker:
        """A peer's process, idle until it is told what to do; it logs to FOLDER/NAME.log. `java` is said last to its JVM."""
        if name in ("ours", "undone"):
            return Worker(name, self.folder / f"{name}.log", **({"_JAVA_OPTIONS": java} if java else {}))
        # Not the project's settings: an empty folder, and so Spark's own defaults.
        nothing = self.folder / "no-conf"
        nothing.mkdir(exist_ok=True)
        return Worker(name, self.folder / f"{name}.log", SPARK_CONF_DIR=str(nothing))

    def take(self, process: Worker, rows: int, **given: Any) -> dict[str, Any]:
        """Have a worker take a topic into an empty folder, count its rows and remove it: the worker's answer.

        `given` has the `survey` for a worker of ours, and the `topic` for a peer.
        """
        out = self.empty(f"out-{process.name}")
        answer = process.do("take", bootstrap=self.bootstrap, out=out, **given)
        counted(f"{out}/{'records' if 'survey' in given else 'table'}", rows)
        self.empty(f"out-{process.name}")
        return answer

    def empty(self, name: str) -> str:
        """FOLDER/NAME, removed if it was there."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return str(path)

    def drop_topic(self, topic: str) -> None:
        """Give the disk back."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 3})
        admin.delete_topics([topic])[topic].result()
        self._topics.pop(topic, None)


def remove_kafka(lake: str) -> None:
    """jobs/run.py keeps a Kafka folder for each lake, named after it."""
    for path in (VAR / "kafka").glob(f"{lake}-*"):
        shutil.rmtree(path)


def counted(table: str, rows: int) -> None:
    """RuntimeError unless a reader that is not Spark finds exactly `rows` rows in the Delta table."""
    found = DeltaTable(table).to_pyarrow_dataset().count_rows()
    if found != rows:
        raise RuntimeError(f"{table} holds {found:,} rows, and the topic {rows:,} records")


def say(text: str) -> None:
    """One line of progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def default_folder() -> Path:
    """Where a run works: in var/, which git ignores."""
    return ROOT / "var" / "bench"
