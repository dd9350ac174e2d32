"""One topic, one lake and a contract that names the topic: what a test of the stream stands in."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable

import stream
from support.sender import sender
from support.sessions import OPEN
from support.waiting import until
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.kafka.topic_creation import create_topic
from surveylake.paths import CONF, JOBS

GOOD = {"Participant_ID": "P1", "Gender": "Female", "Nationality": "Indian", "Age": "24",
        "Food": "Western Food", "Juice": "Fresh Juice", "Dessert": "Yes"}  # fmt: skip
SURVEY = CONF / "surveys" / "food_preference.toml"


def answers(count: int, start: int = 0, **changed: str) -> list[bytes]:
    """Good answers of participants P<start> and on, as the producer writes them; `changed` replaces fields."""
    numbers = range(start, start + count)
    return [json.dumps({**GOOD, "Participant_ID": f"P{i}", **changed}).encode() for i in numbers]


class SurveyEnv:
    """The lake is at `lake`, below `folder`; `survey` is the contract as a file, for jobs run as processes."""

    def __init__(
        self, topic: str, bootstrap: str, folder: Path, partitions: int = 2, insecure: bool = False
    ) -> None:
        self.topic, self.folder, self.lake = topic, folder, folder / "lake"
        self.contract: Contract = load_contract(SURVEY).model_copy(update={"topic": topic})
        config = load_config(CONF / "local.toml").at(bootstrap, insecure)
        kafka = config.kafka.model_copy(update={"partitions": partitions})
        self.config: Config = config.model_copy(update={"kafka": kafka})
        folder.mkdir(parents=True, exist_ok=True)
        self.survey = folder / "survey.toml"
        text = SURVEY.read_text(encoding="utf-8").replace('topic = "Food"', f'topic = "{topic}"')
        self.survey.write_text(text, encoding="utf-8")
        create_topic(self.config.kafka, topic)

    @property
    def bootstrap(self) -> str:
        return self.config.kafka.bootstrap

    @property
    def checkpoint(self) -> Path:
        """Of the first epoch."""
        return self.lake / "_checkpoints" / "records" / "epoch-1"

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap})

    def send(self, count: int, start: int = 0, **changed: str) -> None:
        self.send_values(answers(count, start, **changed), start)

    def send_values(self, values: Iterable[bytes], start: int = 0) -> None:
        """All acknowledged, each under its number as key."""
        producer = sender(self.bootstrap)
        for number, value in enumerate(values, start):
            producer.produce(self.topic, value, str(number))
            producer.poll(0)
        assert producer.flush(30) == 0

    def make_topic_anew(self, partitions: int | None = None) -> None:
        """Delete the topic and make it again, empty: same name, another topic id."""
        admin = self.admin()
        admin.delete_topics([self.topic])[self.topic].result()
        until(lambda: self.topic not in admin.list_topics(timeout=10).topics)
        kafka = self.config.kafka
        create_topic(kafka.model_copy(update={"partitions": partitions or kafka.partitions}), self.topic)

    def set_stream(self, **settings: int) -> None:
        """Change keys of [stream] for the runs to come."""
        self.config = self.config.model_copy(
            update={"stream": self.config.stream.model_copy(update=settings)}
        )

    def with_limit(self, records: int) -> Path:
        """A configuration file for a verb whose micro-batches shall have so many records at most."""
        path, limit = self.folder / f"at-most-{records}.toml", "max_offsets_per_trigger"
        lines = (CONF / "local.toml").read_text(encoding="utf-8").splitlines()
        path.write_text(
            "\n".join(f"{limit} = {records}" if line.startswith(limit) else line for line in lines)
        )
        return path

    def take(self, **wishes: bool) -> None:
        """One run of the stream in this process, until there is nothing more."""
        stream.stream(OPEN, str(self.lake), self.config, self.contract, "available-now", **wishes)

    def rows(self) -> list[tuple[int, int, int]]:
        """Epoch, partition and offset of each record in the table, read without Spark."""
        table = DeltaTable(self.lake / "records").to_pyarrow_table(columns=["epoch", "partition", "offset"])
        return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def assert_every_offset_once(self, count: int) -> None:
        rows = self.rows()
        assert len(rows) == count == len(set(rows))
        for epoch, partition in {row[:2] for row in rows}:
            offsets = [o for e, p, o in rows if (e, p) == (epoch, partition)]
            assert offsets == list(range(len(offsets)))

    def command(self, *more: str, verb: str = "stream") -> list[str]:
        """A verb as a process of its own, on this env's lake and topic."""
        return [sys.executable, str(JOBS / f"{verb}.py"), "--survey", str(self.survey), "--lake", str(self.lake),
                "--bootstrap", self.bootstrap, *more]  # fmt: skip
