"""The table of docs/cluster.md that says which verb works where: each cell has its test."""

import ast
import re
from pathlib import Path

from surveylake.paths import ROOT

VERBS = {
    "stream: cold, then resumed": "test_the_stream_takes_every_record_once_cold_and_resumed",
    "stream: checkpoint lost": "test_a_lost_checkpoint_skips_nothing_that_waits",
    "stream: older checkpoint put back": "test_what_an_older_checkpoint_has_not_read_is_taken_in_all_the_same",
    "stream: table restored to an older version": "test_a_restored_table_is_filled_again",
    "stream: a second one": "test_a_second_stream_takes_over_and_the_first_stops_with_its_name",
    "quarantine": "test_what_was_rejected_is_listed",
    "replay": "test_a_changed_contract_reaches_what_is_stored",
    "aggregate": "test_people_and_numbers_are_those_of_the_records",
    "export, --out on this machine": "test_the_exports_are_made_and_proved_with_the_lake",
    "export, --out in the storage": "test_the_exports_go_to_the_storage_and_are_proved_there",
    "repair": "test_what_is_broken_is_mended_and_read_again",
    "an older version": "test_an_older_version_is_read_and_published",
    "maintain, beside a stream": "test_maintenance_beside_a_stream_loses_nothing",
    "verify": "test_verify_names_the_file_that_is_short_or_missing",
    "verify --deep": "test_verify_deep_names_the_file_with_a_flipped_byte",
}
"""Row of the table in docs/cluster.md -> its test in tests/jobs/test_storage.py, which runs once for each storage."""


def test_every_row_of_the_table_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| yes: `(.+?)` \| yes \| yes \| `(.+?)` \|$", page, re.M)
    assert {row: test for row, _, test in rows} == VERBS
    for _, local, _ in rows:
        file, _, name = local.partition("::")
        assert name in _tests_of(ROOT / file), local
    assert set(VERBS.values()) <= _tests_of(ROOT / "tests" / "jobs" / "test_storage.py")


def _tests_of(file: Path) -> set[str]:
    """Return the names of a module's functions."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
