"""The contracts that this repository holds, by file, for the tests of its neighbours' formats."""

from pathlib import Path

from surveylake.contract.model import load_contract
from surveylake.paths import ROOT

FOLDERS = (ROOT / "conf" / "surveys", Path(__file__).parent / "surveys")


FILES = sorted(
    path for folder in FOLDERS for path in folder.rglob("*.toml") if not path.stem.endswith(".frequencies")
)
CONTRACTS = {path.stem: load_contract(path) for path in FILES}
"""file's name without .toml -> contract"""
