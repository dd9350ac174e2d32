"""jobs/run.py with one thing changed, which levers.py names.

Run it:  python benchmarks/peers/one_run.py LEVER --lake lake …
"""

import runpy
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "jobs"))

from ablation import LEVERS

from surveylake.paths import JOBS

if __name__ == "__main__":
    lever = sys.argv.pop(1)
    with LEVERS[lever].patched():
        runpy.run_path(str(JOBS / "run.py"), run_name="__main__")
