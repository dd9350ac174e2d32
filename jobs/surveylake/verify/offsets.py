"""Does `records` hold every offset exactly once? Counted over the columns epoch, partition and offset; no payload is read."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from surveylake.lake.records_table import LOSS
from surveylake.lake.tables import RECORDS
from surveylake.verify.broker import Answer, Broker, Range
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.verify.coverage import (
    MOST_HOLES,
    PartitionCoverage,
    doubles,
    holes,
    size,
    without,
    without_time,
)
from surveylake.wording import counted, examples

WHAT = "offsets"
ASK = "Run this with the broker that the records came from (--bootstrap)."
REPAIR = "Do not go on streaming into this lake: read 'When verify says no' in docs/reliability.md."


@dataclass(frozen=True)
class Claim:
    """What one epoch and partition holds, and what is known besides of what it should."""

    cover: PartitionCoverage
    lost: Sequence[Range] = ()
    """accepted as lost"""
    broker: Broker | None = None
    """who may be asked about offsets without a row"""
    begin: int | None = None
    """the offset it should begin at, where that is known; else where it begins is said"""


def accepted_losses(properties: dict[str, str], epoch: int, partition: int) -> list[Range]:
    """The ranges that were accepted as lost when they expired, from the table's properties."""
    prefix = f"{LOSS}{epoch}.{partition}."
    ranges = (key.removeprefix(prefix).split("-") for key in properties if key.startswith(prefix))
    return sorted((int(first), int(last)) for first, last in ranges)


def go_on_at(cover: PartitionCoverage, lost: Sequence[Range]) -> int:
    """The offset the stream goes on at: after the last row, and after what was accepted as lost behind it."""
    end = cover.last + 1
    for first, last in lost:
        end = last + 1 if first <= end <= last else end
    return end


def checks(records: DataFrame, claims: Sequence[Claim]) -> list[Check]:
    """One check of each epoch and partition. Spark and the broker are asked about all of them together."""
    partitions = [claim.cover for claim in claims]
    twice, gaps = doubles(records, partitions), holes(records, partitions)
    unknown = {
        claim.cover.place: without([*_before(claim), *gaps.get(claim.cover.place, [])], claim.lost)
        for claim in claims
    }
    broker = next((claim.broker for claim in claims if claim.broker), None)
    asked = {
        claim.cover.partition: unknown[claim.cover.place]
        for claim in claims
        if claim.broker and claim.cover.place not in twice and unknown[claim.cover.place]
    }
    answers = broker.ask(asked) if broker else {}
    return [
        _check(claim, twice.get(place), gaps.get(place, []), unknown[place], answers.get(place[1], []))
        for claim in claims
        for place in [claim.cover.place]
    ]


def times(records: DataFrame) -> list[Check]:
    """What is said of records whose time cannot be shown, if there are any: they are in the table all the same."""
    found = without_time(records)
    if not found:
        return []
    named = examples(
        [f"epoch {e} partition {p}: {n:,}, from offset {first} on" for (e, p), n, first in found]
    )
    many = counted(sum(n for _, n, _ in found), "record")
    return [Check("times", RECORDS, SAID, f"{many} without a time that can be shown ({named})")]


def _before(claim: Claim) -> list[Range]:
    """What is missing before the first row, where it is known that something should be there."""
    begin, first = claim.begin, claim.cover.first
    return [(begin, first - 1)] if begin is not None and begin < first else []


def _check(
    claim: Claim,
    twice: Sequence[int] | None,
    gaps: Sequence[Range],
    unknown: Sequence[Range],
    answers: Sequence[Answer],
) -> Check:
    cover, lacking = claim.cover, [*_before(claim), *gaps]
    if twice is not None:
        rows = counted(cover.rows - cover.distinct, "row")
        detail = f"{rows} too many: offset {examples(twice)} more than once"
        return Check(WHAT, cover.where, NOT_PROVED, detail, REPAIR)
    if size(gaps) < cover.lacking:
        detail = f"more than {MOST_HOLES:,} ranges of offsets are not in the table: not all of them were looked into"
        return Check(WHAT, cover.where, NOT_PROVED, detail, REPAIR)
    said = f"{cover.first:,} to {cover.last:,}: {counted(cover.rows, 'record')}, each once"
    if lost := size(lacking) - size(unknown):
        said += f"; {counted(lost, 'offset')} accepted as lost"
    if cover.first > 0 and not _before(claim):
        said += "; what came before its first offset is " + (
            "not told" if claim.begin is None else "no longer in the topic"
        )
    if not unknown:
        return Check(WHAT, cover.where, PROVED, said)
    return _unexplained(claim, said, unknown, answers)


def _unexplained(claim: Claim, said: str, unknown: Sequence[Range], answers: Sequence[Answer]) -> Check:
    """Offsets that neither have a row nor were accepted as lost: what the broker says they are."""
    where = claim.cover.where
    if claim.broker is None:
        detail = f"{_named(unknown)} not in the table, and no broker was asked why"
        return Check(WHAT, where, NOT_PROVED, detail, ASK)
    if against := spoken_against(answers):
        return Check(WHAT, where, NOT_PROVED, against, REPAIR)
    return Check(WHAT, where, PROVED, f"{said}; {spoken_for(answers, claim.broker)}")


def spoken_against(answers: Sequence[Answer]) -> str:
    """What the broker has and the table lacks, or cannot tell; empty when there is no such thing."""
    lost = [answer for answer in answers if answer.committed]
    dark = [answer for answer in answers if answer.unknown]
    said = []
    if lost:
        records = counted(sum(answer.committed for answer in lost), "record")
        said.append(
            f"{records} in the topic and not in the table: {_named([answer.hole for answer in lost])}"
        )
    if dark:
        said.append(f"{_named([answer.hole for answer in dark])} not in the table, and {dark[0].unknown}")
    return "; ".join(said)


def spoken_for(answers: Sequence[Answer], broker: Broker) -> str:
    """What the offsets without a row are, as the broker tells."""
    aborted, empty = sum(a.aborted for a in answers), sum(a.empty for a in answers)
    kind = "end of a transaction or compacted away" if broker.compacted else "end of a transaction"
    parts = [f"{aborted:,} aborted"] * bool(aborted) + [f"{empty:,} {kind}"] * bool(empty)
    return f"{counted(aborted + empty, 'offset')} without a record, the broker says: {', '.join(parts)}"


def _named(ranges: Sequence[Range]) -> str:
    texts = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges]
    return f"{counted(size(ranges), 'offset')} ({examples(texts)})"
