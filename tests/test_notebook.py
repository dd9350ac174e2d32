"""The notebook runs on a lake made by the jobs, shows what it promises, and is kept without outputs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from surveylake.config import Config
from surveylake.contract import load_contract
from surveylake.project import CONF, JOBS, ROOT

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
SURVEY = CONF / "surveys" / "food_preference.toml"
RUN_SECONDS = 240


def cells_with_outputs(notebook: Any) -> list[str]:
    """Ids of code cells that hold what they printed, or the number of their run."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell.id for cell in code if cell.outputs or cell.execution_count is not None]


def text_of(cell: Any) -> str:
    """All that a cell shows as text."""
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
