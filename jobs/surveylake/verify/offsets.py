"""Check that `records` holds every offset exactly once, by the columns epoch, partition and offset; no value is read."""

from collections.abc import Collection, Mapping, Sequence
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
    """The coverage of one epoch and partition, and what is known of its expected offsets."""

    coverage: PartitionCoverage
    lost: Sequence[Range] = ()
    """ranges that were accepted as lost"""
    broker: Broker | None = None
    """asked about offsets without a row"""
    begin: int | None = None
    """the expected first offset; None where it is not known"""


def accepted_losses(properties: Mapping[str, str], epoch: int, partition: int) -> list[Range]:
    """Return the expired ranges that were accepted as lost, from the table's properties; ascending."""
    prefix = f"{LOSS}{epoch}.{partition}."
    ranges = (key.removeprefix(prefix).split("-") for key in properties if key.startswith(prefix))
    return sorted((int(first), int(last)) for first, last in ranges)


def go_on_at(coverage: PartitionCoverage, lost: Sequence[Range]) -> int:
    """Return the offset at which the stream goes on: after the last row, and after the accepted losses that follow it."""
    end = coverage.last + 1
    for first, last in lost:
        end = last + 1 if first <= end <= last else end
    return end


def checks(records: DataFrame, claims: Sequence[Claim]) -> list[Check]:
    """Return one check per epoch and partition. Spark and the broker are asked about all of them together."""
    partitions = [claim.coverage for claim in claims]
    twice, gaps = doubles(records, partitions), holes(records, partitions)
    unknown = {
        claim.coverage.place: without([*_before(claim), *gaps.get(claim.coverage.place, [])], claim.lost)
        for claim in claims
    }
    broker = next((claim.broker for claim in claims if claim.broker), None)
    questions = {
        claim.coverage.partition: unknown[claim.coverage.place]
        for claim in claims
        if claim.broker and claim.coverage.place not in twice and unknown[claim.coverage.place]
    }
    answers = broker.ask(questions) if broker else {}
    return [
        _check(claim, twice.get(place), gaps.get(place, []), unknown[place], answers.get(place[1], []))
        for claim in claims
        for place in [claim.coverage.place]
    ]


def without_rows(
    epoch: int,
    began: Mapping[int, int],
    held: Collection[int],
    properties: Mapping[str, str],
    broker: Broker,
) -> list[Check]:
    """Return one check per partition without a row that is not read from its start: the topic has no record from before.

    `began` is partition -> where the checkpoint began to read, `held` the partitions with rows, both of this epoch. A checkpoint
    that was begun anew begins where rows ended, also of a partition that has lost them since.
    """
    unread = {
        p: without([(broker.kept[p][0], first - 1)], accepted_losses(properties, epoch, p))
        for p, first in sorted(began.items())
        if p not in held and p in broker.kept and broker.kept[p][0] < first
    }
    answers = broker.ask({p: ranges for p, ranges in unread.items() if ranges})
    return [
        _by_answers(
            f"epoch {epoch} partition {p}", f"no row, read from {began[p]:,} on", broker, of_partition
        )
        for p, of_partition in answers.items()
    ]


def times(records: DataFrame) -> list[Check]:
    """Return a line about records whose time cannot be shown, if there are any; they are in the table all the same."""
    places = without_time(records)
    if not places:
        return []
    named = examples(
        [f"epoch {e} partition {p}: {n:,}, from offset {first} on" for (e, p), n, first in places]
    )
    many = counted(sum(n for _, n, _ in places), "record")
    return [Check("times", RECORDS, SAID, f"{many} without a time that can be shown ({named})")]


def _before(claim: Claim) -> list[Range]:
    """Return the range that is missing before the first row; empty where the expected first offset is not known."""
    begin, first = claim.begin, claim.coverage.first
    return [(begin, first - 1)] if begin is not None and begin < first else []


def _check(
    claim: Claim,
    twice: Sequence[int] | None,
    gaps: Sequence[Range],
    unknown: Sequence[Range],
    answers: Sequence[Answer],
) -> Check:
    """Check one epoch and partition.

    `twice` are offsets with several rows, `gaps` ranges without a row, `unknown` those of them that were not accepted as lost,
    `answers` the broker's about `unknown`.
    """
    coverage, lacking = claim.coverage, [*_before(claim), *gaps]
    if twice is not None:
        rows = counted(coverage.rows - coverage.distinct, "row")
        detail = f"{rows} too many: offset {examples(twice)} more than once"
        return Check(WHAT, coverage.where, NOT_PROVED, detail, REPAIR)
    if size(gaps) < coverage.lacking:
        detail = f"more than {MOST_HOLES:,} ranges of offsets are not in the table: not all of them were looked into"
        return Check(WHAT, coverage.where, NOT_PROVED, detail, REPAIR)
    detail = f"{coverage.first:,} to {coverage.last:,}: {counted(coverage.rows, 'record')}, each once"
    if lost := size(lacking) - size(unknown):
        detail += f"; {counted(lost, 'offset')} accepted as lost"
    if coverage.first > 0 and not _before(claim):
        detail += "; what came before its first offset is " + (
            "not told" if claim.begin is None else "no longer in the topic"
        )
    if not unknown:
        return Check(WHAT, coverage.where, PROVED, detail)
    return _unexplained(claim, detail, unknown, answers)


def _unexplained(claim: Claim, summary: str, unknown: Sequence[Range], answers: Sequence[Answer]) -> Check:
    """Check offsets that neither have a row nor were accepted as lost, by the broker's answers about them."""
    where = claim.coverage.where
    if claim.broker is None:
        detail = f"{_named(unknown)} not in the table, and no broker was asked why"
        return Check(WHAT, where, NOT_PROVED, detail, ASK)
    return _by_answers(where, summary, claim.broker, answers)


def _by_answers(where: str, summary: str, broker: Broker, answers: Sequence[Answer]) -> Check:
    """Check offsets without a row by the broker's answers about them."""
    if against := spoken_against(answers):
        return Check(WHAT, where, NOT_PROVED, against, REPAIR)
    return Check(WHAT, where, PROVED, f"{summary}; {spoken_for(answers, broker)}")


def spoken_against(answers: Sequence[Answer]) -> str:
    """Return a message about records that the broker has and the table lacks, or that it cannot tell about; else empty."""
    lost = [answer for answer in answers if answer.committed]
    unknown = [answer for answer in answers if answer.unknown]
    parts = []
    if lost:
        records = counted(sum(answer.committed for answer in lost), "record")
        parts.append(
            f"{records} in the topic and not in the table: {_named([answer.hole for answer in lost])}"
        )
    if unknown:
        parts.append(
            f"{_named([answer.hole for answer in unknown])} not in the table, and {unknown[0].unknown}"
        )
    return "; ".join(parts)


def spoken_for(answers: Sequence[Answer], broker: Broker) -> str:
    """Return a message about offsets without a record, by the broker's answers."""
    aborted, empty = sum(a.aborted for a in answers), sum(a.empty for a in answers)
    kind = "end of a transaction or compacted away" if broker.compacted else "end of a transaction"
    parts = [f"{aborted:,} aborted"] * bool(aborted) + [f"{empty:,} {kind}"] * bool(empty)
    return f"{counted(aborted + empty, 'offset')} without a record, the broker says: {', '.join(parts)}"


def _named(ranges: Sequence[Range]) -> str:
    """Return `12 offsets (3 to 9, 11, …)`."""
    texts = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges]
    return f"{counted(size(ranges), 'offset')} ({examples(texts)})"
