"""The benchmark's loader that keeps what ours keeps: it is equal only if its verdicts are."""

import sys
from dataclasses import dataclass

import pytest

from support.reference_verdict import verdict
from support.validation import FOOD, MAX_BYTES
from surveylake.paths import CONF, ROOT
from surveylake.produce.generator import Plan, records
from surveylake.produce.value_pools import load_frequencies

SURVEY = CONF / "surveys" / "food_preference.toml"


@dataclass(frozen=True)
class Message:
    """What a consumer hands out."""

    number: int
    sent: bytes | None

    def topic(self) -> str:
        return "Food"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.number

    def timestamp(self) -> tuple[int, int]:
        return (1, 1_700_000_000_000)

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes | None:
        return self.sent


def test_the_equal_loader_judges_as_the_reference_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("benchmarks", "benchmarks/peers"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    import equal_loader

    made = records(Plan(FOOD, load_frequencies(SURVEY), 2_000, seed=3, bad=0.1))
    messages = [Message(number, value) for chunk in made for number, _, _, value in chunk]
    found = equal_loader.judged(equal_loader.arrived(messages)).sort("offset")
    assert sys.modules.pop("equal_loader") is equal_loader
    accepted = 0
    for message, row in zip(messages, found.iter_rows(named=True), strict=True):
        expected = verdict(message.sent, FOOD, MAX_BYTES)
        assert row["accepted"] == expected.accepted, message
        assert bool(row["failed_rules"]) != expected.accepted
        if expected.accepted:
            accepted += 1
            assert {name: row[name] for name in FOOD.fields} == expected.row
    assert 1_700 < accepted < 1_900
