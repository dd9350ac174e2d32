"""The suite about itself: no row is left out in silence, and the table in the docs says what a run saw."""

import ast
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from faults import rows
from faults.reporter import TOLD, Reporter
from faults.rows import IDS, NOT_HERE, Elsewhere, Row

pytestmark = pytest.mark.quick
HERE = Path(__file__).parent


def marked_ids() -> Counter[str]:
    """Row id -> tests marked with it, from the sources."""
    counts: Counter[str] = Counter()
    for source in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                counts[ast.literal_eval(node.args[0])] += 1
    return counts


def test_there_are_101_rows() -> None:
    assert len(IDS) == len(set(IDS)) == 101


def test_every_row_is_tested_here_or_listed_with_its_reason() -> None:
    marked = set(marked_ids())
    assert marked - set(IDS) == set(), "a mark names no row"
    assert set(IDS) - marked - set(NOT_HERE) == set(), "left out in silence"
    assert marked & set(NOT_HERE) == set(), "tested here and listed as not"


def test_every_test_that_is_listed_exists() -> None:
    for entry in NOT_HERE.values():
        for test in entry.tests if isinstance(entry, Elsewhere) else ():
            file, _, name = test.partition("::")
            assert f"def {name}(" in (HERE.parent / file).read_text(encoding="utf-8"), test


def a_row(outcome: str = "passed", id_: str = "C1", test: str = "t") -> Row:
    row = Row(id_, "deleted", "refused", True, test, outcome, day="2026-03-01", seconds=90)
    row.observed("refused | exit 5")
    row.plain_query("lost 10")
    return row


def test_the_tests_of_a_row_share_its_line_and_a_failure_is_shown() -> None:
    (line,) = [line for line in _table([a_row(), a_row("failed", test="u")]) if line.startswith("| C1 ")]
    assert line == r"| C1 | deleted | refused | **failed** refused \| exit 5 | lost 10 |"


def test_the_lines_come_in_the_order_of_the_matrix() -> None:
    listed = [line.split(" | ")[0].strip("| ") for line in _table([a_row(id_="H1"), a_row()])[2:]]
    assert listed == IDS


def _table(run: list[Row]) -> list[str]:
    filled = [Row(i, "x", "y", False, "t", "passed", ["z"]) for i in IDS if i not in {r.id for r in run}]
    return rows.table([*run, *filled]).splitlines()


def test_the_caption_says_when_how_many_and_how_they_ended() -> None:
    run = [a_row(), a_row(test="u"), a_row("skipped: no strace", test="v")]
    caption = rows.caption(run)
    assert caption.startswith("Run on 2026-03-01 with Spark 4.")
    assert "in 4 minutes: 3 tests, 2 passed, 1 skipped. " in caption
    run[0].day = "2026-02-28"
    assert rows.caption(run).startswith("Run in parts, from 2026-02-28 to 2026-03-01 with ")


def test_a_row_that_another_folder_tests_says_so_only_when_it_ran() -> None:
    (line,) = [line for line in rows.table([]).splitlines() if line.startswith("| A1 ")]
    assert "has not run" in line
    row = Row(
        "A1",
        "killed",
        "no hole",
        False,
        "tests/produce/test_producer.py::test_x",
        "passed",
        ["no hole and no double"],
    )
    (line,) = [line for line in rows.table([row]).splitlines() if line.startswith("| A1 ")]
    assert line == "| A1 | killed | no hole | no hole and no double |  |"


def report(test: str, when: str, properties: list[tuple[str, object]]) -> pytest.TestReport:
    """What a worker sends of one part of a passed test that took a second."""
    return pytest.TestReport(
        test,
        ("", 0, ""),
        {},
        "passed",
        None,
        when,
        duration=1.0,
        user_properties=properties,  # type: ignore[arg-type]
    )


