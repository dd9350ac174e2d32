"""The contracts that this repository holds, by file, for the tests of its neighbours' formats."""

from pathlib import Path

from surveylake.contract.model import Contract, load_contract
from surveylake.paths import ROOT

FOLDERS = (ROOT / "conf" / "surveys", Path(__file__).parent / "surveys")


def _contracts() -> dict[str, Contract]:
    files = sorted(path for folder in FOLDERS for path in folder.rglob("*.toml"))
    return {path.stem: load_contract(path) for path in files if not path.stem.endswith(".frequencies")}


CONTRACTS = _contracts()
"""file's name without .toml -> contract"""
