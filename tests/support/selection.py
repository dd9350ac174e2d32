"""Which tests start Java, and in which order and in which units two workers take them."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

JAVA_FIXTURES = {"spark", "broker", "object_store", "hdfs", "kept_classes"}
"""A test that asks for one of these, by whatever fixture between, needs a JVM."""
SPLIT = ("tests/jobs/test_checkout.py",)
"""Files whose tests share nothing: each test is a unit of its own."""
LONGEST = (
    "tests/jobs/test_storage.py",
    "tests/stream/test_detour.py",
    "tests/lake/test_maintenance.py",
    "tests/jobs/test_benchmarks.py",
    "tests/export/report/test_report_checker.py",
    "tests/repair/test_plan.py",
    "tests/stream/test_query.py",
    "tests/jobs/test_golden.py",
    "tests/runtime/test_java_exit.py",
    "tests/test_signals.py",
    "tests/lake/test_retention.py",
    "tests/lake/test_log_store.py",
    "tests/jobs/test_cluster.py",
    "tests/test_formats.py",
    "tests/jobs/test_run.py",
    "tests/aggregate/test_responses.py",
    "tests/verify/test_proof.py",
    "tests/jobs/test_checkout.py",
    "tests/kafka/test_embedded.py",
    "tests/lake/test_uri.py",
    "tests/runtime/test_process_log.py",
    "tests/jobs/test_notebook.py",
    "tests/aggregate/test_disclosure_audit.py",
    "tests/validate/test_strict_json.py",
    "tests/export/charts/test_charts.py",
    "tests/export/charts/test_fonts.py",
)
"""Files that take longest, in the order in which they start: two workers then end at about the same time."""


def needs_java(item: pytest.Item) -> bool:
    """Whether a test starts a JVM, or is marked to belong with those that do."""
    return bool(item.get_closest_marker("integration")) or not JAVA_FIXTURES.isdisjoint(
        getattr(item, "fixturenames", ())
    )


def unit(nodeid: str) -> str:
    """The unit of a test, which one worker runs as a whole: its file, so that a module's fixtures are made once."""
    return nodeid if nodeid.startswith(SPLIT) else nodeid.partition("::")[0]


def place(item: pytest.Item) -> int:
    """Where a test's file comes in the order of a run; files that are not listed come last, as they were collected."""
    file = item.nodeid.partition("::")[0]
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


def refuse_java(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook. Raises AssertionError where this process would start a JVM."""
    if event == "subprocess.Popen" and _is_java(os.fsdecode(arguments[0])):
        raise AssertionError(f"{arguments[0]} starts a JVM: mark the test with `integration`")


def _is_java(program: str) -> bool:
    """Whether a program is an installed Java, or Spark's launcher of one."""
    path = Path(shutil.which(program) or program).resolve()
    return path.name == "spark-submit" or any((path.parent.parent / "lib" / "server").glob("libjvm.*"))
