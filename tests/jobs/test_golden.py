"""Lakes that an earlier release wrote are read, resumed, verified and carried on by this one (tests/golden/make.py made them)."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import export
import maintain
import replay
import stream
import verify
from support.sessions import OPEN
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.export.manifest import damaged_files
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.paths import CONF

GOLDEN = Path(__file__).parents[1] / "golden"
RELEASES = sorted(path.name for path in GOLDEN.iterdir() if (path / "sample.toml").is_file())
CASES = [(release, name) for release in RELEASES for name in ("sample", "epochs")]
RECORDS = {"sample": 289, "epochs": 200}


class Golden:
    """A copy of a golden lake, with its exports and its Kafka."""

    def __init__(self, release: str, name: str, folder: Path) -> None:
        with tarfile.open(GOLDEN / release / f"{name}.tar.gz") as packed:
            packed.extractall(folder, filter="data")
        self.name, self.folder, self.lake, self.out = name, folder, folder / "lake", folder / "out"
        self.survey = GOLDEN / release / "sample.toml" if name == "sample" else folder / "survey.toml"

    def arguments(self) -> list[str]:
        return ["--survey", str(self.survey), "--lake", str(self.lake)]

    def rows(self) -> list[tuple[int, int, int]]:
        table = DeltaTable(self.lake / "records").to_pyarrow_table(columns=["epoch", "partition", "offset"])
        return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def version(self) -> int:
        return DeltaTable(self.lake / "records").version()


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    return Golden(*request.param, tmp_path)


@pytest.fixture
def its_kafka(golden: Golden) -> Iterator[str]:
    with EmbeddedBroker(golden.folder / "kafka", free_port()) as broker:
        yield broker.bootstrap


def test_it_is_proved_as_it_was_left(
    golden: Golden, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = ["--bootstrap", f"127.0.0.1:{free_port()}"]
    code = verify.main([*golden.arguments(), *nobody, "--out", str(golden.out), "--deep", "--json"])
    proof = json.loads(capsys.readouterr().out)
    assert code == 0, proof
    assert len(golden.rows()) == RECORDS[golden.name]


def test_a_stream_goes_on_and_takes_nothing_twice(
    golden: Golden, its_kafka: str, spark: SparkSession
) -> None:
    config, contract = load_config(CONF / "local.toml").at(its_kafka), load_contract(golden.survey)
    before, version = golden.rows(), golden.version()
    stream.stream(OPEN, str(golden.lake), config, contract, "available-now")
    assert golden.rows() == before
    # One commit without rows: the lake did not say yet under which contract it goes on.
    assert golden.version() == version + 1
    assert json.loads(DeltaTable(golden.lake / "records").metadata().configuration["surveylake.contract"])
    assert not list(golden.lake.glob("_checkpoints/records/*retired*"))


def test_it_is_aggregated_exported_judged_again_and_maintained(
    golden: Golden, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main(golden.arguments()) == 0
    assert "0 records to change" in capsys.readouterr().out
    people = DeltaTable(golden.lake / "responses").to_pyarrow_table().num_rows
    assert aggregate.main(golden.arguments()) == 0
    assert DeltaTable(golden.lake / "responses").to_pyarrow_table().num_rows == people
    assert maintain.main(["--lake", str(golden.lake)]) == 0
    assert export.main([*golden.arguments(), "--out", str(golden.out)]) == 0
    assert damaged_files(golden.out) == []
    capsys.readouterr()
    nobody = ["--bootstrap", f"127.0.0.1:{free_port()}"]
    code = verify.main([*golden.arguments(), *nobody, "--out", str(golden.out), "--json"])
    assert code == 0, capsys.readouterr().out
