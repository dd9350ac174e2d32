"""The report of a soak, as JSON and as the table of docs/reliability.md."""

import itertools
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from faults.ledger import Account, Ledger
from faults.rows import PAGE, replace_table
from surveylake.paths import VAR

TRIGGER = "2 seconds"
BAD_SHARE = 0.01
BOTH, PYTHON, JAVA = "both its processes", "Python alone", "its JVM alone"
BEGIN, END = "<!-- soak:begin -->", "<!-- soak:end -->"


@dataclass
class Report:
    """The observations of a soak; counts of records unless stated otherwise."""

    minutes: float
    rate: int
    seed: int
    driver_kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys((BOTH, PYTHON, JAVA), 0))
    """by what was killed of it"""
    driver_ends: int = 0
    """times the driver ended by itself, with a message, and was started again"""
    broker_kills: int = 0
    commits: int = 0
    longest_gap: float = 0.0
    """seconds between two commits that took records in"""
    indeterminate: int = 0
    """sent, and never answered by Kafka: they may be there or not"""
    in_records: int = 0
    rejected: int = 0
    account: Account = field(default_factory=lambda: Account(0, 0, 0, 0, 0))
    proof: str = ""
    """the last line of verify"""
    proved: bool = False

    @property
    def sound(self) -> bool:
        """Whether every acknowledged record is in the lake once, and nothing else but records that were left unacknowledged."""
        unexplained = self.in_records - self.account.acked
        return self.proved and self.account.balanced and 0 <= unexplained <= self.indeterminate

    def write(self) -> None:
        """Write var/soak.json, and the table into docs/reliability.md."""
        text = json.dumps({**asdict(self), "sound": self.sound}, indent=1)
        (VAR / "soak.json").write_text(text + "\n", encoding="utf-8")
        replace_table(PAGE, self.markdown(), BEGIN, END)

    def markdown(self) -> str:
        """The table of docs/reliability.md."""
        account = self.account
        parts = ", ".join(f"{part} {count}" for part, count in self.driver_kills.items())
        rows = {
            "load": f"{self.minutes:g} minutes, {self.rate:,} records a second, {BAD_SHARE:.0%} of them bad, a batch every {TRIGGER}",
            "machine": f"{os.cpu_count()} cores for the producer, Kafka and Spark together",
            "kill -9 of the driver": f"{sum(self.driver_kills.values())} ({parts})",
            "kill -9 of the broker": f"{self.broker_kills}",
            "the driver ended by itself, with a message": f"{self.driver_ends}",
            "commits": f"{self.commits:,}",
            "longest time between two commits": f"{self.longest_gap:.0f} s",
            "acknowledged by Kafka": f"{account.acked:,}",
            "of these in `records` exactly once, byte for byte": f"{account.found:,}",
            "missing, double, altered": f"{account.missing:,}, {account.doubled:,}, {account.altered:,}",
            "sent and never answered": f"{self.indeterminate:,}",
            "`verify`": self.proof,
        }
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def commits(lake: Path) -> list[tuple[float, int]]:
    """Return (seconds since 1970, number of records) of each commit of `records` that added records."""
    times = []
    for path in (lake / "records" / "_delta_log").glob("*.json"):
        for line in path.read_text(encoding="utf-8").splitlines():
            info = json.loads(line).get("commitInfo", {})
            if rows := int(info.get("operationMetrics", {}).get("numOutputRows", 0)):
                times.append((info["timestamp"] / 1000, rows))
    return sorted(times)


def make_account(report: Report, lake: Path, ledger: Ledger, proved: bool, proof: str) -> None:
    """Complete the report of a soak that has ended, by readers that are not Spark; `proof` is the output of verify."""
    times = [at for at, _ in commits(lake)]
    report.proved, report.proof = proved, (proof.splitlines() or [""])[-1]
    report.commits = len(times)
    report.longest_gap = max((after - before for before, after in itertools.pairwise(times)), default=0.0)
    report.indeterminate, report.account = ledger.indeterminate, ledger.against(lake)
    with duckdb.connect() as db:
        files = DeltaTable(lake / "records").file_uris()
        sql = "SELECT count(*), count(*) FILTER (NOT accepted) FROM read_parquet($1)"
        report.in_records, report.rejected = db.execute(sql, [files]).fetchone() or (0, 0)
