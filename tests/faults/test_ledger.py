"""The ledger itself: its claims survive a kill, and its account counts what is missing, double or altered."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from faults.ledger import Account, Ledger, digest
from support.survey_env import SurveyEnv, answers

pytestmark = pytest.mark.quick
VALUES: list[bytes | None] = [b"a", b"b", None, b"d"]


def ledger_of(path: Path, values: list[bytes | None]) -> Ledger:
    """Return a ledger that claims these values at offsets 0, 1, …"""
    path.write_text(
        "".join(f'["t", 0, {n}, {n}, "{digest(value)}"]\n' for n, value in enumerate(values)),
        encoding="utf-8",
    )
    return Ledger(path)


def lake_of(folder: Path, records: list[tuple[int, bytes | None]]) -> Path:
    """Return a lake whose `records` holds these offsets and values."""
    offsets, values = [offset for offset, _ in records], [value for _, value in records]
    table = pa.table({
        "topic": ["t"] * len(records), "partition": pa.array([0] * len(records), pa.int32()), "offset": offsets,
        "value": pa.array(values, pa.binary()), "epoch": pa.array([1] * len(records), pa.int32()),
    })  # fmt: skip
    write_deltalake(folder / "records", table)
    return folder


@pytest.mark.parametrize(
    ("offsets", "account"),
    [
        ([0, 1, 2, 3], Account(4, 4, 0, 0, 0)),
        ([0, 2, 3], Account(4, 3, 1, 0, 0)),
        ([0, 1, 1, 2, 2, 3], Account(4, 2, 0, 2, 0)),
        ([0, 1, 1, 3], Account(4, 2, 1, 1, 0)),
    ],
)
def test_an_account_balances_only_when_each_record_is_there_once(
    tmp_path: Path, offsets: list[int], account: Account
) -> None:
    lake = lake_of(tmp_path, [(offset, VALUES[offset]) for offset in offsets])
    result = ledger_of(tmp_path / "acks", VALUES).against(lake)
    assert result == account
    assert result.balanced is (offsets == [0, 1, 2, 3])


def test_an_altered_value_is_seen_and_so_is_one_in_place_of_a_tombstone(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, [(0, b"A"), (1, b"b"), (2, b""), (3, b"d")])
    result = ledger_of(tmp_path / "acks", VALUES).against(lake)
    assert result == Account(4, 4, 0, 0, 2)
    assert not result.balanced


def test_a_line_torn_by_a_kill_is_not_claimed_and_the_next_one_is_whole(
    tmp_path: Path, env: SurveyEnv
) -> None:
    ledger_of(tmp_path / "acks", VALUES)
    with (tmp_path / "acks").open("ab") as file:
        file.write(b'["t", 0, 4, 4, "2c')
    ledger = Ledger(tmp_path / "acks")
    assert ledger.settled == 4
    assert ledger.send(env.bootstrap, env.topic, answers(3)) == 3
    assert [ack.seq for ack in ledger.entries()] == [0, 1, 2, 3, 4, 5, 6]
    assert [ack.sha for ack in ledger.entries()][4:] == [digest(value) for value in answers(3)]
    assert ledger.indeterminate == 0


def test_what_kafka_never_answered_is_not_claimed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "acks")
    sent = ledger.send("127.0.0.1:1", "t", answers(3), **{"message.timeout.ms": 1000})
    assert (sent, ledger.settled, ledger.indeterminate, ledger.entries()) == (0, 0, 3, [])
