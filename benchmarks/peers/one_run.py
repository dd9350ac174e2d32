"""jobs/run.py with one thing changed, which ablation.py names.

Run it:  python benchmarks/peers/one_run.py ABLATION --lake lake …
"""

import runpy
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "jobs"))

from ablation import ABLATIONS

from surveylake.paths import JOBS

if __name__ == "__main__":
    ablation = sys.argv.pop(1)
    with ABLATIONS[ablation].patched():
        runpy.run_path(str(JOBS / "run.py"), run_name="__main__")
