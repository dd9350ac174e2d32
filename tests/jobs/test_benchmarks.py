"""`make bench`, small: every file it writes has the shape that is read elsewhere. No time is looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support import shell
from support.sessions import generated_code
from surveylake.paths import ROOT

PAGE = "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nbetween\n<!-- ablations:begin -->\n<!-- ablations:end -->\nafter\n"
# The peers that need no JVM of their own: a test of the harness need not wait for three.
PEERS = "loader,equal_loader,confluent,judge,seed"


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--results", str(folder / "results"),
               "--page", str(folder / "page.md"), "--folder", str(folder / "work"), *arguments]  # fmt: skip
    env = os.environ | shell.QUICK_COMPILER
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=folder)


def found(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "results" / "latest.json").read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def ran(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    (folder / "page.md").write_text(PAGE, "utf-8")
    small = ["--rows", "2000", "--repeats", "2", "--peers", PEERS, "--bootstrap", broker]
    done = bench(folder, *small, "--only", "throughput,produce,ablations", "--ablations", "all_parsed,zstd")
    assert done.returncode == 0, done.stderr
    return folder


def test_every_ratio_has_its_spread_and_its_goal(ran: Path) -> None:
    ratios = found(ran)["ratios"]
    assert set(ratios) == {
        "records_vs_loader", "records_vs_equal_loader", "records_vs_confluent", "records_vs_seed", "cpu_vs_loader", "cpu_vs_equal_loader", "cpu_vs_judge", "produce_generate", "produce_csv",
    }  # fmt: skip
    for entry in ratios.values():
        assert 0 < entry["min"] <= entry["median"] <= entry["max"]
        assert entry["met"] == (None if entry["asked"] is None else entry["median"] >= entry["asked"])
    assert ratios["records_vs_loader"]["asked"] == 1.0


def test_a_ratio_is_taken_round_by_round(ran: Path) -> None:
    seconds = found(ran)["parts"]["throughput"]["figures"]["seconds"]
    each = [loader / ours for loader, ours in zip(seconds["loader"], seconds["ours"], strict=True)]
    ratio = found(ran)["ratios"]["records_vs_loader"]
    assert (ratio["min"], ratio["max"]) == pytest.approx((min(each), max(each)))


def test_machine_versions_and_load_are_beside_the_figures(ran: Path) -> None:
    for part in found(ran)["parts"].values():
        assert part["machine"]["cpus"] and len(part["machine"]["load"]) == 3
        assert part["machine"]["versions"]["pyspark"] == "4.2.0"
        assert (part["rows"], part["repeats"]) == (2000, 2)


def test_the_table_stands_in_the_page_and_a_chart_beside_it(ran: Path) -> None:
    page = (ran / "page.md").read_text("utf-8")
    table, ablations = (
        (ran / "results" / name).read_text("utf-8") for name in ("latest.md", "latest-ablations.md")
    )
    assert page == (
        f"before\n<!-- bench:begin -->\n{table}<!-- bench:end -->\nbetween\n<!-- ablations:begin -->\n{ablations}<!-- ablations:end -->\nafter\n"
    )
    assert "| `records_vs_loader` |" in table and "kafka-delta-ingest" in table
    for chart in ("latest.png", "latest-ablations.png"):
        assert (ran / "results" / chart).read_bytes().startswith(b"\x89PNG")


def test_an_ablation_is_compared_with_ours_round_by_round(ran: Path) -> None:
    ablations = found(ran)["parts"]["ablations"]["figures"]["ablations"]
    assert list(ablations) == ["all_parsed", "zstd"]
    for ablation in ablations.values():
        each = [
            changed / ours for changed, ours in zip(ablation["costs"], ablation["costs_of_ours"], strict=True)
        ]
        assert len(each) == 2
        assert (ablation["min"], ablation["max"]) == pytest.approx((min(each), max(each)))


def test_nothing_but_logs_stays_in_the_work_folder(ran: Path) -> None:
    assert {path.suffix for path in (ran / "work").iterdir()} == {".log"}


def test_a_part_run_alone_leaves_the_others_as_they_were(ran: Path, broker: str) -> None:
    before = found(ran)
    done = bench(ran, "--rows", "1000", "--repeats", "1", "--only", "produce", "--bootstrap", broker)
    assert done.returncode == 0, done.stderr
    after = found(ran)
    assert after["parts"]["throughput"] == before["parts"]["throughput"]
    assert after["ratios"]["records_vs_loader"] == before["ratios"]["records_vs_loader"]
    assert after["ratios"]["produce_csv"]["rows"] == 1000


def test_a_part_that_fails_is_told_and_leaves_its_earlier_results(ran: Path) -> None:
    before = found(ran)
    done = bench(ran, "--rows", "1000", "--only", "produce", "--bootstrap", "127.0.0.1:9")
    assert done.returncode == 1
    assert "produce failed; its earlier results stay" in done.stderr
    assert found(ran) == before


@pytest.mark.parametrize(
    "wrong", [["--only", "speed"], ["--peers", "flink"], ["--ablations", "hope"], ["--rows", "0"]]
)
def test_an_unknown_part_or_peer_is_refused_before_anything_starts(tmp_path: Path, wrong: list[str]) -> None:
    done = bench(tmp_path, *wrong)
    assert done.returncode == 2
    assert not (tmp_path / "work").exists()


EVERY_ABLATION = """
import json
from ablation import ABLATIONS
found = {}
for name, ablation in ABLATIONS.items():
    with ablation.patched():
        found[name] = {"ours": ablation.ours, "settings": {**ablation.sql, **{f"spark.hadoop.{k}": v for k, v in ablation.hadoop.items()}}}
print(json.dumps(found))
"""


def alone(code: str) -> str:
    """What Python prints that has the benchmarks' modules."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("benchmarks", "jobs"))
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


SOME_ABLATIONS = """
import results
from results_model import PartResults
ablation = lambda median: {"group": "one", "ours": True, "median": median}
known = {"ratios": {}, "parts": {"ablations": {"figures": {"ablations": {"zstd": ablation(3.0), "g1": ablation(4.0)}}}}}
results.join(known, "ablations", PartResults({}, {"ablations": {"g1": ablation(2.0)}}), 1, 1, {}, 1.0)
print({name: ablation["median"] for name, ablation in results.ablations(known).items()})
"""


def test_an_ablation_that_is_not_measured_again_stays() -> None:
    assert alone(SOME_ABLATIONS).strip() == "{'zstd': 3.0, 'g1': 2.0}"


def test_every_ablation_finds_what_it_changes(spark: Any) -> None:
    """A renamed function or a setting that is gone would leave an ablation that changes nothing."""
    ablations = json.loads(alone(EVERY_ABLATION))
    assert len(ablations) > 10
    with generated_code(spark):
        known_settings = {
            key: spark.conf.get(key, None) for each in ablations.values() for key in each["settings"]
        }
    for name, ablation in ablations.items():
        for key, value in ablation["settings"].items():
            known = known_settings[key]
            assert known != value and (known is not None or not ablation["ours"]), f"{name} changes nothing"
