"""docs/performance.md quotes what benchmarks/results holds, and nothing else."""

from pathlib import Path

import pytest

from surveylake.paths import ROOT

BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "performance.md"


def test_the_page_has_the_tables_of_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import results

    known = results.load(BENCHMARKS / "results")
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    results.write_page(known, page)
    assert page.read_text("utf-8") == PAGE.read_text("utf-8")
    assert (BENCHMARKS / "results" / "latest.md").read_text("utf-8") == results.table(known)
