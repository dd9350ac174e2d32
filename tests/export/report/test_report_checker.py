"""Whether a report tells the truth: each of many surveys published, and everything in it recomputed from the raw CSV.

The checker itself is checked below: it has to find each false statement that reports made once.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support import checker_words
from support.false_statements import FALSE, Copy
from support.generated_surveys import SURVEYS, reserved_names
from support.report_checker import PARTS, faults
from support.surveyed import publish


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
    assert reports.faults(name) == []


def test_an_answer_may_be_called_as_what_is_held_back(spark: SparkSession, tmp_path: Path) -> None:
    survey = reserved_names()
    assert faults(*survey, publish(spark, "reserved_names", survey, tmp_path)) == []


def test_the_checker_uses_nothing_of_the_product() -> None:
    here = Path(__file__).parents[2] / "support"
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
    assert checker_words.percents(0.0497) == {"5.0 %", "4.97 %"}


def test_a_number_is_written_whole_or_rounded_and_never_with_an_exponent() -> None:
    for number, right, wrong in (
        (1234567.0, "1,234,567", "1.23457e+06"), (32.0, "32", "32.0"), (33.157576, "33.2", "33.1"), (12.55, "12.55", "12.5"),
        (0.0366667, "0.0367", "0.0"), (0.02, "0.02", "0.0"), (27.04, "27.0", "27"),
    ):  # fmt: skip
        assert not list(checker_words.odd_numbers(f"mean {right}", [number], [], [], "here"))
        assert list(checker_words.odd_numbers(f"mean {wrong}", [number], [], [], "here"))


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
