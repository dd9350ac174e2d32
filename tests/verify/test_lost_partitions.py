"""A partition that was read and has no row: no record was committed there, or its rows are gone."""

import json
from pathlib import Path

import pytest

from surveylake.verify import checkpoint as proof_checkpoint
from surveylake.verify import offsets as proof_offsets
from surveylake.verify.broker import Answer, Broker, Range
from surveylake.verify.checks import NOT_PROVED, PROVED, Check

TOPIC = "t"
BATCH = 5
Offsets = dict[int, int]


class BrokerWithRecords(Broker):
    """Every offset that it is asked about is a record."""

    kind = "committed"

    def ask(self, holes: dict[int, list[Range]]) -> dict[int, list[Answer]]:
        return {
            p: [Answer((first, last), **{self.kind: last - first + 1}) for first, last in ranges]
            for p, ranges in holes.items()
        }


class BrokerWithAborted(BrokerWithRecords):
    """Every offset that it is asked about is a record of an aborted transaction."""

    kind = "aborted"


def broker(kind: type[BrokerWithRecords], kept: dict[int, Range] | None = None) -> Broker:
    return kind(None, None, kept or {}, False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "epoch-1"


def checked(
    folder: Path, ends: Offsets, first: Offsets | None, read: Offsets, kafka: Broker | None = None
) -> Check:
    """Check a checkpoint, as Spark writes one, that began at `first` and of which batch 5 ends at `read`."""
    begun = {f"offsets/{BATCH}": f"v1\n{{}}\n{json.dumps({TOPIC: read})}", f"commits/{BATCH}": "v1\n{}"}
    began = {} if first is None else {"sources/0/0": f"\0v1\n{json.dumps({TOPIC: first})}"}
    for name, text in {"metadata": '{"id":"q"}', **begun, **began}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return proof_checkpoint.check(folder, TOPIC, ends, BATCH, {"q": BATCH}, kafka)


@pytest.mark.parametrize("ends", [{0: 500}, {}])
def test_rows_that_are_all_gone_of_a_partition_or_of_the_table_are_not_proved(
    folder: Path, ends: Offsets
) -> None:
    check = checked(folder, ends, {0: 0, 1: 0}, {0: 500, 1: 300})
    assert check.status == NOT_PROVED
    assert "partition 1 offset 0 to 299, and the table does not have them; no broker" in check.detail
    assert ("partition 0 offset 0 to 499" in check.detail) == (not ends)


def test_the_broker_tells_records_that_are_gone_from_none_at_all(folder: Path) -> None:
    given = ({0: 500}, {0: 0, 1: 0}, {0: 500, 1: 300})
    check = checked(folder, *given, broker(BrokerWithRecords))
    assert check.status == NOT_PROVED
    assert "300 records in the topic and not in the table: 300 offsets (0 to 299)" in check.detail
    check = checked(folder, *given, broker(BrokerWithAborted))
    assert (check.status, "300 aborted" in check.detail) == (PROVED, True)


@pytest.mark.parametrize(
    ("first", "read"),
    [
        ({0: 0, 1: 0}, {0: 500, 1: 0}),
        ({0: 0, 1: 300}, {0: 500, 1: 300}),
        ({0: 0}, {0: 500, 1: 0}),
        ({0: 0, 1: 0}, {0: 500}),
        (None, {0: 500, 1: 0}),
    ],
    ids=["empty", "read from its end on", "came later", "came since", "an unknown beginning"],
)
def test_a_partition_of_which_nothing_was_read_needs_no_row(
    folder: Path, first: Offsets | None, read: Offsets
) -> None:
    check = checked(folder, {0: 500}, first, read)
    assert (check.status, check.detail) == (PROVED, "batch 5 ends where the table does")


@pytest.mark.parametrize("first", [{0: 0}, None])
def test_a_partition_that_came_later_was_read_from_its_start(folder: Path, first: Offsets | None) -> None:
    assert "partition 1 offset 0 to 39" in checked(folder, {0: 500}, first, {0: 500, 1: 40}).detail


# --- earlier epochs, whose topics are gone


@pytest.mark.parametrize(
    ("held", "properties", "said"),
    [
        ({0, 1}, {}, ""),
        ({0}, {}, "it read partition 1 offset 20 to 299, and the table has no row of it"),
        (set(), {}, "it read partition 0 offset 0 to 499, partition 1 offset 20 to 299, and"),
        ({0}, {"surveylake.loss.1.1.0-399": "accepted"}, ""),
        ({0}, {"surveylake.loss.1.1.0-99": "accepted"}, "it read partition 1 offset 100 to 299, and"),
    ],
)
def test_all_rows_of_a_partition_are_missed_in_an_earlier_epoch_too(
    folder: Path, held: set[int], properties: dict[str, str], said: str
) -> None:
    checked(folder, {0: 500}, {0: 0, 1: 20}, {0: 500, 1: 300, 2: 0})
    found = proof_checkpoint.emptied(folder, TOPIC, BATCH, held, properties)
    assert len(found) == bool(said)
    assert all(check.status == NOT_PROVED and said in check.detail for check in found)
    assert proof_checkpoint.emptied(folder, TOPIC, None, held, properties) == []
    assert proof_checkpoint.emptied(folder, "another topic", BATCH, held, properties) == []


# --- a checkpoint that was begun anew begins where the rows ended


def test_records_from_before_a_new_checkpoint_are_missed_in_a_partition_without_a_row() -> None:
    kafka = broker(BrokerWithRecords, {0: (0, 500), 1: (20, 300)})
    (check,) = proof_offsets.without_rows(2, {0: 500, 1: 300}, {0}, {}, kafka)
    assert (check.where, check.status) == ("epoch 2 partition 1", NOT_PROVED)
    assert check.detail == "280 records in the topic and not in the table: 280 offsets (20 to 299)"
    assert check.next_step == proof_offsets.REPAIR


def test_aborted_records_from_before_a_new_checkpoint_are_explained() -> None:
    kafka = broker(BrokerWithAborted, {1: (0, 4)})
    (check,) = proof_offsets.without_rows(1, {1: 4}, set(), {}, kafka)
    assert check.status == PROVED
    assert check.detail == "no row, read from 4 on; 4 offsets without a record, the broker says: 4 aborted"


@pytest.mark.parametrize(
    ("kept", "held", "properties"),
    [
        ({1: (300, 400)}, set(), {}),
        ({1: (0, 400)}, {1}, {}),
        ({0: (0, 400)}, set(), {}),
        ({1: (200, 400)}, set(), {"surveylake.loss.1.1.100-299": "accepted"}),
    ],
    ids=["no longer kept", "has rows", "of another topic", "accepted as lost"],
)
def test_nothing_is_missed_before_a_new_checkpoint(
    kept: dict[int, Range], held: set[int], properties: dict[str, str]
) -> None:
    kafka = broker(BrokerWithRecords, kept)
    assert proof_offsets.without_rows(1, {1: 300}, held, properties, kafka) == []
