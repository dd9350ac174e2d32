"""datacontract-cli, which is not ours: it reads the data contracts that we write, and tests our tables by them.

`make standards` brings it, in an environment of its own, and runs these tests.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession

import run
from support.made_contracts import made_contract
from support.standards import CONTRACTS
from surveylake.contract.model import load_contract
from surveylake.paths import CONF
from surveylake.standards.odcs_export import odcs_of

HOME = os.environ.get("SURVEYLAKE_DATACONTRACT", "")
EXAMPLE = CONF / "surveys" / "examples" / "qualtrics"
MADE = range(60)
BY_SCHEMA = """
import datacontract, json, jsonschema, pathlib, sys, yaml
schema = json.loads((pathlib.Path(datacontract.__file__).parent / "schemas" / "odcs-3.1.0.schema.json").read_text())
checker = jsonschema.Draft201909Validator(schema)
found = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    found[path.stem] = [error.message for error in checker.iter_errors(yaml.safe_load(path.read_text("utf-8")))]
print(json.dumps(found))
"""
WITH_DELTA = "from duckdb_extensions import import_extension; import_extension('delta')"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(
        not HOME, reason="datacontract-cli is not here: make standards brings it and runs this"
    ),
]


def tool(home: Path, name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment, with a home of its own."""
    return subprocess.run(
        [f"{HOME}/bin/{name}", *map(str, words)],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "200", "LANG": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("name", CONTRACTS)
def test_it_takes_every_contract_of_this_repository(tmp_path: Path, name: str) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(odcs_of(CONTRACTS[name], "/data/lake"), encoding="utf-8")
    done = tool(tmp_path, "datacontract", "lint", path)
    assert "valid against ODCS v3.1.0" in done.stdout and done.returncode == 0, done.stdout


def test_any_contract_fits_the_schema_of_the_standard(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    for seed in MADE:
        (folder / f"{seed}.yaml").write_text(odcs_of(made_contract(seed)), encoding="utf-8")
    (folder / "wrong.yaml").write_text("apiVersion: v3.1.0\nkind: DataContract\n", encoding="utf-8")
    done = tool(tmp_path, "python", "-c", BY_SCHEMA, folder)
    found = json.loads(done.stdout)
    assert found.pop("wrong"), "it finds what is missing"
    assert found == {str(seed): [] for seed in MADE}


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake made by a whole run, whose people have sets, scales, timestamps and a pattern."""
    folder = tmp_path_factory.mktemp("standards")
    patch = pytest.MonkeyPatch()
    patch.setattr(run, "VAR", folder / "var")
    words = [
        "--survey",
        f"{EXAMPLE}.toml",
        "--input",
        f"{EXAMPLE}.csv",
        "--lake",
        folder / "lake",
        "--out",
        folder / "out",
    ]
    assert run.main(list(map(str, words))) == 0
    patch.undo()
    return folder / "lake"


def test_it_finds_our_table_as_the_contract_says(lake: Path, tmp_path: Path) -> None:
    contract, path = load_contract(Path(f"{EXAMPLE}.toml")), tmp_path / "contract.yaml"
    path.write_text(odcs_of(contract, str(lake)), encoding="utf-8")
    assert tool(tmp_path, "python", "-c", WITH_DELTA).returncode == 0
    done = tool(tmp_path, "datacontract", "test", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert done.stdout.count("passed") > 2 * len(contract.columns)


def test_it_finds_a_table_that_is_not_as_the_contract_says(lake: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(odcs_of(load_contract(Path(f"{EXAMPLE}.toml")), str(lake)))
    columns = {column["name"]: column for column in document["schema"][0]["properties"]}
    columns["born"]["logicalTypeOptions"]["minimum"] = 1990
    columns["trusts"]["quality"][0]["arguments"]["validValues"].remove("Agree")
    path = tmp_path / "contract.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert tool(tmp_path, "python", "-c", WITH_DELTA).returncode == 0
    done = tool(tmp_path, "datacontract", "test", path)
    failed = [line for line in done.stdout.splitlines() if line.startswith("│ failed")]
    assert done.returncode != 0
    assert sorted("born" in line for line in failed) == [False, True]
