"""A small survey for tests that need a lake: its contract, how its answers get into a topic, and how they get into a lake."""

import json
from pathlib import Path

import stream
from support.sender import sender
from support.sessions import OPEN
from surveylake.config import Config, Kafka
from surveylake.contract.model import Contract, load_contract
from surveylake.kafka.topic_creation import create_topic

CONTRACT = """
name = "pets"
title = "Pets"
topic = "TOPIC"
key = "who"
[fields.who]
source = "Who"
type = "string"
required = true
[fields.pet]
source = "Pet"
type = "string"
required = true
allowed = ["cat", "dog"]
spellings = SPELLINGS
[fields.age]
source = "Age"
type = "integer"
required = true
max = MOST
[fields.town]
source = "Town"
type = "string"
[derived.is_old]
sql = "age >= 10"
type = "boolean"
[summaries]
by = [["pet"]]
measure = "age"
received_by = "pet"
"""


def contract_file(folder: Path, topic: str, spellings: str = "{ }", most: int = 30) -> Path:
    """The contract as a file; `spellings` is TOML, `most` the highest age that is accepted."""
    path = folder / f"{topic}.toml"
    path.write_text(
        CONTRACT.replace("TOPIC", topic).replace("SPELLINGS", spellings).replace("MOST", str(most))
    )
    return path


def contract(folder: Path, topic: str, spellings: str = "{ }", most: int = 30) -> Contract:
    return load_contract(contract_file(folder, topic, spellings, most))


def config(broker: str, partitions: int = 2) -> Config:
    return Config(kafka=Kafka(bootstrap=broker, partitions=partitions))


def answer(who: str, pet: str = "cat", age: int = 3, **more: str) -> bytes:
    return json.dumps({"Who": who, "Pet": pet, "Age": str(age), "Town": "Ulm", **more}).encode()


def send(settings: Config, topic: str, values: list[bytes], partition: int = 0) -> None:
    """Values to one partition, in order, all acknowledged; the topic is made when it is missing."""
    send_each(settings, topic, {partition: values})


def send_each(settings: Config, topic: str, values: dict[int, list[bytes]]) -> None:
    """The same for several partitions, by one producer."""
    create_topic(settings.kafka, topic)
    producer = sender(settings.kafka.bootstrap)
    for partition, its_values in values.items():
        for value in its_values:
            producer.produce(topic, value, key=b"k", partition=partition)
    assert producer.flush(30) == 0


def take_in(lake: Path | str, settings: Config, survey: Contract) -> None:
    """One run of the stream, until there is nothing more."""
    stream.stream(OPEN, str(lake), settings, survey, "available-now")
