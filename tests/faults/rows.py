"""The 101 rows of the fault matrix, and the table of a full run in docs/reliability.md."""

import json
import os
import platform
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from faults.covered_elsewhere import NOT_HERE, Elsewhere, NotMet
from surveylake.kafka.embedded_node import class_path
from surveylake.paths import ROOT

COUNTS = {"A": 10, "B": 13, "C": 9, "D": 14, "E": 16, "F": 5, "G": 18, "H": 10, "J": 6}
IDS = [f"{part}{n}{'c' if part == 'F' else ''}" for part, last in COUNTS.items() for n in range(1, last + 1)]
PAGE = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "var" / "faults.json"
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
NOT_RUN = NotMet("", "its test has not run since the table was begun")
HEAD = ["row", "injected", "expected", "observed", "the plain query"]


@dataclass
class Row:
    """The observations of one test of a row; the test calls `row.observed(…)` and `row.plain_query(…)`."""

    id: str
    injected: str
    expected: str
    wants_stock: bool
    test: str
    outcome: str = ""
    """passed, failed, or `skipped: why`"""
    seen: list[str] = field(default_factory=list)
    plain_query_seen: list[str] = field(default_factory=list)
    day: str = ""
    """the day of its run, as YYYY-MM-DD"""
    seconds: float = 0.0
    """with its fixtures"""

    def observed(self, text: str) -> None:
        """Record what surveylake did under the fault."""
        self.seen.append(masked(text))

    def plain_query(self, text: str) -> None:
        """Record what the plain Kafka -> Delta query did under the same fault."""
        self.plain_query_seen.append(masked(text))

    @property
    def missing(self) -> str:
        """Which observation the test lacks; empty when none."""
        if not self.seen:
            return "it never called row.observed(…)"
        return (
            "it is marked stock=True and never called row.plain_query(…)"
            if self.wants_stock and not self.plain_query_seen
            else ""
        )


def masked(text: str) -> str:
    """Mask what differs from run to run or machine to machine: paths, ports, process ids, ids, times."""
    for pattern, instead in (
        # Ids of clusters and topics are 16 bytes in base64; the one that follows such a word may have no digit.
        (r"\b(topic id|cluster|this is|on) [\w/+-]{22}(?![\w/+-])", r"\1 ID"),
        (r"(?:file:)?(?:/[\w.@%+~-]+){2,}/([\w.@%+~-]+)", r"…/\1"),
        (r"\b(?:127\.0\.0\.1|localhost):\d+", "BROKER"),
        # Machines of their own (support.netns), and this one.
        (r"(?:(?<!/)/)?\b10(?:\.\d+){3}(?::\d+)?", "ADDRESS"),
        (r"\bon \S+ \(process", "on HOST (process"),
        (r"\b(process|pid) \d+", r"\1 N"),
        (r"\bT\d{6,}\b", "TOPIC"),
        (r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "ID"),
        (r"(?<![\w/-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{22}(?![\w-])", "ID"),
        (r"\b\d+(?:\.\d+)? ?(ms|s|seconds)\b", r"N \1"),
        (r"\s+", " "),
    ):
        text = re.sub(pattern, instead, text)
    return text.strip()


def brief(text: str, length: int = 160) -> str:
    """Return the masked text, cut after a whole word when it is longer than `length`."""
    text = masked(text)
    return text if len(text) <= length else f"{text[:length].rsplit(' ', 1)[0].rstrip(',;:')} …"


def table(rows: Iterable[Row]) -> str:
    """Return the rows in the matrix's order as a Markdown table; tests of one row share a line."""
    lines = [HEAD, ["---"] * len(HEAD)]
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row.id, []).append(row)
    for id_ in IDS:
        tested = by_id.get(id_)
        lines.append([id_, *(_tested(tested) if tested else _listed(NOT_HERE.get(id_, NOT_RUN)))])
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _tested(rows: list[Row]) -> list[str]:
    """Return the cells of one tested row, beginning with `injected`."""
    bad = [row for row in rows if row.outcome != "passed"]
    seen = _once([text for row in rows for text in row.seen])
    outcome = "; ".join(sorted({row.outcome for row in bad})) if bad else ""
    observed = f"**{outcome}** {seen}".strip() if outcome else seen
    plain_query = _once([text for row in rows for text in row.plain_query_seen])
    return [_once([r.injected for r in rows]), _once([r.expected for r in rows]), observed, plain_query]


def _listed(entry: Elsewhere | NotMet) -> list[str]:
    if isinstance(entry, NotMet):
        return [entry.injected, "", f"not tested: {entry.reason}", ""]
    return [entry.injected, entry.expected, f"not tested: {NOT_RUN.reason}", ""]


def caption(rows: Iterable[Row]) -> str:
    """Return the line above the table: when these rows ran, on what, and how many tests passed."""
    rows = list(rows)
    days = sorted({row.day for row in rows})
    when = f"Run on {days[0]}" if len(days) == 1 else f"Run in parts, from {days[0]} to {days[-1]}"
    counted = Counter(row.outcome.partition(":")[0] for row in rows)
    outcomes = ", ".join(
        f"{count} {outcome}" for outcome, count in sorted(counted.items(), key=lambda c: -c[1])
    )
    stack = f"Spark {version('pyspark')}, Delta {version('delta-spark')} and Kafka {kafka_version()}"
    listed = sum(isinstance(entry, NotMet) for entry in NOT_HERE.values())
    return (
        f"{when} with {stack} on {platform.system()}, {os.cpu_count()} cores, in {sum(row.seconds for row in rows) / 60:.0f} minutes: "
        f"{len(rows)} tests, {outcomes}. {len(IDS) - listed} of {len(IDS)} rows are tested; the others say why they are not."
    )


def kafka_version() -> str:
    """Return the version in the name of the broker's jar."""
    (jar,) = (path for path in class_path() if path.name.startswith("org.apache.kafka_kafka_2.13-"))
    return jar.stem.rpartition("-")[2]


def _once(texts: list[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def write(rows: list[Row]) -> None:
    """Write var/faults.json and the table in docs/reliability.md; tests that did not run keep their last observations."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    again = {row.test for row in rows}
    rows = [Row(**row) for row in before if row["test"] not in again] + rows
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    replace_table(PAGE, f"{caption(rows)}\n\n{table(rows)}")


def replace_table(page: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put the text between the two comments. Raises ValueError when the page does not have them."""
    before, began, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (began and ended):
        raise ValueError(f"{page} has no {begin} … {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