def test_what_a_worker_reports_of_a_test_is_its_row() -> None:
    row = Row("E1", "killed", "no hole", False, "tests/faults/test_x.py::test_x")
    reporter = Reporter()
    reporter.pytest_runtest_logreport(report(row.test, "setup", [(TOLD, asdict(row))]))
    assert reporter.ran() == []
    row.observed("nothing lost")
    reporter.pytest_runtest_logreport(report(row.test, "call", [(TOLD, asdict(row))]))
    (ran,) = reporter.ran()
    assert (ran.id, ran.outcome, ran.seen, ran.seconds) == ("E1", "passed", ["nothing lost"], 2.0)


def test_a_test_of_another_folder_is_found_in_the_rows_that_it_covers() -> None:
    listed = {test for entry in NOT_HERE.values() if isinstance(entry, Elsewhere) for test in entry.tests}
    reporter = Reporter()
    for test in listed:
        reporter.pytest_runtest_logreport(report(f"tests/{test}[1]", "call", []))
    found = {row.id for row in reporter.ran()}
    assert found == {id_ for id_, entry in NOT_HERE.items() if isinstance(entry, Elsewhere)}


def test_only_the_table_of_the_page_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{rows.BEGIN}\nold\n{rows.END}\nafter\n")
    rows.replace_table(page, "new")
    assert page.read_text() == f"before\n{rows.BEGIN}\nnew\n{rows.END}\nafter\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no"):
        rows.replace_table(page, "new")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("lake /tmp/pytest-1/x/lake is written", "lake …/lake is written"),
        ("file:/tmp/a/b/c.parquet", "…/c.parquet"),
        ("nothing listens at 127.0.0.1:41233", "nothing listens at BROKER"),
        ("stream.py (process 4711)", "stream.py (process N)"),
        ("stream.py on vm-7.test (process 4711)", "stream.py on HOST (process N)"),
        ("http://10.226.74.6:21711 and /10.226.74.6:9092", "http://ADDRESS and ADDRESS"),
        ("topic T123456789 on cluster 5L6g3nShT-eMCtK--X86sw", "topic TOPIC on cluster ID"),
        ("from topic id Zk+W2XBhSwiOYzZDP1YN/w on cluster " + "a" * 22, "from topic id ID on cluster ID"),
        ("in 3.4 s,\n  then more", "in N s, then more"),
        ("partition 0: offsets 10 to 14 (5 records)", "partition 0: offsets 10 to 14 (5 records)"),
        ("KAFKA_DATA_LOSS.START_OFFSET_RESET", "KAFKA_DATA_LOSS.START_OFFSET_RESET"),
    ],
)
def test_what_differs_from_run_to_run_is_masked(text: str, left: str) -> None:
    assert rows.masked(text) == left


def test_a_long_text_ends_after_a_whole_word() -> None:
    assert rows.brief("the lake /tmp/a/b/lake is full", 22) == "the lake …/lake is …"
    assert rows.brief("short") == "short"


def test_a_row_that_says_nothing_is_not_enough() -> None:
    row = Row("C1", "", "", True, "t")
    assert "observed" in row.missing
    row.observed("x")
    assert "stock" in row.missing
    row.plain_query("y")
    assert row.missing == ""


def test_a_run_of_some_tests_keeps_what_the_others_saw_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, results = tmp_path / "page.md", tmp_path / "faults.json"
    page.write_text(f"{rows.BEGIN}\n{rows.END}\n")
    monkeypatch.setattr(rows, "PAGE", page)
    monkeypatch.setattr(rows, "RESULTS", results)
    first, second = a_row(id_="C1"), a_row(id_="C2")
    first.test, second.test = "one", "two"
    first.seen, second.seen = ["what was seen first"], ["kept"]
    rows.write([first, second])
    first.seen = ["new"]
    rows.write([first])
    text = page.read_text()
    assert "new" in text and "kept" in text and "what was seen first" not in text
    assert "has not run since" in next(line for line in text.splitlines() if line.startswith("| C3 "))
