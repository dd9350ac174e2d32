"""The notebook runs on a lake made by the jobs, shows what it promises, and is kept without outputs."""

import ast
import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from pyspark.sql import SparkSession

import aggregate
import export
import produce
import stream
from support.sender import sender
from support.sessions import OPEN
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.lake import commits, maintenance, tables
from surveylake.paths import CONF, ROOT

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
SURVEY = CONF / "surveys" / "food_preference.toml"
TOPIC = "notebook-food"
NOT_UTF8 = b'{"Participant ID": "\xff"}'
RUN_SECONDS = 240


def cells_with_outputs(notebook: Any) -> list[str]:
    """Ids of code cells that hold what they printed, or the number of their run."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell.id for cell in code if cell.outputs or cell.execution_count is not None]


def source_of(cell_id: str) -> str:
    """The source of one cell, as it is kept."""
    return next(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.id == cell_id)


def text_of(cell: Any) -> str:
    """All that a cell shows as text."""
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, broker: str, spark: SparkSession) -> Path:
    """A folder with lake/ and out/, made by the jobs' own steps from the survey's sample and a message in no UTF-8."""
    folder = tmp_path_factory.mktemp("explored")
    lake, survey = str(folder / "lake"), folder / "food_preference.toml"
    text = SURVEY.read_text("utf-8").replace('topic = "Food"', f'topic = "{TOPIC}"')
    survey.write_text(text, "utf-8")
    sample = str(SURVEY.with_suffix(".sample.csv"))
    assert produce.main([sample, "--survey", str(survey), "--bootstrap", broker]) == 0
    producer = sender(broker)
    producer.produce(TOPIC, NOT_UTF8)
    assert producer.flush(30) == 0
    config, contract = load_config(CONF / "local.toml").at(broker), load_contract(survey)
    stream.stream(OPEN, lake, config, contract, "available-now")
    published = aggregate.aggregate(OPEN, lake, config, contract)
    export.export(OPEN, lake, folder / "out", config, contract, published)
    return folder


@pytest.fixture(scope="module")
def executed(made: Path) -> Any:
    """The notebook after a run from its own folder, in a kernel of its own."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKE", str(made / "lake"))
        patch.setenv("OUT", str(made / "out"))
        # As from a terminal: the tests' own Spark session has set these for itself.
        for name in [name for name in os.environ if name.startswith(("PYSPARK_", "SPARK_"))]:
            patch.delenv(name)
        # A short-lived JVM: the second compiler would cost more than it saves.
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")
        client = NotebookClient(
            notebook, timeout=RUN_SECONDS, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
        )
        client.execute()
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def test_it_shows_the_first_answers_and_their_types(executed: Any) -> None:
    shown = executed["responses-head"].outputs[-1]["data"]["text/html"]
    assert shown.count("<tr>") == 20
    assert "participant_id" in shown
    assert " |-- age: integer" in text_of(executed["responses-schema"])


def test_it_counts_what_was_received_and_what_was_accepted(executed: Any) -> None:
    shown = text_of(executed["counts"])
    assert "|   false|    2|" in shown
    assert "|    true|  288|" in shown
    assert "290 records, 288 responses" in shown


def test_it_shows_each_rejected_record_with_its_bytes_and_reason(executed: Any) -> None:
    shown = executed["quarantine"].outputs[-1]["data"]["text/html"]
    assert shown.count("<tr>") == 2
    assert "out_of_range:Age" in shown
    assert "bad_encoding" in shown and "\ufffd" in shown
    # The whole value, not its beginning.
    assert '"Age": "300"' in shown.replace("&quot;", '"')


def test_it_reads_the_table_as_it_was(executed: Any) -> None:
    shown = text_of(executed["time-travel"])
    assert shown.startswith("version 0: 0 records; version ")
    assert shown.strip().endswith(": 290 records")


def test_it_reads_the_oldest_version_that_a_cleaned_log_still_has(
    made: Path, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Delta cleans it after thirty days: what came before the log's newest checkpoint is gone."""
    lake = tables.Lake(str(shutil.copytree(made / "lake", tmp_path / "lake")))
    path = lake.table(tables.RECORDS)
    newest = tables.version(spark, path)
    maintenance.checkpoint(spark, path)
    for older in range(newest):
        for file in (Path(path) / "_delta_log").glob(f"*{older:020d}*"):
            file.unlink()
    commits.jvm(spark).org.apache.spark.sql.delta.DeltaLog.clearCache()
    names = {"spark": spark, "lake": lake, "records": tables.read(spark, path), "RECORDS": tables.RECORDS,
             "read": tables.read, "version": tables.version, "version_at": commits.version_at}  # fmt: skip
    exec(source_of("time-travel"), names)
    assert capsys.readouterr().out == f"version {newest}: 290 records; version {newest}: 290 records\n"


def test_it_counts_on_no_version_and_on_no_encoding_of_what_was_received() -> None:
    assert "version {oldest}" in source_of("time-travel") and "versionAsOf" not in source_of("time-travel")
    assert "decode(" not in source_of("quarantine")


def test_it_shows_every_published_chart(executed: Any, made: Path) -> None:
    pictures = [o for o in executed["charts"].outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == len(list((made / "out" / "charts").glob("*.png"))) > 4
    assert "is as published" in text_of(executed["charts"])


@pytest.mark.parametrize("path", sorted(NOTEBOOK.parent.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert cells_with_outputs(notebook) == []


def test_a_notebook_with_an_output_is_noticed() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="FPS184")]
    assert cells_with_outputs(notebook) == [code.id]


@pytest.mark.parametrize("path", sorted(NOTEBOOK.parent.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_define_nothing(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    trees = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [node for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)]
