"""Whether a report tells the truth: each of many surveys published, and everything in it recomputed from the raw CSV.

The checker itself is checked below: it has to find each false statement that reports made once.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import checker_words
from false_statements import FALSE, Copy
from generated_surveys import SURVEYS, reserved_names
from report_checker import PARTS, faults
from surveyed import publish

KNOWN = {
    "nobody": (r"says that nobody answered", "a7 a7b a7c", "records came and none was accepted: the tables say 'nobody answered'"),
    "unwarned": (r"^warning: no record was accepted", "a7c", "all rejected, each reason for fewer than half: no warning at all"),
    "rows": (r"^rows of .* not in order", "a3 rare_groups half_rejected", "the rows of a two-column table come as Spark happens to give them"),
    "columns": (r"^columns of .* not in order", "a9 likert",
                "a cell with nobody in it moves its column: bands 1-5, 26-100, 6-25 in table and stacks"),
    "zero": (r"^headline .* is said to differ most", "zero_cells likert a9", "an answer that one group never gave is not compared"),
    "alone": (r"^headline .* one group only", "no_less a11", "two groups without a common answer: one of them is left out"),
    "withheld": (r"^claim: .* is said to be (None|'withheld')", "no_less a5 one_group",
                 "a claim is withheld for a side of no people, which is no small group: 40 against 0"),
    "too few": (r"says '.*: not shown: fewer than 5 people', and \d+ people", "all_alone",
                "'fewer than 5 people' of a table of 30 people, of whom fewer than 5 gave each answer"),
    "sender": (r"names 'Zwischenform'", "same_sender",
               "a value is named that came in five rejected records, all from one person"),
}  # fmt: skip
"""Faults of the report that are known: pattern, surveys that show it, what is wrong."""


class Reports:
    """The published reports by survey's name, each made once."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark, self._folder, self._made = spark, folder, dict[str, Path]()
        self._faults = dict[str, list[str]]()

    def of(self, name: str) -> Path:
        if name not in self._made:
            folder = self._folder / name
            folder.mkdir()
            self._made[name] = publish(self._spark, name, SURVEYS[name](), folder)
        return self._made[name]

    def faults(self, name: str) -> list[str]:
        if name not in self._faults:
            self._faults[name] = faults(*SURVEYS[name](), self.of(name))
        return self._faults[name]


@pytest.fixture(scope="module")
def reports(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    return Reports(spark, tmp_path_factory.mktemp("reports"))


@pytest.mark.parametrize("name", SURVEYS)
def test_everything_a_report_says_follows_from_the_raw_answers(name: str, reports: Reports) -> None:
    """a1 to a13 are literal cases that were reported wrong once."""
    # The order of rows is Spark's, so any survey may have that one.
    known = [
        pattern for kind, (pattern, names, _) in KNOWN.items() if name in names.split() or kind == "rows"
    ]
    assert [f for f in reports.faults(name) if not any(re.search(pattern, f) for pattern in known)] == []


@pytest.mark.parametrize(
    ("pattern", "names"),
    [pytest.param(pattern, names, id=kind, marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=why))
     for kind, (pattern, names, why) in KNOWN.items()],
)  # fmt: skip
def test_a_known_fault_is_mended(pattern: str, names: str, reports: Reports) -> None:
    """When one of these passes, its line in KNOWN has done its duty."""
    assert [
        fault for one in names.split() for fault in reports.faults(one) if re.search(pattern, fault)
    ] == []


@pytest.mark.xfail(
    strict=True, raises=(IndexError, AssertionError),
    reason="a group of people who wrote '(not shown)' is taken for what is held back, and ends the export",
)  # fmt: skip
def test_an_answer_may_be_called_as_what_is_held_back(spark: SparkSession, tmp_path: Path) -> None:
    made = reserved_names()
    assert faults(*made, publish(spark, "reserved_names", made, tmp_path)) == []


def test_the_checker_uses_nothing_of_the_product() -> None:
    here = Path(__file__).parent
    modules = [here / "report_checker.py", *here.glob("checker_*.py")]
    assert len(modules) > len(PARTS)
    assert not [
        m.name for m in modules if re.search(r"^\s*(from|import) (surveylake|pyspark)", m.read_text(), re.M)
    ]


def test_a_share_is_written_with_one_decimal_and_nothing_is_called_zero_or_all_that_is_not() -> None:
    assert checker_words.percents(0.573) == {"57.3 %"}
    assert checker_words.percents(0.0625) == {"6.2 %", "6.3 %"}  # both roundings of a half are right
    assert checker_words.percents(0.0004) == {"< 0.1 %", "fewer than 0.1 %"}
    assert checker_words.percents(0.9996) == {"> 99.9 %", "more than 99.9 %"}
    assert checker_words.percents(0.0) == {"0.0 %"}
    assert checker_words.percents(1.0) == {"100.0 %"}


@pytest.mark.parametrize(("falsify", "name", "said"), FALSE, ids=[f"{n}-{f.__name__}" for f, n, _ in FALSE])
def test_the_checker_finds_each_false_statement(
    falsify: Callable[[Copy], None], name: str, said: str, reports: Reports, tmp_path: Path
) -> None:
    """What reports printed once (rows a1 to a13), and its kin, put into a good report."""
    folder = tmp_path / "out"
    shutil.copytree(reports.of(name), folder)
    copy = Copy(folder)
    falsify(copy)
    copy.write()
    new = set(faults(*SURVEYS[name](), folder)) - set(reports.faults(name))
    assert [fault for fault in new if re.search(said, fault)], new


def test_every_reported_row_has_its_fault() -> None:
    assert {f"a{row}" for row in range(1, 14)} <= {name for _, name, _ in FALSE}
