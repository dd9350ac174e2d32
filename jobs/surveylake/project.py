"""Where things are in a checkout, whichever directory a job is started from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
VAR = ROOT / "var"
"""What the project makes for itself and may be deleted when nothing runs: jars, embedded Kafka, logs."""
JOBS = ROOT / "jobs"
